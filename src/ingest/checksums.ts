import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { Crc32c } from './crc32c.js';

interface RunningChecksum {
  update(block: Uint8Array): void;
  hex(): string;
}

function hashed(algorithm: 'md5' | 'sha256'): RunningChecksum {
  const hash = createHash(algorithm);
  return { update: (block) => hash.update(block), hex: () => hash.digest('hex') };
}

/** Every algorithm by which a checksum may be given. */
const algorithms: Readonly<Record<string, () => RunningChecksum>> = {
  md5: () => hashed('md5'),
  sha256: () => hashed('sha256'),
  crc32c: () => new Crc32c(),
};

/** Whether a checksum (`md5:…`) is of an algorithm that is known here; of another it says nothing. */
export function isKnownChecksum(checksum: string): boolean {
  return Object.hasOwn(algorithms, algorithmOf(checksum));
}

export function algorithmOf(checksum: string): string {
  return checksum.slice(0, Math.max(0, checksum.indexOf(':')));
}

/** Checksums of bytes as they pass by, by their algorithms. */
export class Checksums {
  readonly #running = new Map<string, RunningChecksum>();

  /** @param wanted  algorithms; `sha256` is always among them, others that are not known are left out */
  constructor(wanted: readonly string[]) {
    for (const name of new Set(['sha256', ...wanted])) {
      const begin = algorithms[name];
      if (begin !== undefined) this.#running.set(name, begin());
    }
  }

  update(block: Uint8Array): void {
    for (const checksum of this.#running.values()) checksum.update(block);
  }

  /** Ends them. @returns lower-case hex, by algorithm */
  hex(): ReadonlyMap<string, string> {
    return new Map([...this.#running].map(([name, checksum]) => [name, checksum.hex()]));
  }
}

/** Checksums of a file; it is read once, in blocks. */
export async function checksumsOf(file: string, wanted: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const sums = new Checksums(wanted);
  for await (const block of fs.createReadStream(file, { highWaterMark: 1 << 20 })) sums.update(block);
  return sums.hex();
}
