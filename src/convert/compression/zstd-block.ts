import { CompressionError } from './byte-input.js';
import { BackwardBits, constantTable, readStateTable, type StateTable, stateTable } from './zstd-bits.js';
import { type LiteralCode, readLiterals } from './zstd-literals.js';

/** How a number is written: a symbol gives its base, and how many bits are added to it. */
interface NumberCode {
  readonly maxLog: number;
  readonly bases: readonly number[];
  readonly extraBits: readonly number[];
  readonly predefined: StateTable;
}

/** Symbols up to `plain` stand for themselves plus `first`; each later one begins where the one before ends. */
function numberCode(
  maxLog: number,
  numbers: { readonly plain: number; readonly first: number; readonly extra: readonly number[] },
  predefined: StateTable,
): NumberCode {
  const extraBits = [...new Array<number>(numbers.plain).fill(0), ...numbers.extra];
  const bases: number[] = [];
  let base = numbers.first;
  for (const bits of extraBits) {
    bases.push(base);
    base += 2 ** bits;
  }
  return { maxLog, bases, extraBits, predefined };
}

const LITERAL_LENGTHS = numberCode(
  9,
  { plain: 16, first: 0, extra: [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] },
  stateTable(
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
    6,
  ),
);
const MATCH_LENGTHS = numberCode(
  9,
  { plain: 32, first: 3, extra: [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] },
  stateTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), ...new Array<number>(7).fill(-1)], 6),
);
const MAX_OFFSET_CODE = 31;
const OFFSETS: NumberCode = {
  maxLog: 8,
  bases: Array.from({ length: MAX_OFFSET_CODE + 1 }, (_, bits) => 2 ** bits),
  extraBits: Array.from({ length: MAX_OFFSET_CODE + 1 }, (_, bits) => bits),
  predefined: stateTable([1, 1, 1, 1, 1, 1, 2, 2, 2, ...new Array<number>(15).fill(1), -1, -1, -1, -1, -1], 5),
};
/** In the order of their modes in a block. */
const CODES = [LITERAL_LENGTHS, OFFSETS, MATCH_LENGTHS] as const;

/** The blocks of one frame: what each may refer to is kept, up to the frame's window. */
export class ZstdBlocks {
  readonly #windowBytes: number;
  readonly #blockBytes: number;
  readonly #maxBytes: number;
  #history: Uint8Array;
  #filled = 0;
  #literalCode: LiteralCode | undefined;
  readonly #tables: (StateTable | undefined)[] = [undefined, undefined, undefined];
  /** The last three offsets, the latest first. */
  #offsets: readonly [number, number, number] = [1, 4, 8];

  constructor(windowBytes: number, blockBytes: number) {
    this.#windowBytes = windowBytes;
    this.#blockBytes = blockBytes;
    this.#maxBytes = windowBytes + Math.max(windowBytes >> 1, 8 * blockBytes);
    this.#history = new Uint8Array(Math.min(this.#maxBytes, 1 << 20));
  }

  raw(bytes: Buffer): Buffer {
    this.#makeRoom();
    this.#history.set(bytes, this.#filled);
    this.#filled += bytes.length;
    return bytes;
  }

