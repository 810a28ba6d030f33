import { CompressionError } from './byte-input.js';

const STATES = 12;
const BIT_HALF = 1024;
const TOP = 2 ** 24;
const LENGTH_PROBABILITIES = 2 + 16 * 8 * 2 + 256;
const MATCH_START = 0;
const REP = MATCH_START + (STATES << 4);
const REP_G0 = REP + STATES;
const REP_G1 = REP_G0 + STATES;
const REP_G2 = REP_G1 + STATES;
const REP_0_LONG = REP_G2 + STATES;
const SLOT = REP_0_LONG + (STATES << 4);
const SPECIAL = SLOT + 4 * 64;
const ALIGN = SPECIAL + 115;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + LENGTH_PROBABILITIES;
const LITERAL = REP_LENGTH + LENGTH_PROBABILITIES;

/** Room for what one chunk gives beside the window. */
const CHUNK_BYTES = 1 << 21;

/**
 * LZMA as LZMA2 chunks use it: a window of what was decoded, a range coder, and probabilities that adapt.
 *
 * @source I. Pavlov, "LZMA specification" (2015); XZ Utils, lzma_decoder.c
 */
export class LzmaDecoder {
  readonly #window: Buffer;
  readonly #dictionaryBytes: number;
  /** Where the next byte goes, and how many since the dictionary was reset. */
  #at = 0;
  #total = 0;
  #probabilities = new Uint16Array(0);
  #literalContextBits = 0;
  #literalPositionMask = 0;
  #positionMask = 0;
  #state = 0;
  #reps = new Uint32Array(4);
  #input: Buffer = Buffer.alloc(0);
  #next = 0;
  #range = 0;
  #code = 0;

  constructor(dictionaryBytes: number) {
    this.#dictionaryBytes = dictionaryBytes;
    this.#window = Buffer.alloc(2 * dictionaryBytes + CHUNK_BYTES);
  }

  resetDictionary(): void {
    this.#at = 0;
    this.#total = 0;
  }

  /** @param properties  the byte that holds lc, lp and pb */
  setProperties(properties: number): void {
    const lc = properties % 9;
    const rest = Math.floor(properties / 9);
    const lp = rest % 5;
    const pb = Math.floor(rest / 5);
    if (pb > 4 || lc + lp > 4) throw new CompressionError('a chunk has impossible properties');
    this.#literalContextBits = lc;
    this.#literalPositionMask = (1 << lp) - 1;
    this.#positionMask = (1 << pb) - 1;
    this.#probabilities = new Uint16Array(LITERAL + (0x300 << (lc + lp)));
    this.resetState();
  }

  resetState(): void {
    this.#probabilities.fill(BIT_HALF);
    this.#state = 0;
    this.#reps.fill(0);
  }

