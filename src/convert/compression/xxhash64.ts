/** Two halves of 64 bits, the low one first. Numbers of 32 bits are four times as fast as bigints here. */
type Word = readonly [low: number, high: number];

const P1: Word = [0x85ebca87, 0x9e3779b1];
const P2: Word = [0x27d4eb4f, 0xc2b2ae3d];
const P3: Word = [0x9e3779f9, 0x165667b1];
const P4: Word = [0xc2b2ae63, 0x85ebca77];
const P5: Word = [0x165667c5, 0x27d4eb2f];
const STRIPE_BYTES = 32;

/**
 * XXH64 with seed 0, a block at a time.
 *
 * @source "xxHash fast digest algorithm", version 0.1.1, by Y. Collet
 */
export class XxHash64 {
  readonly #lanes: Word[] = [add(P1, P2), P2, [0, 0], negate(P1)];
  readonly #held = Buffer.alloc(STRIPE_BYTES);
  #heldBytes = 0;
  #total = 0;

  add(block: Buffer): void {
    this.#total += block.length;
    let at = 0;
    if (this.#heldBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#heldBytes, block.length);
      block.copy(this.#held, this.#heldBytes, 0, at);
      this.#heldBytes += at;
      if (this.#heldBytes < STRIPE_BYTES) return;
      this.#stripes(this.#held, 0, STRIPE_BYTES);
    }
    const whole = block.length - ((block.length - at) % STRIPE_BYTES);
    this.#stripes(block, at, whole);
    block.copy(this.#held, 0, whole);
    this.#heldBytes = block.length - whole;
  }

  /** The lower half of the digest, as Zstandard stores it. */
  low32(): number {
    const [a = P1, b = P1, c = P1, d = P1] = this.#lanes;
    let hash: Word;
    if (this.#total < STRIPE_BYTES) hash = P5;
    else {
      hash = add(add(rotate(a, 1), rotate(b, 7)), add(rotate(c, 12), rotate(d, 18)));
      for (const lane of [a, b, c, d]) hash = add(multiply(xor(hash, round([0, 0], lane)), P1), P4);
    }
    hash = add(hash, [this.#total >>> 0, Math.floor(this.#total / 2 ** 32)]);
    let at = 0;
    for (; at + 8 <= this.#heldBytes; at += 8) {
      const word: Word = [this.#held.readUInt32LE(at), this.#held.readUInt32LE(at + 4)];
      hash = add(multiply(rotate(xor(hash, round([0, 0], word)), 27), P1), P4);
    }
    if (at + 4 <= this.#heldBytes) {
      hash = add(multiply(rotate(xor(hash, multiply([this.#held.readUInt32LE(at), 0], P1)), 23), P2), P3);
      at += 4;
    }
    for (; at < this.#heldBytes; at++)
      hash = multiply(rotate(xor(hash, multiply([this.#held[at] ?? 0, 0], P5)), 11), P1);
    hash = multiply(xor(hash, shiftRight(hash, 33)), P2);
    hash = multiply(xor(hash, shiftRight(hash, 29)), P3);
    return (hash[0] ^ hash[1]) >>> 0;
  }

  #stripes(block: Buffer, from: number, to: number): void {
    const lanes = this.#lanes;
    for (let at = from; at < to; at += STRIPE_BYTES) {
      for (let i = 0; i < 4; i++) {
        const word: Word = [block.readUInt32LE(at + 8 * i), block.readUInt32LE(at + 8 * i + 4)];
        lanes[i] = round(lanes[i] ?? P1, word);
      }
    }
  }
}

function round(lane: Word, word: Word): Word {
  return multiply(rotate(add(lane, multiply(word, P2)), 31), P1);
}

function add(a: Word, b: Word): Word {
  const low = (a[0] >>> 0) + (b[0] >>> 0);
  return [low >>> 0, (a[1] + b[1] + (low > 0xffffffff ? 1 : 0)) >>> 0];
}

function negate(a: Word): Word {
  return add([~a[0] >>> 0, ~a[1] >>> 0], [1, 0]);
}

function xor(a: Word, b: Word): Word {
  return [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];
}

/** The lower 64 bits of the product. */
function multiply(a: Word, b: Word): Word {
  const a0 = a[0] & 0xffff;
  const a1 = a[0] >>> 16;
  const b0 = b[0] & 0xffff;
  const b1 = b[0] >>> 16;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const cross = a0 * b1 + (middle & 0xffff);
  const carried = a1 * b1 + Math.floor(middle / 65_536) + Math.floor(cross / 65_536);
  const high = (carried + Math.imul(a[0], b[1]) + Math.imul(a[1], b[0])) >>> 0;
  return [(((cross & 0xffff) << 16) | (low & 0xffff)) >>> 0, high];
}

function rotate(a: Word, bits: number): Word {
  return [((a[0] << bits) | (a[1] >>> (32 - bits))) >>> 0, ((a[1] << bits) | (a[0] >>> (32 - bits))) >>> 0];
}

/** By 29 to 33 bits. */
function shiftRight(a: Word, bits: number): Word {
  if (bits >= 32) return [bits === 32 ? a[1] : a[1] >>> (bits - 32), 0];
  return [((a[0] >>> bits) | (a[1] << (32 - bits))) >>> 0, a[1] >>> bits];
}
