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

/** Checksums of a file by their algorithms, `sha256` always among them; it is read once, in blocks. */
export async function checksumsOf(file: string, wanted: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const running = new Map<string, RunningChecksum>();
  for (const name of new Set(['sha256', ...wanted])) {
    const begin = algorithms[name];
    if (begin !== undefined) running.set(name, begin());
  }
  for await (const block of fs.createReadStream(file, { highWaterMark: 1 << 20 }))
    for (const checksum of running.values()) checksum.update(block);
  return new Map([...running].map(([name, checksum]) => [name, checksum.hex()]));
}
