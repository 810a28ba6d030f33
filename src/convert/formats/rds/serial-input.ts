import { isUtf8 } from 'node:buffer';
import type { ContentReader } from '../../content.js';
import { NA_INTEGER } from './values.js';

/** The file is no serialization, or not one that can be read. */
export class SerialError extends Error {
  override readonly name = 'SerialError';
}

/** Where numbers and texts of a serialization come from: big endian, this machine's order, or ascii. */
export interface SerialInput {
  int(): number;
  ints(count: number): Int32Array<ArrayBuffer>;
  doubles(count: number): Float64Array<ArrayBuffer>;
  bytes(count: number): Buffer;
  /** Bytes of a vector of raw values (in ascii, hex digits). */
  raws(count: number): Buffer;
  readonly offset: number;
  /** Bytes that one element takes at least: lengths are checked against what is left. */
  need(count: number, bytesPerElement: number): void;
  /** The native encoding, which version 3 names. */
  nativeEncoding: string | undefined;
}

/**
 * Reads the format letter, the versions and, in version 3, the encoding.
 *
 * @source R Internals, 1.8 "Serialization Formats"
 */
export function openSerial(content: ContentReader): SerialInput {
  content.need(2);
  const mark = content.take(2).toString('latin1');
  const input = mark === 'X\n' ? new Binary(content, 'BE') : mark === 'B\n' ? new Binary(content, 'LE') : undefined;
  const opened: SerialInput | undefined = input ?? (mark === 'A\n' ? new Ascii(content) : undefined);
  if (opened === undefined) throw new SerialError('is no serialized R object');
  const version = opened.int();
  if (version !== 2 && version !== 3) throw new SerialError(`has serialization version ${version}, known are 2 and 3`);
  opened.int();
  opened.int();
  if (version === 3) {
    const length = opened.int();
    if (length < 0 || length > 256) throw new SerialError('names an encoding of impossible length');
    opened.nativeEncoding = opened.bytes(length).toString('latin1');
  }
  return opened;
}

/** The text of a CHARSXP, by its encoding flags. */
export function decodeText(bytes: Buffer, levels: number, native: string | undefined): string {
  const isLatin1 = (levels & 4) !== 0;
  const isUtf8Marked = (levels & 8) !== 0 || (levels & 64) !== 0;
  if (isLatin1) return windows1252(bytes);
  if (isUtf8Marked || native === undefined || /^utf-?8$/i.test(native) || /ascii|646/i.test(native)) {
    return isUtf8(bytes) ? bytes.toString('utf8') : windows1252(bytes);
  }
  return windows1252(bytes);
}

/** R marks the Windows code page as latin1, too. */
function windows1252(bytes: Buffer): string {
  return new TextDecoder('windows-1252').decode(bytes);
}

class Binary implements SerialInput {
  nativeEncoding: string | undefined;
  readonly #content: ContentReader;
  readonly #isBig: boolean;

  constructor(content: ContentReader, order: 'BE' | 'LE') {
    this.#content = content;
    this.#isBig = order === 'BE';
  }

  get offset(): number {
    return this.#content.offset;
  }

  need(count: number, bytesPerElement: number): void {
    this.#content.need(count * bytesPerElement);
  }

  int(): number {
    return this.#isBig ? this.#content.int32BE() : this.#content.int32LE();
  }

  ints(count: number): Int32Array<ArrayBuffer> {
    const buffer = this.#content.copy(count * 4);
    if (this.#isBig) Buffer.from(buffer).swap32();
    return new Int32Array(buffer);
  }

  doubles(count: number): Float64Array<ArrayBuffer> {
    const buffer = this.#content.copy(count * 8);
    if (this.#isBig) Buffer.from(buffer).swap64();
    return new Float64Array(buffer);
  }

  bytes(count: number): Buffer {
    return this.#content.take(count);
  }

  raws(count: number): Buffer {
    return this.#content.take(count);
  }
}

const SPECIAL_DOUBLES: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, v: 11, b: 8, r: 13, f: 12, a: 7 };

/** A value a line; texts with their length before and escapes of C. */
class Ascii implements SerialInput {
  nativeEncoding: string | undefined;
  readonly #content: ContentReader;

  constructor(content: ContentReader) {
    this.#content = content;
  }

  get offset(): number {
    return this.#content.offset;
  }

  need(count: number, bytesPerElement: number): void {
    this.#content.need(count * Math.min(2, bytesPerElement));
  }

  int(): number {
    const word = this.#word();
    if (word === 'NA') return NA_INTEGER;
    if (!/^-?\d{1,10}$/.test(word)) throw new SerialError(`has "${word.slice(0, 20)}" where a number is expected`);
    return Number(word) | 0;
  }

  ints(count: number): Int32Array<ArrayBuffer> {
    this.need(count, 2);
    const values = new Int32Array(count);
    for (let i = 0; i < count; i++) values[i] = this.int();
    return values;
  }

  doubles(count: number): Float64Array<ArrayBuffer> {
    this.need(count, 2);
    const values = new Float64Array(count);
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < count; i++) {
      const word = this.#word();
      if (word === 'NA') {
        words[2 * i] = 1954;
        words[2 * i + 1] = 0x7ff00000;
        continue;
      }
      const value = SPECIAL_DOUBLES[word] ?? Number(word);
      if (Number.isNaN(value) && word !== 'NaN') throw new SerialError(`has "${word.slice(0, 20)}" as a number`);
      values[i] = value;
    }
    return values;
  }

  bytes(count: number): Buffer {
    this.need(count, 1);
    this.#skipSpace();
    const bytes = Buffer.alloc(count);
    for (let i = 0; i < count; i++) {
      const byte = this.#next();
      bytes[i] = byte === 92 ? this.#escape() : byte;
    }
    return bytes;
  }

  raws(count: number): Buffer {
    this.need(count, 2);
    return Buffer.from(Array.from({ length: count }, () => Number.parseInt(this.#word(), 16) & 0xff));
  }

  #pushed = -1;

  #next(): number {
    if (this.#pushed >= 0) {
      const byte = this.#pushed;
      this.#pushed = -1;
      return byte;
    }
    this.#content.need(1);
    return this.#content.byte();
  }

  #skipSpace(): void {
    let byte = this.#next();
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) byte = this.#next();
    this.#pushed = byte;
  }

  #word(): string {
    this.#skipSpace();
    let word = '';
    for (let byte = this.#next(); byte !== 10 && byte !== 32 && byte !== 13 && byte !== 9; ) {
      word += String.fromCharCode(byte);
      if (word.length > 128) throw new SerialError('has a word of more than 128 characters');
      if (this.#content.remaining === 0) break;
      byte = this.#next();
    }
    return word;
  }

  #escape(): number {
    const byte = this.#next();
    const letter = String.fromCharCode(byte);
    const known = ESCAPES[letter];
    if (known !== undefined) return known;
    if (letter < '0' || letter > '7') return byte;
    let value = byte - 48;
    for (let digits = 1; digits < 3; digits++) {
      const next = this.#next();
      if (next < 48 || next > 55) {
        this.#pushed = next;
        break;
      }
      value = value * 8 + next - 48;
    }
    return value & 0xff;
  }
}
