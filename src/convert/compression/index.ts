import * as fs from 'node:fs';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../domain/diagnostic.js';
import { ByteInput, CompressionError } from './byte-input.js';
import { decodeBzip2 } from './bzip2.js';
import { decodeXz } from './xz.js';
import { decodeZstd } from './zstd.js';

export { CompressionError } from './byte-input.js';

export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

const SIGNATURES: readonly { readonly compression: Compression; readonly bytes: readonly number[] }[] = [
  { compression: 'gzip', bytes: [0x1f, 0x8b] },
  { compression: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { compression: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  // A frame without data, with which pzstd begins.
  { compression: 'zstd', bytes: [0x50, 0x2a, 0x4d, 0x18] },
];

const BLOCK_BYTES = 1 << 20;

/** How a file is compressed, by its first bytes. */
export function compressionOf(head: Uint8Array): Compression {
  if (isBzip2(head)) return 'bzip2';
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte))?.compression ?? 'none';
}

/** `BZh`, a digit, and the beginning of a block or of the end: three letters alone may begin a table of texts. */
function isBzip2(head: Uint8Array): boolean {
  const [b, z, h, level = 0, next] = head;
  if (b !== 0x42 || z !== 0x5a || h !== 0x68 || level < 0x31 || level > 0x39) return false;
  return next === undefined || next === 0x31 || next === 0x17;
}

/** The first bytes of a file as it is stored; fewer when it is shorter. */
export function storedHead(file: string, byteCount: number): Buffer {
  const descriptor = fs.openSync(file, 'r');
  try {
    const head = Buffer.alloc(byteCount);
    return head.subarray(0, fs.readSync(descriptor, head, 0, byteCount, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The first bytes of what a file holds; as many as can be had of a damaged one. */
export async function contentHead(file: string, byteCount: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const block of contentBlocks(file, 1 << 16)) {
      parts.push(block);
      size += block.length;
      if (size >= byteCount) break;
    }
  } catch (thrown) {
    // The format that claims the file reads all of it and says what is wrong.
    if (!(thrown instanceof CompressionError)) throw thrown;
  }
  return Buffer.concat(parts).subarray(0, byteCount);
}

/**
 * The bytes that a file holds, decompressed, in blocks. All checksums and lengths are verified, so a file that is cut
 * off gives an error and never just its beginning.
 *
 * @throws CompressionError
 */
export async function* contentBlocks(file: string, blockBytes = BLOCK_BYTES): AsyncGenerator<Buffer> {
  const compression = compressionOf(storedHead(file, 6));
  switch (compression) {
    case 'none':
      for await (const block of fs.createReadStream(file, { highWaterMark: blockBytes })) yield asBuffer(block);
      return;
    case 'gzip':
      yield* inflated(file, blockBytes);
      return;
    case 'bzip2':
      yield* decoded(file, decodeBzip2);
      return;
    case 'xz':
      yield* decoded(file, decodeXz);
      return;
    case 'zstd':
      yield* decoded(file, decodeZstd);
      return;
  }
}

async function* inflated(file: string, blockBytes: number): AsyncGenerator<Buffer> {
  const stored = fs.createReadStream(file, { highWaterMark: blockBytes });
  const inflate = createGunzip({ chunkSize: blockBytes });
  stored.on('error', (thrown) => inflate.destroy(thrown));
  try {
    for await (const block of stored.pipe(inflate)) yield asBuffer(block);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')) {
      throw new CompressionError(`damaged gzip file: ${messageOf(thrown)}`, { cause: thrown });
    }
    throw thrown;
  } finally {
    stored.destroy();
    inflate.destroy();
  }
}

async function* decoded(file: string, decode: (input: ByteInput) => Generator<Buffer>): AsyncGenerator<Buffer> {
  const descriptor = fs.openSync(file, 'r');
  try {
    yield* decode(new ByteInput(descriptor));
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    const name = compressionOf(storedHead(file, 6));
    throw new CompressionError(`damaged ${name} file: ${thrown.message}`, { cause: thrown });
  } finally {
    fs.closeSync(descriptor);
  }
}

function asBuffer(block: unknown): Buffer {
  return Buffer.isBuffer(block) ? block : Buffer.from(String(block));
}