  compressed(block: Uint8Array): Buffer {
    this.#makeRoom();
    const from = this.#filled;
    const literals = readLiterals(block, this.#literalCode, this.#blockBytes);
    this.#literalCode = literals.code;
    const rest = this.#sequences(block, literals.end, literals.bytes);
    this.#append(literals.bytes.subarray(rest), from);
    return Buffer.from(this.#history.subarray(from, this.#filled));
  }

  /** Carries the sequences out. @returns how many literals they used */
  #sequences(block: Uint8Array, from: number, literals: Uint8Array): number {
    const { count, at } = sequenceCount(block, from);
    if (count === 0) {
      if (at !== block.length) throw damaged();
      return 0;
    }
    const modes = block[at] ?? 0;
    if ((modes & 3) !== 0 || at >= block.length) throw damaged();
    let next = at + 1;
    for (const [i, code] of CODES.entries())
      next = this.#readTable(i, { code, mode: (modes >> (6 - 2 * i)) & 3, block, next });
    const [lengthTable, offsetTable, matchTable] = this.#tables;
    if (lengthTable === undefined || offsetTable === undefined || matchTable === undefined) throw damaged();
    const bits = new BackwardBits(block.subarray(next));
    let lengthState = bits.take(lengthTable.log);
    let offsetState = bits.take(offsetTable.log);
    let matchState = bits.take(matchTable.log);
    const blockStart = this.#filled;
    let used = 0;
    for (let left = count; left > 0; left--) {
      const offsetValue = numberOf(OFFSETS, offsetTable.symbols[offsetState] ?? 0, bits);
      const matchBytes = numberOf(MATCH_LENGTHS, matchTable.symbols[matchState] ?? 0, bits);
      const literalBytes = numberOf(LITERAL_LENGTHS, lengthTable.symbols[lengthState] ?? 0, bits);
      if (left > 1) {
        lengthState = follow(lengthTable, lengthState, bits);
        matchState = follow(matchTable, matchState, bits);
        offsetState = follow(offsetTable, offsetState, bits);
      }
      if (bits.left < 0 || used + literalBytes > literals.length) throw damaged();
      this.#append(literals.subarray(used, used + literalBytes), blockStart);
      used += literalBytes;
      this.#copy(this.#offsetOf(offsetValue, literalBytes), matchBytes, blockStart);
    }
    if (bits.left !== 0) throw damaged();
    return used;
  }

  #readTable(
    i: number,
    part: { readonly code: NumberCode; readonly mode: number; readonly block: Uint8Array; readonly next: number },
  ): number {
    const { code, mode, block, next } = part;
    const maxSymbol = code.bases.length - 1;
    if (mode === 0) this.#tables[i] = code.predefined;
    else if (mode === 1) {
      const symbol = block[next] ?? 255;
      if (symbol > maxSymbol) throw damaged();
      this.#tables[i] = constantTable(symbol);
      return next + 1;
    } else if (mode === 2) {
      const { table, end } = readStateTable(block, next, { maxLog: code.maxLog, maxSymbol });
      this.#tables[i] = table;
      return end;
    }
    return next;
  }

  /** Small values stand for an offset that was used before. */
  #offsetOf(value: number, literalBytes: number): number {
    const [first, second, third] = this.#offsets;
    if (value > 3) {
      this.#offsets = [value - 3, first, second];
      return value - 3;
    }
    switch (value + (literalBytes === 0 ? 1 : 0)) {
      case 1:
        return first;
      case 2:
        this.#offsets = [second, first, third];
        return second;
      case 3:
        this.#offsets = [third, first, second];
        return third;
      default:
        this.#offsets = [first - 1, first, second];
        return first - 1;
    }
  }

  #append(bytes: Uint8Array, blockStart: number): void {
    if (this.#filled + bytes.length - blockStart > this.#blockBytes) throw damaged();
    this.#history.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #copy(offset: number, byteCount: number, blockStart: number): void {
    const to = this.#filled;
    if (to + byteCount - blockStart > this.#blockBytes) throw damaged();
    if (offset <= 0 || offset > to || offset > this.#windowBytes) {
      throw new CompressionError('a block refers to what is before the beginning');
    }
    const history = this.#history;
    if (offset >= byteCount) history.copyWithin(to, to - offset, to - offset + byteCount);
    // It repeats what it has just written.
    else for (let i = to; i < to + byteCount; i++) history[i] = history[i - offset] ?? 0;
    this.#filled = to + byteCount;
  }

  /** One more block finds room behind the window. */
  #makeRoom(): void {
    const needed = this.#filled + this.#blockBytes;
    if (needed <= this.#history.length) return;
    if (this.#history.length < this.#maxBytes) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#history.length * 2)));
      larger.set(this.#history.subarray(0, this.#filled));
      this.#history = larger;
      if (needed <= larger.length) return;
    }
    const kept = Math.min(this.#filled, this.#windowBytes);
    this.#history.copyWithin(0, this.#filled - kept, this.#filled);
    this.#filled = kept;
  }
}

function sequenceCount(block: Uint8Array, from: number): { readonly count: number; readonly at: number } {
  const at = (i: number): number => block[from + i] ?? 0;
  if (from >= block.length) throw damaged();
  if (at(0) < 128) return { count: at(0), at: from + 1 };
  if (at(0) < 255) return { count: ((at(0) - 128) << 8) + at(1), at: from + 2 };
  return { count: at(1) + (at(2) << 8) + 0x7f00, at: from + 3 };
}

function numberOf(code: NumberCode, symbol: number, bits: BackwardBits): number {
  const extra = code.extraBits[symbol];
  if (extra === undefined) throw damaged();
  return (code.bases[symbol] ?? 0) + (extra === 0 ? 0 : bits.takeLong(extra));
}

function follow(table: StateTable, state: number, bits: BackwardBits): number {
  return (table.bases[state] ?? 0) + bits.take(table.bitCounts[state] ?? 0);
}

function damaged(): CompressionError {
  return new CompressionError('the sequences of a block are damaged');
}
