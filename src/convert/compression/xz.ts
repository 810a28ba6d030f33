import { createHash, type Hash } from 'node:crypto';
import { type ByteInput, CompressionError } from './byte-input.js';
import { LzmaDecoder } from './lzma.js';

const LZMA2 = 0x21;
/** xz -9 needs 64 MB; larger windows only ask for memory. */
const MAX_DICTIONARY_BYTES = 2 ** 28;
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

/**
 * What an xz file holds, all its checks verified; several streams one after another are one.
 *
 * @throws CompressionError
 * @source "The .xz File Format", version 1.1.0 (2022)
 */
export function* decodeXz(input: ByteInput): Generator<Buffer> {
  do {
    const flags = readFrame(input, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
    const check = (flags[1] ?? 0) & 15;
    const blocks: (readonly [unpadded: number, content: number])[] = [];
    for (;;) {
      const headerSize = input.byte();
      if (headerSize === 0) break;
      blocks.push(yield* decodeBlock(input, headerSize, check));
    }
    const indexBytes = readIndex(input, blocks);
    const crc = input.bytes(4).readUInt32LE(0);
    const end = input.bytes(6);
    if (crc32(end) !== crc || end.readUInt32LE(0) * 4 + 4 !== indexBytes || !end.subarray(4).equals(flags)) {
      throw new CompressionError('its last bytes do not fit to its first');
    }
    if (input.byte() !== 0x59 || input.byte() !== 0x5a) throw new CompressionError('it does not end as it should');
    while (input.peek() === 0) input.byte();
  } while (input.peek() >= 0);
}

/** Magic bytes, two flags and their checksum. */
function readFrame(input: ByteInput, magic: readonly number[]): Buffer {
  if (!input.bytes(magic.length).equals(Buffer.from(magic))) throw new CompressionError('no xz stream begins here');
  const flags = input.bytes(2);
  if (input.bytes(4).readUInt32LE(0) !== crc32(flags)) throw new CompressionError('incorrect data check');
  if (flags[0] !== 0 || (flags[1] ?? 0) > 15) throw new CompressionError('its flags are not known');
  return flags;
}

function* decodeBlock(
  input: ByteInput,
  headerSize: number,
  check: number,
): Generator<Buffer, readonly [unpadded: number, content: number]> {
  const start = input.offset - 1;
  const header = Buffer.concat([Buffer.from([headerSize]), input.bytes(headerSize * 4 - 1)]);
  if (input.bytes(4).readUInt32LE(0) !== crc32(header)) throw new CompressionError('incorrect data check');
  const fields = new Varints(header, 2);
  const flags = header[1] ?? 0;
  if ((flags & 0x3f) !== 0) throw new CompressionError('a filter before compression is not supported');
  const packed = (flags & 0x40) !== 0 ? fields.next() : undefined;
  const unpacked = (flags & 0x80) !== 0 ? fields.next() : undefined;
  if (fields.next() !== LZMA2 || fields.next() !== 1) throw new CompressionError('its filter is not LZMA2');
  const decoder = new LzmaDecoder(dictionaryBytes(fields.byte()));
  const sum = checksum(check);
  const dataStart = input.offset;
  let size = 0;
  for (const block of decodeChunks(input, decoder)) {
    sum.add(block);
    size += block.length;
    yield block;
  }
  const dataSize = input.offset - dataStart;
  if ((packed ?? dataSize) !== dataSize || (unpacked ?? size) !== size) {
    throw new CompressionError('a block has another size than it says');
  }
  const unpadded = input.offset - start + (CHECK_SIZES[check] ?? 0);
  for (let pad = dataSize; pad % 4 !== 0; pad++)
    if (input.byte() !== 0) throw new CompressionError('a block is not padded with zeros');
  if (!sum.matches(input.bytes(CHECK_SIZES[check] ?? 0))) throw new CompressionError('incorrect data check');
  return [unpadded, size];
}

function dictionaryBytes(property: number): number {
  const bytes = property > 40 ? Number.POSITIVE_INFINITY : (2 | (property & 1)) * 2 ** ((property >> 1) + 11);
  if (bytes > MAX_DICTIONARY_BYTES)
    throw new CompressionError(`it asks for a window of more than ${MAX_DICTIONARY_BYTES} bytes`);
  return bytes;
}

function* decodeChunks(input: ByteInput, decoder: LzmaDecoder): Generator<Buffer> {
  let needs: 'dictionary' | 'properties' | 'nothing' = 'dictionary';
  for (;;) {
    const control = input.byte();
    if (control === 0) return;
    if (control >= 0xe0 || control === 1) {
      decoder.resetDictionary();
      needs = control === 1 ? 'properties' : 'nothing';
    } else if (needs === 'dictionary') throw new CompressionError('a block begins without a dictionary');
    if (control < 0x80) {
      if (control > 2) throw new CompressionError('a chunk is of an unknown kind');
      yield decoder.copy(input.bytes(input.bytes(2).readUInt16BE(0) + 1));
      continue;
    }
    const size = ((control & 31) << 16) + input.bytes(2).readUInt16BE(0) + 1;
    const packed = input.bytes(2).readUInt16BE(0) + 1;
    if (control >= 0xc0) {
      decoder.setProperties(input.byte());
      needs = 'nothing';
    } else if (needs === 'properties') throw new CompressionError('a chunk comes before its properties');
    else if (control >= 0xa0) decoder.resetState();
    yield decoder.decode(input.bytes(packed), size);
  }
}

/** The index repeats the sizes of all blocks. Returns its length in bytes. */
function readIndex(input: ByteInput, blocks: readonly (readonly [number, number])[]): number {
  const bytes: number[] = [0];
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 9; shift++) {
      const byte = input.byte();
      bytes.push(byte);
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw new CompressionError('its index has an impossible number');
  };
  const isWrong =
    next() !== blocks.length || blocks.some(([unpadded, content]) => next() !== unpadded || next() !== content);
  if (isWrong) throw new CompressionError('its index does not fit to its blocks');
  while (bytes.length % 4 !== 0) bytes.push(input.byte());
  if (input.bytes(4).readUInt32LE(0) !== crc32(Buffer.from(bytes))) throw new CompressionError('incorrect data check');
  return bytes.length + 4;
}

