import { type ByteInput, CompressionError } from './byte-input.js';

const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;
const GROUP_LENGTH = 50;
const MAX_CODE_LENGTH = 20;
const OUTPUT_BYTES = 1 << 18;

/**
 * What a bzip2 file holds, block by block, every checksum verified. Several streams one after another are one, as
 * pbzip2 writes them.
 *
 * @throws CompressionError
 * @source bzip2 1.0.8, decompress.c; "Format specification" by J. Tsai (2016)
 */
export function* decodeBzip2(input: ByteInput): Generator<Buffer> {
  do {
    const bits = new BitInput(input);
    if (bits.take(24) !== 0x425a68) throw new CompressionError('no bzip2 stream begins here');
    const level = bits.take(8) - 0x30;
    if (level < 1 || level > 9) throw new CompressionError('the block size is unknown');
    const memory = new Uint32Array(level * 100_000);
    let combined = 0;
    for (;;) {
      const magic = [bits.take(24), bits.take(24)];
      if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) break;
      if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) {
        throw new CompressionError('a block begins with other bytes than it should');
      }
      const wanted = bits.word();
      const crc = yield* decodeBlock(bits, memory);
      if (crc !== wanted) throw new CompressionError('incorrect data check');
      combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0;
    }
    if (bits.word() !== combined) throw new CompressionError('incorrect data check');
  } while (input.peek() >= 0);
}

/** Bits of the input, the highest of each byte first. */
class BitInput {
  readonly #input: ByteInput;
  #held = 0;
  #count = 0;

  constructor(input: ByteInput) {
    this.#input = input;
  }

  /** Up to 24 bits as a number. */
  take(count: number): number {
    while (this.#count < count) {
      this.#held = ((this.#held << 8) | this.#input.byte()) & 0x7fffffff;
      this.#count += 8;
    }
    this.#count -= count;
    const taken = (this.#held >>> this.#count) & ((1 << count) - 1);
    this.#held &= (1 << this.#count) - 1;
    return taken;
  }

  word(): number {
    return this.take(16) * 65_536 + this.take(16);
  }
}

/** One Huffman code: how codes of each length are numbered. */
interface Code {
  readonly shortest: number;
  readonly limits: Int32Array;
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

/** Gives the bytes of a block and returns its checksum. */
function* decodeBlock(bits: BitInput, memory: Uint32Array): Generator<Buffer, number> {
  if (bits.take(1) !== 0) throw new CompressionError('a randomised block, as bzip2 0.9 wrote them, is not supported');
  const origin = bits.take(24);
  const { count, counts } = readSymbols(bits, memory);
  if (origin >= count) throw new CompressionError('a block begins outside itself');
  // Inverse of the Burrows-Wheeler transform: the upper 24 bits of each entry point to its successor.
  const starts = new Uint32Array(256);
  for (let value = 1; value < 256; value++) starts[value] = (starts[value - 1] ?? 0) + (counts[value - 1] ?? 0);
  for (let i = 0; i < count; i++) {
    const value = (memory[i] ?? 0) & 0xff;
    const place = starts[value] ?? 0;
    starts[value] = place + 1;
    memory[place] = ((memory[place] ?? 0) & 0xff) | (i << 8);
  }
  return yield* expandRuns(memory, count, origin);
}

/** Four equal bytes are followed by how often the byte comes again. */
function* expandRuns(memory: Uint32Array, count: number, origin: number): Generator<Buffer, number> {
  let output = Buffer.allocUnsafe(OUTPUT_BYTES);
  let filled = 0;
  let crc = 0xffffffff;
  let at = (memory[origin] ?? 0) >>> 8;
  let last = -1;
  let run = 0;
  for (let i = 0; i < count; i++) {
    const entry = memory[at] ?? 0;
    const value = entry & 0xff;
    at = entry >>> 8;
    let times = 1;
    if (run === 4) {
      times = value;
      run = 0;
    } else {
      run = value === last ? run + 1 : 1;
      last = value;
    }
    for (; times > 0; times--) {
      output[filled++] = last;
      crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ last] ?? 0);
      if (filled < OUTPUT_BYTES) continue;
      yield output;
      output = Buffer.allocUnsafe(OUTPUT_BYTES);
      filled = 0;
    }
    // After a count, a run begins anew.
    if (run === 0) last = -1;
  }
  if (filled > 0) yield output.subarray(0, filled);
  return ~crc >>> 0;
}

