import { CompressionError } from './byte-input.js';

/** Bits that were written forwards and are read from their end: the last set bit of all says where that is. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  /** How many bits are left; below 0 when more were read than there are. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes[bytes.length - 1] ?? 0;
    if (last === 0) throw new CompressionError('a stream of bits does not end');
    this.#bytes = bytes;
    this.left = bytes.length * 8 - 8 + (31 - Math.clz32(last));
  }

  /** Up to 24 bits; those before the beginning are 0. */
  peek(count: number): number {
    const from = this.left - count;
    if (from < 0) return count + from <= 0 ? 0 : (this.#word(0) & ((1 << (count + from)) - 1)) << -from;
    return (this.#word(from >> 3) >>> (from & 7)) & ((1 << count) - 1);
  }

  take(count: number): number {
    const taken = this.peek(count);
    this.left -= count;
    return taken;
  }

  /** Up to 32 bits. */
  takeLong(count: number): number {
    if (count <= 24) return this.take(count);
    const high = this.take(count - 16);
    return high * 65_536 + this.take(16);
  }

  #word(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  }
}

/** A table of a finite state machine: for each state its symbol, and how the next one is found. */
export interface StateTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
  readonly bases: Uint16Array;
}

/**
 * Builds the states from how often each symbol occurs (-1: less than once).
 *
 * @source RFC 8878, section 4.1.1
 */
export function stateTable(counts: readonly number[], log: number): StateTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (const [symbol, count] of counts.entries()) {
    if (count !== -1) continue;
    symbols[--high] = symbol;
    next[symbol] = 1;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, count] of counts.entries()) {
    if (count <= 0) continue;
    next[symbol] = count;
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  if (at !== 0) throw new CompressionError('a table of states does not close');
  const bitCounts = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] ?? 0;
    const value = next[symbol] ?? 1;
    next[symbol] = value + 1;
    const bitCount = log - (31 - Math.clz32(value));
    bitCounts[state] = bitCount;
    bases[state] = (value << bitCount) - size;
  }
  return { log, symbols, bitCounts, bases };
}

/** The table whose only symbol needs no bits. */
export function constantTable(symbol: number): StateTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bitCounts: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** Reads a table's description, forwards. @returns the table, and where its description ends */
export function readStateTable(
  bytes: Uint8Array,
  from: number,
  limits: { readonly maxLog: number; readonly maxSymbol: number },
): { readonly table: StateTable; readonly end: number } {
  let position = from * 8;
  const peek = (count: number): number => {
    const at = position >> 3;
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    return (word >> (position & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  position += 4;
  if (log > limits.maxLog) throw new CompressionError('a table of states is too large');
  const counts: number[] = [];
  for (let remaining = 1 << log; remaining > 0; ) {
    if (counts.length > limits.maxSymbol || position > bytes.length * 8) {
      throw new CompressionError('a table of states has too many symbols');
    }
    const bits = 32 - Math.clz32(remaining + 1);
    const low = (1 << (bits - 1)) - 1;
    const threshold = (1 << bits) - 1 - (remaining + 1);
    let value = peek(bits);
    if ((value & low) < threshold) {
      value &= low;
      position += bits - 1;
    } else {
      if (value > low) value -= threshold;
      position += bits;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    if (count !== 0) continue;
    for (let repeat = 3; repeat === 3; ) {
      repeat = peek(2);
      position += 2;
      for (let i = 0; i < repeat; i++) counts.push(0);
      if (counts.length > limits.maxSymbol + 1) throw new CompressionError('a table of states has too many symbols');
    }
  }
  const end = (position + 7) >> 3;
  if (end > bytes.length) throw new CompressionError('a block ends inside a table');
  return { table: stateTable(counts, log), end };
}
