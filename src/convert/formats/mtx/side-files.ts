import { isUtf8 } from 'node:buffer';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DiagnosticError } from '../../../domain/diagnostic.js';
import { CompressionError, contentBlocks } from '../../compression/index.js';
import { convertError, errorAtLine, type RawFile } from '../../format.js';

export type Role = 'cells' | 'genes';

/** A table of names beside a matrix, as its lines and values; which of them is a header is not settled yet. */
export interface SideFile {
  /** Absolute path. */
  readonly file: string;
  readonly role: Role;
  readonly isCommaSeparated: boolean;
  readonly records: readonly (readonly string[])[];
}

const COMPRESSED = String.raw`(?:\.gz|\.bz2|\.xz|\.zst)?`;
const MATRIX = new RegExp(`\\.mtx${COMPRESSED}$`, 'i');
const TABLE = new RegExp(`\\.(?:tsv|csv|txt)${COMPRESSED}$`, 'i');
const ROLES: readonly { readonly role: Role; readonly words: RegExp }[] = [
  {
    role: 'cells',
    words: /(?:^|[._ -])(?:barcodes?|cells?|obs|cell[_-]?(?:names?|metadata|annotations?|annotate|ids?))$/i,
  },
  {
    role: 'genes',
    words: /(?:^|[._ -])(?:features?|genes?|var|peaks?|gene[_-]?(?:names?|metadata|annotations?|annotate|ids?))$/i,
  },
];
/** What a matrix's own name ends with after its prefix (`GSM1_matrix`). */
const MATRIX_WORDS = /(?:^|[._ -])(?:matrix|counts?|count[_-]?matrix|umi|umis|expression)$/i;
const MAX_SIDE_BYTES = 2 ** 30;

export function isMatrixName(fileName: string): boolean {
  return MATRIX.test(fileName);
}

/** What a matrix is of, by its name: `GSM1` of `GSM1_matrix.mtx.gz`, nothing of `matrix.mtx`. */
export function subjectOfMatrix(fileName: string): string {
  return fileName
    .replace(MATRIX, '')
    .replace(MATRIX_WORDS, '')
    .replace(/[._ -]+$/, '');
}

/** The matrix file itself: the raw file, or the only one in the folder. */
export function matrixFile(raw: RawFile): string {
  if (!fs.statSync(raw.file).isDirectory()) return raw.file;
  const names = fs
    .readdirSync(raw.file)
    .filter((name) => isMatrixName(name))
    .sort();
  const [first] = names;
  if (first !== undefined && names.length === 1) return path.join(raw.file, first);
  throw new DiagnosticError([
    convertError(
      'SL0634',
      `${raw.displayName} holds ${names.length} matrices: ${names.join(', ')}`,
      'name one of them',
    ),
  ]);
}

/** Paths of the tables of names that belong to a matrix, by their names: 10x, with any prefix, and GEO. */
export function sideFileOf(matrix: string, role: Role): string | undefined {
  const folder = path.dirname(matrix);
  const names = fs.readdirSync(folder).sort();
  const stem = path.basename(matrix).replace(MATRIX, '');
  const prefix = plainPrefix(stem.replace(MATRIX_WORDS, ''));
  const words = ROLES.find((known) => known.role === role)?.words ?? /$^/;
  const tables = names
    .filter((name) => TABLE.test(name) && words.test(name.replace(TABLE, '')))
    .map((name) => ({ name, prefix: plainPrefix(name.replace(TABLE, '').replace(words, '')) }));
  const isAlone = names.filter((name) => isMatrixName(name)).length === 1;
  const found =
    tables.find((table) => table.prefix === prefix) ??
    tables.find((table) => table.prefix === plainPrefix(stem)) ??
    (isAlone && tables.length === 1 ? tables[0] : undefined);
  return found === undefined ? undefined : path.join(folder, found.name);
}

function plainPrefix(text: string): string {
  return text.toLowerCase().replace(/[._ -]+$/, '');
}

/**
 * Reads a table of names whole.
 *
 * @throws DiagnosticError (SL0610 damaged, SL0611 not UTF-8, SL0634 too large or ragged)
 */
export async function readSideFile(file: string, role: Role, displayName: string): Promise<SideFile> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const block of contentBlocks(file)) {
      parts.push(block);
      size += block.length;
      if (size > MAX_SIDE_BYTES) {
        throw new DiagnosticError([convertError('SL0634', `${displayName} is larger than ${MAX_SIDE_BYTES} bytes`)]);
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw new DiagnosticError([
      convertError('SL0610', `${displayName} is a ${thrown.message}`, 'fetch it again; nothing of it was loaded'),
    ]);
  }
  const bytes = Buffer.concat(parts);
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new DiagnosticError([convertError('SL0611', `${displayName} is not UTF-8 text`, 'convert it to UTF-8')]);
  }
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split('\n');
  const texts = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  while (texts.at(-1) === '') texts.pop();
  const isCommaSeparated =
    /\.csv/i.test(path.basename(file)) || (!texts[0]?.includes('\t') && !!texts[0]?.includes(','));
  return { file, role, isCommaSeparated, records: texts.map((text) => values(text, isCommaSeparated ? ',' : '\t')) };
}

/** The values of one line; quotes only where they surround a whole value. */
function values(line: string, delimiter: string): readonly string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const found: string[] = [];
  for (let at = 0; at <= line.length; ) {
    const quoted = line[at] === '"' ? /^"((?:[^"]|"")*)"(?=$|[,\t])/.exec(line.slice(at)) : null;
    const end = quoted === null ? line.indexOf(delimiter, at) : at + quoted[0].length;
    const stop = end < 0 ? line.length : end;
    found.push(quoted === null ? line.slice(at, stop) : (quoted[1] ?? '').replaceAll('""', '"'));
    at = stop + 1;
  }
  return found;
}

/** @throws DiagnosticError when a line has another number of values than the first */
export function checkWidths(side: SideFile, displayName: string): void {
  const width = side.records[0]?.length ?? 0;
  const wrong = side.records.findIndex((record) => record.length !== width);
  if (wrong < 0) return;
  const record = side.records[wrong] ?? [];
  // R's write.table leaves the header of the row names out.
  if (wrong === 1 && record.length === width + 1 && side.records.slice(1).every((r) => r.length === width + 1)) return;
  const text = record.join(side.isCommaSeparated ? ',' : '\t').slice(0, 200);
  throw new DiagnosticError([
    errorAtLine(
      { displayName },
      { code: 'SL0634', line: wrong + 1, text, message: `has ${record.length} values, the first line has ${width}` },
    ),
  ]);
}
