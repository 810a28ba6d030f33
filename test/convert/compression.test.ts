import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CompressionError, contentBlocks } from '../../src/convert/compression/index.js';
import { mutants } from './mutants.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();
const TEXT = 'the quick brown fox, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, jumps over the lazy dog\n'.repeat(20);
/** TEXT as Python's bz2 and lzma compress it. */
const packed: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(TEXT),
  bzip2: Buffer.from(
    'QlpoOTFBWSZTWaMmDHsAAcHxgAAQABBABD////AwALgKAAAAAFAAAAAApVJ6poDTQYnqbNUepOJOJOZMk+yYJyJqTQmpMk9iehVyJ1JoToTQnQTcnAmpNhNyYJ2JoTgTJNSYJzJ+k2Jgn0TuTcmCbEyTJPgq/idif4u5IpwoSFGTBj2A',
    'base64',
  ),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AYDAD9dADoaCM52x+Xp1gc0w9EOv85V4aq95GlBnCxZZ+HmpExb2FnAm1jcMsg3aepcmGWqDbNFBVaHWgROi8cV5vU4AAAANPPx0xNKUGEAAVuEDAAAAAOFrKuxxGf7AgAAAAAEWVo=',
    'base64',
  ),
  'xz with SHA-256': Buffer.from(
    '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AYDAD9dADoaCM52x+Xp1gc0w9EOv85V4aq95GlBnCxZZ+HmpExb2FnAm1jcMsg3aepcmGWqDbNFBVaHWgROi8cV5vU4AAAAq+5Tw4xuI34Wp1Msa3yRfUoo4T0rmyReuhdiKjnCdVYAAXOEDAAAAFgCU0C26d8cAgAAAAAKWVo=',
    'base64',
  ),
};

async function content(bytes: Buffer): Promise<string> {
  const file = path.join(folder, 'packed');
  fs.writeFileSync(file, bytes);
  const blocks: Buffer[] = [];
  for await (const block of contentBlocks(file)) blocks.push(block);
  return Buffer.concat(blocks).toString('latin1');
}

describe.each(Object.entries(packed))('%s', (_, bytes) => {
  test('gives its content', async () => {
    expect(await content(bytes)).toBe(TEXT);
  });

  test('in two streams gives both', async () => {
    expect(await content(Buffer.concat([bytes, bytes]))).toBe(TEXT + TEXT);
  });

  test('cut off anywhere is refused', async () => {
    for (let length = 8; length < bytes.length; length += 5) {
      await expect(content(bytes.subarray(0, length))).rejects.toBeInstanceOf(CompressionError);
    }
  });

  test('damaged is refused, or gives its content all the same', async () => {
    for (const mutant of mutants(bytes, 300, 7)) {
      try {
        const found = await content(mutant);
        // A damaged beginning is no compressed file any more; spliced copies of whole streams are several.
        if (mutant.subarray(0, 6).equals(bytes.subarray(0, 6))) expect(found.replaceAll(TEXT, '')).toBe('');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(CompressionError);
      }
    }
  });
});