class Varints {
  readonly #bytes: Buffer;
  #at: number;
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 255;
  }

  next(): number {
    let value = 0;
    for (let shift = 0; shift < 9; shift++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    throw new CompressionError('a block has an impossible number');
  }
}

interface Checksum {
  add(block: Buffer): void;
  matches(expected: Buffer): boolean;
}

function checksum(kind: number): Checksum {
  switch (kind) {
    case 0:
      return { add: () => undefined, matches: () => true };
    case 1: {
      let crc = 0;
      return {
        add: (block) => {
          crc = crc32(block, crc);
        },
        matches: (expected) => expected.readUInt32LE(0) === crc,
      };
    }
    case 4:
      return new Crc64();
    case 10: {
      const hash: Hash = createHash('sha256');
      return { add: (block) => void hash.update(block), matches: (expected) => hash.digest().equals(expected) };
    }
    default:
      throw new CompressionError(`its check is of kind ${kind}, which is not known`);
  }
}

const CRC32_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

function crc32(bytes: Buffer, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (CRC32_TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0);
  return ~crc >>> 0;
}

/** ECMA-182, reflected, in two halves of 32 bits. */
class Crc64 implements Checksum {
  #low = 0xffffffff;
  #high = 0xffffffff;

  add(block: Buffer): void {
    let [low, high] = [this.#low, this.#high];
    for (let i = 0; i < block.length; i++) {
      const at = (low ^ (block[i] ?? 0)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[at] ?? 0);
      high = (high >>> 8) ^ (CRC64_HIGH[at] ?? 0);
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }

  matches(expected: Buffer): boolean {
    return expected.readUInt32LE(0) === ~this.#low >>> 0 && expected.readUInt32LE(4) === ~this.#high >>> 0;
  }
}

const CRC64_ENTRIES = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  return crc;
});
const CRC64_LOW = Uint32Array.from(CRC64_ENTRIES, (crc) => Number(crc & 0xffffffffn));
const CRC64_HIGH = Uint32Array.from(CRC64_ENTRIES, (crc) => Number(crc >> 32n));
