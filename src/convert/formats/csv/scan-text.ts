import { isUtf8 } from 'node:buffer';
import * as fs from 'node:fs';
import { createGunzip } from 'node:zlib';
import { type Diagnostic, messageOf } from '../../../domain/diagnostic.js';
import { convertError, errorAtLine, type ProgressUnit, type RawFile } from '../../format.js';
import { RecordCounter, type RecordRules } from './record-counter.js';

export type Encoding = 'utf-8' | 'latin-1';

/** How much of the text's beginning is kept to find its header in. */
const HEAD_BYTES = 4 << 20;

/** The beginning of a text file, to find its dialect in. */
export async function readHead(
  raw: RawFile,
  encoding: Encoding,
): Promise<{ readonly text: string; readonly isGzip: boolean }> {
  const isGzip = startsAsGzip(raw.file);
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const block of textBlocks(raw.file, isGzip)) {
      parts.push(block);
      sizeBytes += block.length;
      if (sizeBytes >= HEAD_BYTES) break;
    }
  } catch {
    // A damaged archive: `scanText` reads all of it and says what is wrong.
  }
  const bytes = Buffer.concat(parts).subarray(0, HEAD_BYTES);
  return { text: bytes.toString(encoding === 'utf-8' ? 'utf8' : 'latin1').replace(/^\uFEFF/, ''), isGzip };
}

/**
 * Reads all of a text file once, before DuckDB does: DuckDB accepts a gzip file that is cut off or whose checksum is
 * wrong, and stops at a NUL.
 *
 * @returns the number of records below the header; or what is wrong, with byte offset and line (SL0610 to SL0612)
 */
export async function scanText(
  raw: RawFile,
  rules: RecordRules & { readonly isGzip: boolean; readonly encoding: Encoding },
  progress: ((done: number, total: number, unit: ProgressUnit) => void) | undefined,
): Promise<{ readonly recordCount: number } | { readonly error: Diagnostic }> {
  const counter = new RecordCounter(rules);
  let offset = 0;
  let carried: Buffer = Buffer.alloc(0);
  const problemAt = async (
    code: `SL06${string}`,
    at: number,
    message: string,
    hint: string,
  ): Promise<{ error: Diagnostic }> => ({
    error: await located(raw, rules.isGzip, { code, at, message, hint }),
  });
  try {
    for await (const block of textBlocks(raw.file, rules.isGzip)) {
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
      progress?.(Math.min(offset, raw.sizeBytes), raw.sizeBytes, 'bytes');
    }
  } catch (thrown) {
    return {
      error: convertError(
        'SL0610',
        `${raw.displayName} is a damaged gzip file: ${messageOf(thrown)} after ${offset} bytes of text`,
        'fetch it again; nothing of it was loaded',
      ),
    };
  }
  if (carried.length > 0) return problemAt('SL0611', offset - carried.length, 'is not UTF-8', NOT_UTF8_HINT);
  return { recordCount: counter.finish() };
}

const NOT_UTF8_HINT = 'give the option encoding with the value latin-1, or convert the file to UTF-8';

/** The text of one line (1-based, counted as an editor does), shortened. */
export async function lineText(raw: RawFile, isGzip: boolean, line: number): Promise<string> {
  let current = 1;
  let found = '';
  for await (const block of textBlocks(raw.file, isGzip)) {
    let start = 0;
    for (let end = block.indexOf(10); ; end = block.indexOf(10, start)) {
      if (current === line) found += block.subarray(start, end < 0 ? block.length : end).toString('utf8');
      if (end < 0) break;
      current++;
      start = end + 1;
    }
    if (current > line || found.length > LINE_LIMIT) break;
  }
  return found.replace(/\r$/, '').slice(0, LINE_LIMIT);
}

const LINE_LIMIT = 200;

async function located(
  raw: RawFile,
  isGzip: boolean,
  problem: { readonly code: `SL06${string}`; readonly at: number; readonly message: string; readonly hint: string },
): Promise<Diagnostic> {
  let line = 1;
  let offset = 0;
  for await (const block of textBlocks(raw.file, isGzip)) {
    const end = Math.min(block.length, problem.at - offset);
    for (let i = block.indexOf(10); i >= 0 && i < end; i = block.indexOf(10, i + 1)) line++;
    offset += block.length;
    if (offset > problem.at) break;
  }
  const text = await lineText(raw, isGzip, line);
  return errorAtLine(raw, { ...problem, line, text, message: `${problem.message} (byte ${problem.at} of the text)` });
}

function startsAsGzip(file: string): boolean {
  const descriptor = fs.openSync(file, 'r');
  try {
    const head = Buffer.alloc(2);
    return fs.readSync(descriptor, head, 0, 2, 0) === 2 && head[0] === 0x1f && head[1] === 0x8b;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The bytes of the text, inflated; throws zlib's error at a wrong checksum or an early end. */
async function* textBlocks(file: string, isGzip: boolean): AsyncGenerator<Buffer> {
  const stored = fs.createReadStream(file, { highWaterMark: 1 << 20 });
  if (!isGzip) {
    for await (const block of stored) yield asBuffer(block);
    return;
  }
  const inflated = createGunzip({ chunkSize: 1 << 20 });
  stored.on('error', (thrown) => inflated.destroy(thrown));
  try {
    for await (const block of stored.pipe(inflated)) yield asBuffer(block);
  } finally {
    stored.destroy();
  }
}

function asBuffer(block: unknown): Buffer {
  return Buffer.isBuffer(block) ? block : Buffer.from(String(block));
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
