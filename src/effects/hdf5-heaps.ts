import * as fs from 'node:fs';

/** A collection of texts: its signature, version 1, and three reserved bytes. */
const BEGINNING = Buffer.from('GCOL\x01\0\0\0', 'latin1');
const HEAD_BYTES = 16;
const MIN_BYTES = 4096;
/** HDF5 asks for a collection in pieces of this size or less; larger reads are data. */
const MAX_READ_BYTES = 1 << 20;

/**
 * Looks at each collection of texts before HDF5 does. HDF5 2.0 walks from object to object by the sizes that these say,
 * and one that says 0 keeps it walking for ever; nothing can interrupt it, since it runs inside WebAssembly.
 *
 * @source HDF5 File Format Specification 3.0, section III.E, "Global Heap"
 */
export class HeapGuard {
  readonly #descriptor: number;
  readonly #sizeBytes: number;
  readonly #sound = new Set<number>();
  /** What was found wrong, in words. */
  problem: string | undefined;

  constructor(descriptor: number, sizeBytes: number) {
    this.#descriptor = descriptor;
    this.#sizeBytes = sizeBytes;
  }

  /** False when a collection begins inside the block whose objects do not fill it. */
  isSound(block: Buffer, position: number): boolean {
    if (block.length > MAX_READ_BYTES) return true;
    for (let at = block.indexOf(BEGINNING); at >= 0; at = block.indexOf(BEGINNING, at + 1)) {
      const start = position + at;
      if (this.#sound.has(start)) continue;
      if (!this.#fills(start)) {
        this.problem = `the collection of texts at byte ${start} is damaged`;
        return false;
      }
      this.#sound.add(start);
    }
    return true;
  }

  #fills(start: number): boolean {
    const head = this.#bytes(start, HEAD_BYTES);
    const size = head.length < HEAD_BYTES ? 0 : Number(head.readBigUInt64LE(8));
    if (size < MIN_BYTES || start + size > this.#sizeBytes) return false;
    const collection = this.#bytes(start, size);
    if (collection.length < size) return false;
    let at = HEAD_BYTES;
    while (at + HEAD_BYTES <= size) {
      const objectBytes = Number(collection.readBigUInt64LE(at + 8));
      const isFree = collection.readUInt16LE(at) === 0;
      // Free space counts its own head, and is the last.
      const step = isFree ? objectBytes : HEAD_BYTES + Math.ceil(objectBytes / 8) * 8;
      if (step < HEAD_BYTES || at + step > size) return false;
      at += step;
    }
    return true;
  }

  #bytes(start: number, count: number): Buffer {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, fs.readSync(this.#descriptor, bytes, 0, count, start));
  }
}
