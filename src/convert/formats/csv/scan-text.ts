import { isUtf8 } from 'node:buffer';
import type { Diagnostic } from '../../../domain/diagnostic.js';
import { CompressionError, contentBlocks } from '../../compression/index.js';
import { maxExpandedBytes, tooLarge } from '../../content.js';
import { damaged } from '../../expanded.js';
import { errorAtLine, type ProgressUnit, type RawFile } from '../../format.js';
import { RecordCounter, type RecordRules } from './record-counter.js';

export type Encoding = 'utf-8' | 'latin-1';

/** How much of the text's beginning is kept to find its header in. */
const HEAD_BYTES = 4 << 20;

/** The beginning of a text file, to find its dialect in. */
export async function readHead(raw: RawFile, encoding: Encoding): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const block of contentBlocks(raw.file)) {
      parts.push(block);
      sizeBytes += block.length;
      if (sizeBytes >= HEAD_BYTES) break;
    }
  } catch (thrown) {
    // A damaged archive: `scanText` reads all of it and says what is wrong.
    if (!(thrown instanceof CompressionError)) throw thrown;
  }
  const bytes = Buffer.concat(parts).subarray(0, HEAD_BYTES);
  return bytes.toString(encoding === 'utf-8' ? 'utf8' : 'latin1').replace(/^\uFEFF/, '');
}

/**
 * Reads all of a text file once, before DuckDB does: DuckDB accepts a gzip file that is cut off or whose checksum is
 * wrong, and stops at a NUL.
 *
 * @returns the number of records below the header; or what is wrong, with byte offset and line (SL0611, SL0612)
 * @throws DiagnosticError (SL0610 damaged, SL0616 larger than allowed)
 */
export async function scanText(
  raw: RawFile,
  rules: RecordRules & { readonly encoding: Encoding },
  progress: ((done: number, total: number, unit: ProgressUnit) => void) | undefined,
): Promise<{ readonly recordCount: number } | { readonly error: Diagnostic }> {
  const limitBytes = maxExpandedBytes(raw);
  const counter = new RecordCounter(rules);
  let offset = 0;
  let carried: Buffer = Buffer.alloc(0);
  const problemAt = async (
    code: `SL06${string}`,
    at: number,
    message: string,
    hint: string,
  ): Promise<{ error: Diagnostic }> => ({
    error: await located(raw, { code, at, message, hint }),
  });
  try {
    for await (const block of contentBlocks(raw.file)) {
      const nul = block.indexOf(0);
      if (nul >= 0) {
        return await problemAt(
          'SL0612',
          offset + nul,
          'holds a NUL byte',
          'remove it, or convert the file from UTF-16 to UTF-8',
        );
      }
      if (rules.encoding === 'utf-8') {
        const text = carried.length === 0 ? block : Buffer.concat([carried, block]);
        const whole = wholeCharacters(text);
        if (!isUtf8(text.subarray(0, whole))) {
          return await problemAt(
            'SL0611',
            offset - carried.length + firstInvalid(text.subarray(0, whole)),
            'is not UTF-8',
            NOT_UTF8_HINT,
          );
        }
        carried = Buffer.from(text.subarray(whole));
      }
      counter.add(block);
      offset += block.length;
      if (offset > limitBytes) throw tooLarge(raw, limitBytes);
      progress?.(Math.min(offset, raw.sizeBytes), raw.sizeBytes, 'bytes');
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw damaged(raw, thrown, offset);
  }
  if (carried.length > 0) return problemAt('SL0611', offset - carried.length, 'is not UTF-8', NOT_UTF8_HINT);
  return { recordCount: counter.finish() };
}

const NOT_UTF8_HINT = 'give the option encoding with the value latin-1, or convert the file to UTF-8';

/** The text of one line (1-based, counted as an editor does), shortened. */
export async function lineText(raw: RawFile, line: number): Promise<string> {
  let current = 1;
  let found = '';
  for await (const block of contentBlocks(raw.file)) {
    let start = 0;
    for (let end = block.indexOf(10); ; end = block.indexOf(10, start)) {
      if (current === line) found += block.subarray(start, end < 0 ? block.length : end).toString('utf8');
      if (end < 0) break;
      current++;
      start = end + 1;
    }
    if (current > line || found.length > LINE_LIMIT) break;
  }
  // A terminal would act on what is not printable.
  return found
    .replace(/\r$/, '')
    .slice(0, LINE_LIMIT)
    .replaceAll(/[^\P{Cc}\t]/gu, '\uFFFD');
}

const LINE_LIMIT = 200;

async function located(
  raw: RawFile,
  problem: { readonly code: `SL06${string}`; readonly at: number; readonly message: string; readonly hint: string },
): Promise<Diagnostic> {
  let line = 1;
  let offset = 0;
  for await (const block of contentBlocks(raw.file)) {
    const end = Math.min(block.length, problem.at - offset);
    for (let i = block.indexOf(10); i >= 0 && i < end; i = block.indexOf(10, i + 1)) line++;
    offset += block.length;
    if (offset > problem.at) break;
  }
  const text = await lineText(raw, line);
  return errorAtLine(raw, { ...problem, line, text, message: `${problem.message} (byte ${problem.at} of the text)` });
}

/** How many bytes hold whole characters: a block may end inside one. */
function wholeCharacters(text: Buffer): number {
  for (let back = 1; back <= Math.min(3, text.length); back++) {
    const byte = text[text.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? text.length - back : text.length;
    }
  }
  return text.length;
}

/** Offset of the first byte that is not UTF-8, by halving. */
function firstInvalid(text: Buffer): number {
  let valid = 0;
  let invalid = text.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isUtf8(text.subarray(0, wholeCharacters(text.subarray(0, middle))))) valid = middle;
    else invalid = middle;
  }
  // What looked like the beginning of a character is where it goes wrong.
  return wholeCharacters(text.subarray(0, valid));
}
