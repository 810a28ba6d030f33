import * as fs from 'node:fs';

/** What a compressed file says of itself is not true, or it ends early. */
export class CompressionError extends Error {
  override readonly name = 'CompressionError';
}

const BLOCK_BYTES = 1 << 18;

/** The bytes of an open file, one after another, in a block of memory. */
export class ByteInput {
  readonly #descriptor: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #length = 0;
  #at = 0;
  #before = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#before + this.#at;
  }

  /** The next byte; -1 at the end of the file. */
  peek(): number {
    if (this.#at >= this.#length && !this.#refill()) return -1;
    return this.#block[this.#at] ?? -1;
  }

  /** @throws CompressionError at the end of the file */
  byte(): number {
    if (this.#at >= this.#length && !this.#refill()) throw new CompressionError('unexpected end of file');
    return this.#block[this.#at++] ?? 0;
  }

  /** A copy of the next bytes. @throws CompressionError when the file has fewer */
  bytes(count: number): Buffer {
    const taken = Buffer.allocUnsafe(count);
    for (let done = 0; done < count; ) {
      if (this.#at >= this.#length && !this.#refill()) throw new CompressionError('unexpected end of file');
      const part = Math.min(count - done, this.#length - this.#at);
      this.#block.copy(taken, done, this.#at, this.#at + part);
      this.#at += part;
      done += part;
    }
    return taken;
  }

  #refill(): boolean {
    this.#before += this.#length;
    this.#length = fs.readSync(this.#descriptor, this.#block, 0, BLOCK_BYTES, null);
    this.#at = 0;
    return this.#length > 0;
  }
}
