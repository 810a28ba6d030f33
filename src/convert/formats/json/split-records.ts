import { isUtf8 } from 'node:buffer';
import { DiagnosticError } from '../../../domain/diagnostic.js';
import { CompressionError, contentBlocks } from '../../compression/index.js';
import { maxExpandedBytes, tooLarge } from '../../content.js';
import { damaged } from '../../expanded.js';
import { errorAtLine, type RawFile } from '../../format.js';

/** How the records of a file follow one another. */
export type Layout = 'array' | 'lines' | 'values';

/** The text of one record, and the line (1-based) that it begins on. */
export interface RecordText {
  readonly text: string;
  readonly line: number;
}

/** A record is held in memory, and DuckDB wants several times as much for it. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;
const [NEWLINE, QUOTE, BACKSLASH, COMMA] = [10, 34, 92, 44];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * The records of a JSON file, one after another: the items of the one array that it is, its lines, or the values that
 * follow one another.
 *
 * @throws DiagnosticError (SL0610 damaged, SL0611 not UTF-8, SL0616 too large, SL0670 at its line)
 */
export async function* recordsOf(
  raw: RawFile,
  layout: Layout,
  progress?: (expandedBytes: number) => void,
): AsyncGenerator<RecordText> {
  const splitter = new Splitter(raw, layout);
  const limitBytes = maxExpandedBytes(raw);
  let sizeBytes = 0;
  try {
    for await (const block of contentBlocks(raw.file)) {
      sizeBytes += block.length;
      if (sizeBytes > limitBytes) throw tooLarge(raw, limitBytes);
      yield* splitter.add(sizeBytes === block.length ? withoutMark(block) : block);
      progress?.(sizeBytes);
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw damaged(raw, thrown, sizeBytes);
  }
  yield* splitter.finish();
}

function withoutMark(block: Buffer): Buffer {
  return block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? block.subarray(3) : block;
}

class Splitter {
  readonly #raw: RawFile;
  readonly #layout: Layout;
  #parts: Buffer[] = [];
  #heldBytes = 0;
  #line = 1;
  #startLine = 1;
  #depth = 0;
  #state: 'between' | 'value' | 'string' | 'escape' = 'between';
  /** Of an array: what has to come next. */
  #expects: 'array' | 'item or end' | 'item' | 'comma' | 'nothing' = 'array';

  constructor(raw: RawFile, layout: Layout) {
    this.#raw = raw;
    this.#layout = layout;
  }

  *add(block: Buffer): Generator<RecordText> {
    if (this.#layout === 'lines') yield* this.#addLines(block);
    else yield* this.#addValues(block);
  }

  *finish(): Generator<RecordText> {
    if (this.#state !== 'between' || this.#heldBytes > 0) {
      if (this.#layout === 'array')
        throw this.#error(this.#line, 'is where the file ends, inside a value', 'fetch it again');
      yield* this.#record();
    }
    if (this.#layout === 'array' && this.#expects !== 'nothing') {
      throw this.#error(this.#line, 'is where the file ends, before the array does', 'fetch it again');
    }
  }

  *#addLines(block: Buffer): Generator<RecordText> {
    let from = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, from)) {
      this.#hold(block.subarray(from, end));
      yield* this.#record();
      this.#line++;
      this.#startLine = this.#line;
      from = end + 1;
    }
    this.#hold(block.subarray(from));
  }

  *#addValues(block: Buffer): Generator<RecordText> {
    let from = 0;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i] ?? 0;
      if (byte === NEWLINE) this.#line++;
      switch (this.#state) {
        case 'between':
          if (isBlank(byte)) break;
          if (this.#layout === 'array' && this.#isBetweenItems(byte)) break;
          this.#startLine = this.#line;
          from = i;
          this.#state = byte === QUOTE ? 'string' : 'value';
          if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth = 1;
          break;
        case 'string':
          if (byte === BACKSLASH) this.#state = 'escape';
          else if (byte === QUOTE) {
            this.#state = 'value';
            if (this.#depth === 0) {
              yield* this.#ended(block.subarray(from, i + 1));
              from = i + 1;
            }
          }
          break;
        case 'escape':
          this.#state = 'string';
          break;
        case 'value':
          if (this.#depth === 0) {
            // A number or a word: it ends where something else begins.
            if (!isBlank(byte) && byte !== COMMA && byte !== CLOSE_LIST && byte !== OPEN_LIST && byte !== OPEN_OBJECT)
              break;
            yield* this.#ended(block.subarray(from, i));
            if (byte === NEWLINE) this.#line--;
            i--;
            break;
          }
          if (byte === QUOTE) this.#state = 'string';
          else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth++;
          else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
            this.#depth--;
            if (this.#depth === 0) {
              yield* this.#ended(block.subarray(from, i + 1));
              from = i + 1;
            }
          }
          break;
      }
    }
    if (this.#state !== 'between') this.#hold(block.subarray(from));
  }

  /** Takes the brackets and commas of the array itself. @returns false when a value begins */
  #isBetweenItems(byte: number): boolean {
    const what = `has ${JSON.stringify(String.fromCharCode(byte))}`;
    switch (this.#expects) {
      case 'array':
        if (byte !== OPEN_LIST) throw this.#error(this.#line, `${what} where the array should begin`);
        this.#expects = 'item or end';
        return true;
      case 'comma':
        if (byte !== COMMA && byte !== CLOSE_LIST)
          throw this.#error(this.#line, `${what} between two records of the array`);
        this.#expects = byte === COMMA ? 'item' : 'nothing';
        return true;
      case 'item or end':
        if (byte !== CLOSE_LIST) break;
        this.#expects = 'nothing';
        return true;
      case 'item':
        break;
      case 'nothing':
        throw this.#error(this.#line, `${what} after the end of the array`);
    }
    if (byte === COMMA || byte === CLOSE_LIST) throw this.#error(this.#line, `${what} where a record should be`);
    this.#expects = 'comma';
    return false;
  }

  *#ended(last: Buffer): Generator<RecordText> {
    this.#hold(last);
    this.#state = 'between';
    yield* this.#record();
  }

  *#record(): Generator<RecordText> {
    const [only] = this.#parts;
    const bytes = only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#heldBytes = 0;
    if (!isUtf8(bytes)) {
      throw new DiagnosticError([
        errorAtLine(this.#raw, {
          code: 'SL0611',
          line: this.#startLine,
          text: bytes.toString('latin1').slice(0, 200),
          message: 'begins a record that is not UTF-8',
          hint: 'convert the file to UTF-8',
        }),
      ]);
    }
    const text = bytes.toString('utf8');
    if (this.#layout !== 'lines' || /[^ \t\r]/.test(text)) yield { text, line: this.#startLine };
  }

  #hold(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= MAX_RECORD_BYTES) return;
    throw this.#error(
      this.#startLine,
      `begins a record of more than ${MAX_RECORD_BYTES / 2 ** 20} MB`,
      'break the file into smaller records',
    );
  }

  #error(line: number, message: string, hint?: string): DiagnosticError {
    return new DiagnosticError([
      errorAtLine(this.#raw, { code: 'SL0670', line, text: '', message, ...(hint === undefined ? {} : { hint }) }),
    ]);
  }
}

/** JSON knows four blanks; other control characters are damage. */
function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}