  /** Bytes that stand in the file as they are. */
  copy(bytes: Buffer): Buffer {
    this.#makeRoom(bytes.length);
    bytes.copy(this.#window, this.#at);
    this.#at += bytes.length;
    this.#total += bytes.length;
    return Buffer.from(this.#window.subarray(this.#at - bytes.length, this.#at));
  }

  /** One chunk: exactly so many bytes from exactly this input. */
  decode(input: Buffer, byteCount: number): Buffer {
    if (this.#probabilities.length === 0) throw new CompressionError('a chunk comes before its properties');
    this.#makeRoom(byteCount);
    this.#input = input;
    this.#next = 5;
    this.#range = 0xffffffff;
    this.#code = input.length < 5 ? 0 : input.readUInt32BE(1);
    if (input.length < 5 || input[0] !== 0)
      throw new CompressionError('a chunk begins with other bytes than it should');
    const start = this.#at;
    const end = start + byteCount;
    while (this.#at < end) this.#symbol(end);
    if (this.#next !== input.length || this.#code !== 0)
      throw new CompressionError('a chunk ends at another place than it says');
    return Buffer.from(this.#window.subarray(start, end));
  }

  #makeRoom(byteCount: number): void {
    if (this.#at + byteCount <= this.#window.length) return;
    const kept = Math.min(this.#at, this.#dictionaryBytes);
    this.#window.copyWithin(0, this.#at - kept, this.#at);
    this.#at = kept;
  }

  #symbol(end: number): void {
    const state = this.#state;
    const position = this.#total & this.#positionMask;
    if (this.#bit(MATCH_START + (state << 4) + position) === 0) {
      this.#literal();
      return;
    }
    const reps = this.#reps;
    let length: number;
    if (this.#bit(REP + state) === 0) {
      reps[3] = reps[2] ?? 0;
      reps[2] = reps[1] ?? 0;
      reps[1] = reps[0] ?? 0;
      length = this.#length(LENGTH, position);
      this.#state = state < 7 ? 7 : 10;
      reps[0] = this.#distance(length);
    } else {
      if (this.#bit(REP_G0 + state) === 0) {
        if (this.#bit(REP_0_LONG + (state << 4) + position) === 0) {
          this.#state = state < 7 ? 9 : 11;
          this.#repeat(1, end);
          return;
        }
      } else {
        let distance = reps[1] ?? 0;
        if (this.#bit(REP_G1 + state) !== 0) {
          distance = reps[2] ?? 0;
          if (this.#bit(REP_G2 + state) !== 0) {
            distance = reps[3] ?? 0;
            reps[3] = reps[2] ?? 0;
          }
          reps[2] = reps[1] ?? 0;
        }
        reps[1] = reps[0] ?? 0;
        reps[0] = distance;
      }
      length = this.#length(REP_LENGTH, position);
      this.#state = state < 7 ? 8 : 11;
    }
    this.#repeat(length + 2, end);
  }

  #literal(): void {
    const previous = this.#total === 0 ? 0 : (this.#window[this.#at - 1] ?? 0);
    const context =
      ((this.#total & this.#literalPositionMask) << this.#literalContextBits) +
      (previous >> (8 - this.#literalContextBits));
    const base = LITERAL + 0x300 * context;
    const state = this.#state;
    let symbol = 1;
    if (state >= 7) {
      const distance = (this.#reps[0] ?? 0) + 1;
      if (distance > this.#total) throw new CompressionError('a match lies before the beginning');
      let match = this.#window[this.#at - distance] ?? 0;
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    this.#window[this.#at++] = symbol & 0xff;
    this.#total++;
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  #repeat(length: number, end: number): void {
    const distance = (this.#reps[0] ?? 0) + 1;
    if (distance > this.#total || distance > this.#dictionaryBytes) {
      throw new CompressionError('a match lies before the beginning');
    }
    if (this.#at + length > end) throw new CompressionError('a match goes on beyond its chunk');
    const window = this.#window;
    let at = this.#at;
    for (const to = at + length; at < to; at++) window[at] = window[at - distance] ?? 0;
    this.#at = at;
    this.#total += length;
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + 2 + (position << 3), 3);
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + 2 + 128 + (position << 3), 3);
    return 16 + this.#tree(base + 2 + 256, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(SLOT + (Math.min(length, 3) << 6), 6);
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    const start = ((2 | (slot & 1)) << directBits) >>> 0;
    if (slot < 14) return start + this.#reverseTree(SPECIAL + start - slot, directBits);
    let direct = 0;
    for (let i = directBits - 4; i > 0; i--) {
      this.#range >>>= 1;
      const isSet = this.#code >= this.#range;
      if (isSet) this.#code -= this.#range;
      direct = direct * 2 + (isSet ? 1 : 0);
      this.#normalize();
    }
    return (start + direct * 16 + this.#reverseTree(ALIGN, 4)) >>> 0;
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #bit(index: number): 0 | 1 {
    const probability = this.#probabilities[index] ?? BIT_HALF;
    const bound = (this.#range >>> 11) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >> 5);
      if (bound < TOP) this.#normalize();
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    this.#probabilities[index] = probability - (probability >> 5);
    if (this.#range < TOP) this.#normalize();
    return 1;
  }

  #normalize(): void {
    if (this.#range >= TOP) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | (this.#input[this.#next++] ?? 0)) >>> 0;
  }
}
