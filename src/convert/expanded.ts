import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { DiagnosticError } from '../domain/diagnostic.js';
import { type Compression, CompressionError, compressionOf, contentBlocks, storedHead } from './compression/index.js';
import { maxExpandedBytes, tooLarge } from './content.js';
import { type ConvertEffects, convertError, type RawFile } from './format.js';

/** How the file is compressed. */
export function compressionOfFile(raw: RawFile): Compression {
  return compressionOf(storedHead(raw.file, 6));
}

/**
 * Lends out a file's content as a plain file of its own, verified and within its limit of bytes, for a reader that
 * knows no compression, or does not check it. It is gone afterwards.
 *
 * @param parent  an existing folder that the file is made in; that of the system when undefined
 * @throws DiagnosticError (SL0610 damaged, SL0616 larger than allowed)
 */
export async function withExpanded<T>(
  raw: RawFile,
  parent: string | undefined,
  effects: ConvertEffects,
  use: (plain: RawFile) => Promise<T>,
): Promise<T> {
  if (compressionOfFile(raw) === 'none') return use(raw);
  const folder = effects.files.makeTemporaryFolder(parent ?? os.tmpdir(), '.scilake-expanded-');
  try {
    const file = path.join(folder, 'content');
    const sizeBytes = await expand(raw, file, effects);
    return await use({ ...raw, file, sizeBytes });
  } finally {
    effects.files.remove(folder);
  }
}

async function expand(raw: RawFile, file: string, effects: ConvertEffects): Promise<number> {
  const limitBytes = maxExpandedBytes(raw);
  const descriptor = fs.openSync(file, 'wx');
  let sizeBytes = 0;
  try {
    for await (const block of contentBlocks(raw.file)) {
      sizeBytes += block.length;
      if (sizeBytes > limitBytes) throw tooLarge(raw, limitBytes);
      fs.writeSync(descriptor, block);
      effects.progress?.(Math.min(sizeBytes, raw.sizeBytes), raw.sizeBytes, 'bytes');
    }
    return sizeBytes;
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw damaged(raw, thrown, sizeBytes);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A file whose compression says that something is missing or changed. */
export function damaged(raw: RawFile, thrown: CompressionError, expandedBytes: number): DiagnosticError {
  return new DiagnosticError([
    convertError(
      'SL0610',
      `${raw.displayName} is a ${thrown.message} after ${expandedBytes} bytes of its content`,
      'fetch it again; nothing of it was loaded',
    ),
  ]);
}
