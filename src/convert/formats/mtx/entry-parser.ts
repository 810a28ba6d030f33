import { DiagnosticError } from '../../../domain/diagnostic.js';
import { errorAtLine, type RawFile } from '../../format.js';
import type { EntrySpool } from './entry-spool.js';
import type { MatrixHeader } from './header.js';

const NEWLINE = 10;
const PERCENT = 37;
const MINUS = 45;
const PLUS = 43;
const MAX_LINE_BYTES = 1 << 16;
/** Numbers of so many digits are exact in a double. */
const EXACT_DIGITS = 15;
const REAL = /^[+-]?(?:\d+\.?\d*(?:[eEdD][+-]?\d+)?|\.\d+(?:[eEdD][+-]?\d+)?|nan|inf(?:inity)?)$/i;

export interface EntryTarget {
  readonly spool: EntrySpool;
  /** Whether rows of the matrix are genes; otherwise its columns are. */
  readonly rowsAre: 'genes' | 'cells';
}

/** Reads the entries of a Matrix Market text, fed in blocks of any length, into a spool. */
export class EntryParser {
  readonly #raw: RawFile;
  readonly #header: MatrixHeader;
  readonly #target: EntryTarget;
  readonly #isMirrored: boolean;
  #line: number;
  #entryCount = 0;
  #carried: Buffer = Buffer.alloc(0);

  constructor(raw: RawFile, header: MatrixHeader, target: EntryTarget) {
    this.#raw = raw;
    this.#header = header;
    this.#target = target;
    this.#isMirrored = header.symmetry !== 'general';
    this.#line = header.sizeLine;
  }

  /** The last line that was read whole. */
  get line(): number {
    return this.#line;
  }

