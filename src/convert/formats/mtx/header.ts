import { DiagnosticError } from '../../../domain/diagnostic.js';
import { CompressionError, contentBlocks } from '../../compression/index.js';
import { convertError, errorAtLine, type RawFile } from '../../format.js';
import type { ValueKind } from './entry-spool.js';

export type Symmetry = 'general' | 'symmetric' | 'skew-symmetric';

/** What a Matrix Market file says before its entries. */
export interface MatrixHeader {
  readonly kind: ValueKind;
  readonly symmetry: Symmetry;
  readonly rowCount: number;
  readonly columnCount: number;
  /** Entries that the file promises; the mirrored ones of a symmetric matrix not counted. */
  readonly entryCount: number;
  /** The line that says so, 1-based. */
  readonly sizeLine: number;
  /** Where the entries begin, in bytes of the text. */
  readonly bodyOffset: number;
}

const HEADER_LIMIT_BYTES = 8 << 20;
const KINDS: readonly ValueKind[] = ['integer', 'real', 'pattern'];
const SYMMETRIES: readonly Symmetry[] = ['general', 'symmetric', 'skew-symmetric'];

export const FETCH_AGAIN = 'fetch it again; nothing of it was loaded';

/**
 * Reads banner, comments and size line.
 *
 * @throws DiagnosticError (SL0610 damaged, SL0630 not a coordinate matrix, with the line)
 * @source R. F. Boisvert et al., "The Matrix Market exchange formats", NISTIR 5935 (1996)
 */
export async function readHeader(raw: RawFile): Promise<MatrixHeader> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const block of contentBlocks(raw.file, 1 << 16)) {
      parts.push(block);
      size += block.length;
      const header = headerOf(raw, Buffer.concat(parts), false);
      if (header !== undefined) return header;
      if (size > HEADER_LIMIT_BYTES) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    const line = Buffer.concat(parts).toString('latin1').split('\n').length - 1;
    throw new DiagnosticError([
      convertError('SL0610', `${raw.displayName} is a ${thrown.message} after line ${line} of the text`, FETCH_AGAIN),
    ]);
  }
  const header = headerOf(raw, Buffer.concat(parts), true);
  if (header === undefined) {
    throw new DiagnosticError([
      convertError('SL0630', `${raw.displayName} has no size line`, 'it is rows, columns and entries, in one line'),
    ]);
  }
  return header;
}

/** The header, or undefined when the text ends within it. */
function headerOf(raw: RawFile, text: Buffer, isWhole: boolean): MatrixHeader | undefined {
  let banner: { readonly kind: ValueKind; readonly symmetry: Symmetry } | undefined;
  for (let start = 0, line = 1; start < text.length; line++) {
    const found = text.indexOf(10, start);
    if (found < 0 && !isWhole) return undefined;
    const end = found < 0 ? text.length : found;
    const content = text
      .subarray(start, Math.min(end, start + 1000))
      .toString('latin1')
      .replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    start = end + 1;
    if (banner === undefined) banner = bannerOf(raw, content);
    else if (content !== '' && !content.startsWith('%')) {
      return { ...banner, ...sizesOf(raw, { line, content, banner }), sizeLine: line, bodyOffset: start };
    }
  }
  return undefined;
}

function bannerOf(raw: RawFile, text: string): { readonly kind: ValueKind; readonly symmetry: Symmetry } {
  const problem = (message: string, hint: string): DiagnosticError =>
    new DiagnosticError([errorAtLine(raw, { code: 'SL0630', line: 1, text, message, hint })]);
  const [mark = '', object = '', format = '', field = '', symmetry = ''] = text.toLowerCase().split(/[ \t]+/);
  if (mark !== '%%matrixmarket') {
    throw problem('is not the banner "%%MatrixMarket …"', 'check that it is a Matrix Market file');
  }
  if (object !== 'matrix' || format !== 'coordinate') {
    throw problem(
      `announces a ${format} ${object}, only "matrix coordinate" is supported`,
      'write it as a sparse matrix, or as CSV',
    );
  }
  const kind = field === 'double' ? 'real' : KINDS.find((known) => known === field);
  if (kind === undefined) throw problem(`announces ${field} values`, `supported are ${KINDS.join(', ')}`);
  const known = SYMMETRIES.find((candidate) => candidate === symmetry);
  if (known === undefined) {
    throw problem(`announces a matrix that is ${symmetry || 'nothing'}`, `supported are ${SYMMETRIES.join(', ')}`);
  }
  return { kind, symmetry: known };
}

function sizesOf(
  raw: RawFile,
  size: { readonly line: number; readonly content: string; readonly banner: { readonly symmetry: Symmetry } },
): { readonly rowCount: number; readonly columnCount: number; readonly entryCount: number } {
  const { line, content, banner } = size;
  const problem = (message: string): DiagnosticError =>
    new DiagnosticError([
      errorAtLine(raw, {
        code: 'SL0630',
        line,
        text: content,
        message,
        hint: 'the size line is rows, columns and entries',
      }),
    ]);
  const words = content.split(/[ \t]+/);
  if (words.length !== 3 || words.some((word) => !/^\d{1,15}$/.test(word))) {
    throw problem(`is "${content.slice(0, 60)}", not three whole numbers`);
  }
  const [rowCount = 0, columnCount = 0, entryCount = 0] = words.map(Number);
  if (rowCount >= 2 ** 31 || columnCount >= 2 ** 31) throw problem('has an axis longer than 2147483647');
  if (banner.symmetry !== 'general' && rowCount !== columnCount) {
    throw problem(`is no square matrix, though line 1 says ${banner.symmetry}`);
  }
  return { rowCount, columnCount, entryCount };
}
