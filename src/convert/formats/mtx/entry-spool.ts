import * as fs from 'node:fs';
import type { CoordinateMatrix, EntryBlock } from '../../sparse-order.js';

export type ValueKind = 'integer' | 'real' | 'pattern';
type Values = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

const ENTRIES_PER_BLOCK = 1 << 17;

/**
 * Entries on their way from a text to the sort: in memory up to a limit, beyond it in a file, so memory stays flat
 * however many there are.
 */
export class EntrySpool implements CoordinateMatrix {
  readonly minorCount: number;
  readonly minorCounts: Float64Array;
  readonly bytesPerValue: number;
  readonly #kind: ValueKind;
  readonly #file: string;
  readonly #memoryBlocks: number;
  readonly #kept: EntryBlock[] = [];
  #spilled = 0;
  #descriptor: number | undefined;
  #major = new Int32Array(ENTRIES_PER_BLOCK);
  #minor = new Int32Array(ENTRIES_PER_BLOCK);
  #values: Values;
  #filled = 0;

  /**
   * @param options.minorCount  length of the axis that is sorted by
   * @param options.file        where entries go that memory does not hold; made when needed
   * @param options.limitBytes  of memory for entries
   */
  constructor(options: {
    readonly minorCount: number;
    readonly kind: ValueKind;
    readonly file: string;
    readonly limitBytes: number;
  }) {
    this.minorCount = options.minorCount;
    this.minorCounts = new Float64Array(options.minorCount);
    this.#kind = options.kind;
    this.#file = options.file;
    this.#values = this.emptyValues(ENTRIES_PER_BLOCK);
    this.bytesPerValue = this.#values.BYTES_PER_ELEMENT;
    this.#memoryBlocks = Math.floor(options.limitBytes / (ENTRIES_PER_BLOCK * (8 + this.bytesPerValue)));
  }

  get entryCount(): number {
    return (this.#kept.length + this.#spilled) * ENTRIES_PER_BLOCK + this.#filled;
  }

  add(major: number, minor: number, value: number): void {
    const at = this.#filled;
    this.#major[at] = major;
    this.#minor[at] = minor;
    this.#values[at] = value;
    this.minorCounts[minor] = (this.minorCounts[minor] ?? 0) + 1;
    this.#filled = at + 1;
    if (this.#filled === ENTRIES_PER_BLOCK) this.#flush();
  }

  *blocks(): Iterable<EntryBlock> {
    yield* this.#kept;
    for (let block = 0; block < this.#spilled; block++) yield this.#read(block);
    if (this.#filled > 0) {
      yield {
        major: this.#major.subarray(0, this.#filled),
        minor: this.#minor.subarray(0, this.#filled),
        values: this.#values.subarray(0, this.#filled),
      };
    }
  }

  emptyValues(length: number): Values {
    switch (this.#kind) {
      case 'integer':
        return new Int32Array(length);
      case 'real':
        return new Float64Array(length);
      case 'pattern':
        return new Uint8Array(length);
    }
  }

  /** Removes the file, if there is one. */
  close(): void {
    if (this.#descriptor === undefined) return;
    fs.closeSync(this.#descriptor);
    fs.rmSync(this.#file, { force: true });
    this.#descriptor = undefined;
  }

  #flush(): void {
    this.#filled = 0;
    if (this.#kept.length < this.#memoryBlocks) {
      this.#kept.push({ major: this.#major, minor: this.#minor, values: this.#values });
      this.#major = new Int32Array(ENTRIES_PER_BLOCK);
      this.#minor = new Int32Array(ENTRIES_PER_BLOCK);
      this.#values = this.emptyValues(ENTRIES_PER_BLOCK);
      return;
    }
    this.#descriptor ??= fs.openSync(this.#file, 'wx+', 0o600);
    for (const array of [this.#major, this.#minor, this.#values]) writeAll(this.#descriptor, array);
    this.#spilled++;
  }

  #read(block: number): EntryBlock {
    const major = new Int32Array(ENTRIES_PER_BLOCK);
    const minor = new Int32Array(ENTRIES_PER_BLOCK);
    const values = this.emptyValues(ENTRIES_PER_BLOCK);
    let position = block * ENTRIES_PER_BLOCK * (8 + this.bytesPerValue);
    for (const array of [major, minor, values]) {
      for (let done = 0; done < array.byteLength; ) {
        const read = fs.readSync(this.#descriptor ?? -1, array, done, array.byteLength - done, position + done);
        if (read === 0) throw new Error('the spool of entries ends early');
        done += read;
      }
      position += array.byteLength;
    }
    return { major, minor, values };
  }
}

function writeAll(descriptor: number, array: Values): void {
  for (let done = 0; done < array.byteLength; ) done += fs.writeSync(descriptor, array, done, array.byteLength - done);
}
