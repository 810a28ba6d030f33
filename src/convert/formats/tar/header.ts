import { isUtf8 } from 'node:buffer';

export const BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/** What a header block says of the member that follows. */
export interface TarHeader {
  readonly name: string;
  readonly sizeBytes: number;
  /** One letter: `0` a file, `5` a folder, and what else there is. */
  readonly type: string;
}

/** A block that is no header, or one with a field that no archiver writes. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

/** True when a block has the checksum of a header: of other data it has not, but for chance. */
export function isHeader(block: Buffer): boolean {
  let wanted: number;
  try {
    wanted = octal(block, CHECKSUM_AT, CHECKSUM_BYTES);
  } catch {
    return false;
  }
  if (block.every((byte) => byte === 0)) return false;
  let sum = 0;
  let signedSum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const isOwn = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_BYTES;
    const byte = isOwn ? 0x20 : (block[i] ?? 0);
    sum += byte;
    // Some old archivers added signed bytes.
    signedSum += byte > 127 ? byte - 256 : byte;
  }
  return wanted === sum || wanted === signedSum;
}

/**
 * @throws TarError
 * @source POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar 1.34, "Basic Tar Format"
 */
export function readHeader(block: Buffer): TarHeader {
  if (!isHeader(block)) throw new TarError('the checksum of a header is wrong');
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? textOf(block, 345, 155) : '';
  const name = textOf(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: numberOf(block, 124, 12),
    type: type === '\0' || type === '7' ? '0' : type,
  };
}

/** Attributes of a pax header: `length key=value` on each line, the length that of the whole line. */
export function readAttributes(body: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? '' : body.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = body.indexOf(0x3d, space);
    if (!/^[1-9]\d{0,9}$/.test(digits) || end > body.length || body[end - 1] !== 10 || equals < 0 || equals >= end) {
      throw new TarError('an extended header does not read');
    }
    found.set(decoded(body.subarray(space + 1, equals)), decoded(body.subarray(equals + 1, end - 1)));
    at = end;
  }
  return found;
}

/** Text up to its first NUL; in Latin-1 where it is no UTF-8. */
export function decoded(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

function textOf(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return decoded(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or a number in base 256 when the first bit is set. */
function numberOf(block: Buffer, from: number, length: number): number {
  const first = block[from] ?? 0;
  if ((first & 0x80) === 0) return octal(block, from, length);
  if (first !== 0x80) throw new TarError('a header has a negative number');
  let value = 0;
  for (let i = 1; i < length; i++) value = value * 256 + (block[from + i] ?? 0);
  if (!Number.isSafeInteger(value)) throw new TarError('a header has an impossible number');
  return value;
}

function octal(block: Buffer, from: number, length: number): number {
  const text = block.toString('latin1', from, from + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(text)?.[1];
  if (digits === undefined) throw new TarError('a header has a number that is none');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