/** Huffman codes, move-to-front and runs undone: the block's bytes, sorted by what follows them. */
function readSymbols(bits: BitInput, memory: Uint32Array): { readonly count: number; readonly counts: Uint32Array } {
  const used = usedBytes(bits);
  const symbolCount = used.length + 2;
  const codeCount = bits.take(3);
  if (codeCount < 2 || codeCount > 6) throw new CompressionError('a block has an impossible number of codes');
  const selectors = readSelectors(bits, codeCount);
  const codes = Array.from({ length: codeCount }, () => readCode(bits, symbolCount));
  const order = Uint8Array.from(used);
  const counts = new Uint32Array(256);
  const end = symbolCount - 1;
  let count = 0;
  let run = 0;
  let weight = 1;
  for (let position = 0; ; position++) {
    const code = codes[selectors[Math.floor(position / GROUP_LENGTH)] ?? -1];
    if (code === undefined) throw new CompressionError('a block has more symbols than it announced');
    const symbol = readSymbol(bits, code);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > memory.length) throw new CompressionError('a block is longer than it may be');
      continue;
    }
    if (run > 0) {
      const value = order[0] ?? 0;
      if (count + run > memory.length) throw new CompressionError('a block is longer than it may be');
      memory.fill(value, count, count + run);
      counts[value] = (counts[value] ?? 0) + run;
      count += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) break;
    if (count >= memory.length) throw new CompressionError('a block is longer than it may be');
    const from = symbol - 1;
    const value = order[from] ?? 0;
    order.copyWithin(1, 0, from);
    order[0] = value;
    memory[count++] = value;
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return { count, counts };
}

/** The bytes that occur in a block, from a map in two levels. */
function usedBytes(bits: BitInput): readonly number[] {
  const groups = bits.take(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.take(16);
    for (let i = 0; i < 16; i++) if ((members & (0x8000 >> i)) !== 0) used.push(group * 16 + i);
  }
  if (used.length === 0) throw new CompressionError('a block uses no bytes');
  return used;
}

/** Which code each group of 50 symbols is written in. */
function readSelectors(bits: BitInput, codeCount: number): Uint8Array {
  const selectorCount = bits.take(15);
  if (selectorCount === 0) throw new CompressionError('a block has no groups');
  const order = Uint8Array.from({ length: codeCount }, (_, i) => i);
  const selectors = new Uint8Array(selectorCount);
  for (let i = 0; i < selectorCount; i++) {
    let from = 0;
    while (bits.take(1) === 1) if (++from >= codeCount) throw new CompressionError('a group has no code');
    const value = order[from] ?? 0;
    order.copyWithin(1, 0, from);
    order[0] = value;
    selectors[i] = value;
  }
  return selectors;
}

function readCode(bits: BitInput, symbolCount: number): Code {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.take(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_LENGTH) throw new CompressionError('a code has an impossible length');
      if (bits.take(1) === 0) break;
      length += bits.take(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const limits = new Int32Array(MAX_CODE_LENGTH + 2).fill(-1);
  const bases = new Int32Array(MAX_CODE_LENGTH + 2);
  const symbols = new Uint16Array(symbolCount);
  let shortest = MAX_CODE_LENGTH;
  let next = 0;
  let placed = 0;
  for (let bitsOfCode = 1; bitsOfCode <= MAX_CODE_LENGTH; bitsOfCode++) {
    bases[bitsOfCode] = placed - next;
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      if (lengths[symbol] !== bitsOfCode) continue;
      symbols[placed++] = symbol;
      next++;
      shortest = Math.min(shortest, bitsOfCode);
    }
    limits[bitsOfCode] = next - 1;
    next <<= 1;
  }
  return { shortest, limits, bases, symbols };
}

function readSymbol(bits: BitInput, code: Code): number {
  let length = code.shortest;
  let value = bits.take(length);
  while (value > (code.limits[length] ?? -1)) {
    if (++length > MAX_CODE_LENGTH) throw new CompressionError('a symbol has no code');
    value = (value << 1) | bits.take(1);
  }
  return code.symbols[value + (code.bases[length] ?? 0)] ?? 0;
}

/** CRC-32 with the highest bit first, polynomial 0x04c11db7. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