  /** @throws DiagnosticError (SL0631 to SL0633) with the line */
  add(block: Buffer): void {
    const last = block.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#carry(Buffer.concat([this.#carried, block]));
      return;
    }
    if (this.#carried.length === 0) this.#parse(block, last + 1);
    else {
      const first = block.indexOf(NEWLINE);
      const joined = Buffer.concat([this.#carried, block.subarray(0, first + 1)]);
      this.#parse(joined, joined.length);
      this.#parse(block.subarray(first + 1), last - first);
    }
    this.#carry(Buffer.from(block.subarray(last + 1)));
  }

  /** The text is over. */
  finish(): void {
    if (this.#carried.length > 0) {
      const rest = Buffer.concat([this.#carried, Buffer.from('\n')]);
      this.#carried = Buffer.alloc(0);
      this.#parse(rest, rest.length);
    }
    const { entryCount, sizeLine } = this.#header;
    if (this.#entryCount < entryCount) {
      throw this.#error('SL0633', {
        line: this.#line,
        text: '',
        message: `is the last: there are ${this.#entryCount} entries, line ${sizeLine} promises ${entryCount}`,
        hint: 'fetch it again; nothing of it was loaded',
      });
    }
  }

  #carry(rest: Buffer): void {
    this.#carried = rest;
    if (rest.length <= MAX_LINE_BYTES) return;
    const text = rest.subarray(0, 200).toString('latin1');
    throw this.#error('SL0631', { line: this.#line + 1, text, message: `is longer than ${MAX_LINE_BYTES} bytes` });
  }

  /** Whole lines only: the byte before `end` is a newline, so no look-ahead leaves the block. */
  #parse(block: Buffer, end: number): void {
    const { rowCount, columnCount, kind } = this.#header;
    let at = 0;
    while (at < end) {
      const start = at;
      let byte = block[at] ?? NEWLINE;
      while (byte === 32 || byte === 9 || byte === 13) byte = block[++at] ?? NEWLINE;
      if (byte === NEWLINE) {
        at++;
        this.#line++;
        continue;
      }
      if (byte === PERCENT) {
        at = block.indexOf(NEWLINE, at) + 1;
        this.#line++;
        continue;
      }
      let from = at;
      let row = 0;
      while (byte >= 48 && byte <= 57) {
        row = row * 10 + byte - 48;
        byte = block[++at] ?? NEWLINE;
      }
      if (at === from || (byte !== 32 && byte !== 9)) throw this.#malformed(block, start);
      while (byte === 32 || byte === 9) byte = block[++at] ?? NEWLINE;
      from = at;
      let column = 0;
      while (byte >= 48 && byte <= 57) {
        column = column * 10 + byte - 48;
        byte = block[++at] ?? NEWLINE;
      }
      if (at === from) throw this.#malformed(block, start);
      let value = 1;
      if (kind !== 'pattern') {
        if (byte !== 32 && byte !== 9) throw this.#malformed(block, start);
        while (byte === 32 || byte === 9) byte = block[++at] ?? NEWLINE;
        from = at;
        const isNegative = byte === MINUS;
        if (isNegative || byte === PLUS) byte = block[++at] ?? NEWLINE;
        const digits = at;
        value = 0;
        while (byte >= 48 && byte <= 57) {
          value = value * 10 + byte - 48;
          byte = block[++at] ?? NEWLINE;
        }
        const isPlain = byte === NEWLINE || byte === 32 || byte === 9 || byte === 13;
        if (isPlain && at > digits && at - digits <= EXACT_DIGITS) {
          if (isNegative) value = -value;
        } else {
          while (byte !== NEWLINE && byte !== 32 && byte !== 9 && byte !== 13) byte = block[++at] ?? NEWLINE;
          value = this.#slowValue(block, { start, from, to: at });
        }
        if (kind === 'integer' && (value > 2147483647 || value < -2147483648)) throw this.#tooLarge(block, start);
      }
      while (byte === 32 || byte === 9 || byte === 13) byte = block[++at] ?? NEWLINE;
      if (byte !== NEWLINE) throw this.#malformed(block, start);
      at++;
      this.#line++;
      if (row < 1 || row > rowCount || column < 1 || column > columnCount) {
        throw this.#outside(block, { start, row, column });
      }
      if (++this.#entryCount > this.#header.entryCount) throw this.#tooMany(block, start);
      this.#put(block, { start, row: row - 1, column: column - 1, value });
    }
  }

  #put(
    block: Buffer,
    entry: { readonly start: number; readonly row: number; readonly column: number; readonly value: number },
  ): void {
    const { row, column, value } = entry;
    const { spool, rowsAre } = this.#target;
    if (rowsAre === 'genes') spool.add(column, row, value);
    else spool.add(row, column, value);
    if (!this.#isMirrored) return;
    const isSkew = this.#header.symmetry === 'skew-symmetric';
    if (column > row || (isSkew && column === row)) {
      throw this.#error('SL0632', {
        line: this.#line,
        text: textOf(block, entry.start),
        message: `stands ${column > row ? 'above' : 'on'} the diagonal, though the matrix is ${this.#header.symmetry}`,
        hint: 'such a file holds one triangle; write the matrix as general',
      });
    }
    if (row === column) return;
    if (rowsAre === 'genes') spool.add(row, column, isSkew ? -value : value);
    else spool.add(column, row, isSkew ? -value : value);
  }

  /** Fractions, exponents, long numbers, NaN and infinities; rare in counts. */
  #slowValue(block: Buffer, at: { readonly start: number; readonly from: number; readonly to: number }): number {
    const text = block.subarray(at.from, Math.min(at.to, at.from + 400)).toString('latin1');
    const isInteger = this.#header.kind === 'integer';
    if (!(isInteger ? /^[+-]?\d+$/ : REAL).test(text) || at.to - at.from > 400) {
      throw this.#error('SL0631', {
        line: this.#line + 1,
        text: textOf(block, at.start),
        message: `has the value "${text.slice(0, 40)}", which is no ${isInteger ? 'whole ' : ''}number`,
        hint: 'line 1 says what the values are',
      });
    }
    const sign = text.startsWith('-') ? -1 : 1;
    const plain = text.toLowerCase().replace(/^[+-]/, '');
    if (plain === 'nan') return Number.NaN;
    if (plain.startsWith('inf')) return sign * Number.POSITIVE_INFINITY;
    return sign * Number(plain.replace('d', 'e'));
  }

  #malformed(block: Buffer, start: number): DiagnosticError {
    const wanted = this.#header.kind === 'pattern' ? 'row and column' : 'row, column and value';
    return this.#error('SL0631', {
      line: this.#line + 1,
      text: textOf(block, start),
      message: `is "${textOf(block, start).slice(0, 60)}", not ${wanted}`,
      hint: 'fetch the file again, or look at the line',
    });
  }

  #outside(
    block: Buffer,
    at: { readonly start: number; readonly row: number; readonly column: number },
  ): DiagnosticError {
    const { rowCount, columnCount } = this.#header;
    return this.#error('SL0632', {
      line: this.#line,
      text: textOf(block, at.start),
      message: `has row ${at.row} and column ${at.column}, which lie outside 1 to ${rowCount} and 1 to ${columnCount}`,
      hint: 'rows and columns are counted from 1',
    });
  }

  #tooLarge(block: Buffer, start: number): DiagnosticError {
    return this.#error('SL0632', {
      line: this.#line + 1,
      text: textOf(block, start),
      message: 'has an integer of more than 32 bits',
      hint: 'say "real" instead of "integer" in line 1',
    });
  }

  #tooMany(block: Buffer, start: number): DiagnosticError {
    const { entryCount, sizeLine } = this.#header;
    return this.#error('SL0633', {
      line: this.#line,
      text: textOf(block, start),
      message: `is one entry more than the ${entryCount} that line ${sizeLine} promises`,
      hint: 'the file was damaged, or put together from several',
    });
  }

  #error(
    code: `SL06${string}`,
    problem: { readonly line: number; readonly text: string; readonly message: string; readonly hint?: string },
  ): DiagnosticError {
    return new DiagnosticError([errorAtLine(this.#raw, { code, ...problem })]);
  }
}

function textOf(block: Buffer, start: number): string {
  const end = block.indexOf(NEWLINE, start);
  return block
    .subarray(start, Math.min(end < 0 ? block.length : end, start + 200))
    .toString('latin1')
    .replace(/\r$/, '');
}
