import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

const HELD_UNITS = 1 << 20;

/** A file of lines that grows, with the checksum of what is in it. */
export class LineFile {
  readonly file: string;
  readonly #handle: number;
  readonly #hash = createHash('sha256');
  #held: string[] = [];
  #heldUnits = 0;
  #sizeBytes = 0;
  #lineCount = 0;

  constructor(file: string) {
    this.file = file;
    this.#handle = fs.openSync(file, 'wx');
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  write(line: string): void {
    this.#held.push(`${line}\n`);
    this.#heldUnits += line.length;
    this.#lineCount += 1;
    if (this.#heldUnits > HELD_UNITS) this.#flush();
  }

  /** Nothing more comes: it is on the disk now. @returns its size and lower-case hex digest */
  close(): { readonly sizeBytes: number; readonly sha256: string } {
    this.#flush();
    fs.fsyncSync(this.#handle);
    fs.closeSync(this.#handle);
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }

  /** Leaves it as it is. */
  abandon(): void {
    fs.closeSync(this.#handle);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#held.join(''));
    fs.writeFileSync(this.#handle, bytes);
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
    this.#held = [];
    this.#heldUnits = 0;
  }
}
