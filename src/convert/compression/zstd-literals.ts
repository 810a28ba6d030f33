import { CompressionError } from './byte-input.js';
import { BackwardBits, readStateTable } from './zstd-bits.js';

const MAX_CODE_BITS = 11;

/** A Huffman code: for each value of so many bits the byte, and how many of them it takes. */
export interface LiteralCode {
  readonly maxBits: number;
  readonly values: Uint8Array;
  readonly lengths: Uint8Array;
}

export interface Literals {
  readonly bytes: Uint8Array;
  readonly code: LiteralCode | undefined;
  /** Where the sequences begin. */
  readonly end: number;
}

/**
 * The literals of a block: stored, one byte repeated, or in a Huffman code, given or that of the block before.
 *
 * @source RFC 8878, sections 3.1.1.3.1 and 4.2
 */
export function readLiterals(block: Uint8Array, before: LiteralCode | undefined, maxBytes: number): Literals {
  const at = (i: number): number => block[i] ?? 0;
  const kind = at(0) & 3;
  const format = (at(0) >> 2) & 3;
  if (kind < 2) {
    const headBytes = [1, 2, 1, 3][format] ?? 1;
    const size = headBytes === 1 ? at(0) >> 3 : (at(0) >> 4) | (at(1) << 4) | (headBytes === 3 ? at(2) << 12 : 0);
    const stored = kind === 0 ? size : 1;
    check(size <= maxBytes && headBytes + stored <= block.length);
    const bytes =
      kind === 0 ? block.subarray(headBytes, headBytes + size) : new Uint8Array(size).fill(block[headBytes] ?? 0);
    return { bytes, code: before, end: headBytes + stored };
  }
  const headBytes = [3, 3, 4, 5][format] ?? 3;
  const sizeBits = [10, 10, 14, 18][format] ?? 10;
  const head = at(0) + at(1) * 2 ** 8 + at(2) * 2 ** 16 + at(3) * 2 ** 24 + at(4) * 2 ** 32;
  const size = Math.floor(head / 16) % 2 ** sizeBits;
  const stored = Math.floor(head / 2 ** (4 + sizeBits)) % 2 ** sizeBits;
  const end = headBytes + stored;
  check(size <= maxBytes && end <= block.length);
  const packed = block.subarray(headBytes, end);
  const described = kind === 2 ? readCode(packed) : { code: before, end: 0 };
  const { code } = described;
  if (code === undefined) throw new CompressionError('a block repeats a code that no block gave');
  const bytes = new Uint8Array(size);
  const streams = packed.subarray(described.end);
  if (format === 0) decode(streams, bytes, code);
  else decodeFour(streams, bytes, code);
  return { bytes, code, end };
}

function decodeFour(streams: Uint8Array, bytes: Uint8Array, code: LiteralCode): void {
  check(streams.length >= 6);
  const quarter = (bytes.length + 3) >> 2;
  check(quarter * 3 <= bytes.length);
  let from = 6;
  for (let i = 0; i < 4; i++) {
    const to = i === 3 ? streams.length : from + (streams[i * 2] ?? 0) + (streams[i * 2 + 1] ?? 0) * 256;
    check(to <= streams.length && from < to);
    decode(streams.subarray(from, to), bytes.subarray(quarter * i, i === 3 ? bytes.length : quarter * (i + 1)), code);
    from = to;
  }
}

function decode(stream: Uint8Array, bytes: Uint8Array, code: LiteralCode): void {
  const bits = new BackwardBits(stream);
  const { maxBits, values, lengths } = code;
  for (let i = 0; i < bytes.length; i++) {
    const index = bits.peek(maxBits);
    bytes[i] = values[index] ?? 0;
    bits.left -= lengths[index] ?? 0;
    // A hostile stream would be read far beyond its beginning.
    if (bits.left < 0) break;
  }
  if (bits.left !== 0) throw new CompressionError('a stream of literals has another length than it should');
}

function readCode(bytes: Uint8Array): { readonly code: LiteralCode; readonly end: number } {
  const head = bytes[0] ?? 0;
  const weights: number[] = [];
  let end = 1;
  if (head >= 128) {
    const count = head - 127;
    end += (count + 1) >> 1;
    check(end <= bytes.length);
    for (let i = 0; i < count; i++) {
      const pair = bytes[1 + (i >> 1)] ?? 0;
      weights.push(i % 2 === 0 ? pair >> 4 : pair & 15);
    }
  } else {
    end += head;
    check(head > 0 && end <= bytes.length);
    readWeights(bytes.subarray(1, end), weights);
  }
  return { code: codeOf(weights), end };
}

/** Weights come from two machines in turn, until the bits are used up. */
function readWeights(bytes: Uint8Array, weights: number[]): void {
  const { table, end } = readStateTable(bytes, 0, { maxLog: 6, maxSymbol: MAX_CODE_BITS + 1 });
  const bits = new BackwardBits(bytes.subarray(end));
  const states = [bits.take(table.log), bits.take(table.log)];
  check(bits.left >= 0);
  for (let turn = 0; ; turn = 1 - turn) {
    const state = states[turn] ?? 0;
    weights.push(table.symbols[state] ?? 0);
    states[turn] = (table.bases[state] ?? 0) + bits.take(table.bitCounts[state] ?? 0);
    if (weights.length > 255) throw new CompressionError('a code has too many symbols');
    if (bits.left >= 0) continue;
    weights.push(table.symbols[states[1 - turn] ?? 0] ?? 0);
    return;
  }
}

/** The weight of the last symbol is what is missing to a power of two. */
function codeOf(weights: readonly number[]): LiteralCode {
  let sum = 0;
  for (const weight of weights) {
    check(weight <= MAX_CODE_BITS);
    if (weight > 0) sum += 1 << (weight - 1);
  }
  check(sum > 0);
  const maxBits = 32 - Math.clz32(sum);
  const missing = (1 << maxBits) - sum;
  check(maxBits <= MAX_CODE_BITS && (missing & (missing - 1)) === 0 && weights.length < 256);
  const all = [...weights, 32 - Math.clz32(missing)];
  const values = new Uint8Array(1 << maxBits);
  const lengths = new Uint8Array(1 << maxBits);
  let at = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    for (const [symbol, own] of all.entries()) {
      if (own !== weight) continue;
      const count = 1 << (weight - 1);
      values.fill(symbol, at, at + count);
      lengths.fill(maxBits + 1 - weight, at, at + count);
      at += count;
    }
  }
  check(at === 1 << maxBits);
  return { maxBits, values, lengths };
}

function check(isSo: boolean): void {
  if (!isSo) throw new CompressionError('the literals of a block are damaged');
}
