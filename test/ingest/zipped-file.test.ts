import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpacked } from '../../src/ingest/zipped-file.js';

/** A zip of one file, as APPNOTE.TXT has it; what nobody reads is left at zero. */
function zip(content: Buffer, method = 8): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(method, 8);
  local.writeUInt16LE(5, 26);
  local.writeUInt16LE(4, 28);
  const list = Buffer.alloc(200_000, 7);
  return Buffer.concat([local, Buffer.from('a.csv'), Buffer.alloc(4), deflateRawSync(content), list]);
}

async function read(packed: Buffer, { block = 1 << 14, md5 = md5Of(packed) } = {}): Promise<Buffer> {
  const blocks = Array.from({ length: Math.ceil(packed.length / block) }, (_, k) =>
    packed.subarray(k * block, (k + 1) * block),
  );
  const headers = { 'content-length': '1', etag: '"e"', 'last-modified': 'then', 'content-type': 'text/csv' };
  const response = unpacked({
    status: 200,
    headers,
    url: new URL('http://127.0.0.1/a.csv.zip'),
    checksums: [`md5:${md5}`],
    body: Readable.from(blocks),
  });
  // What was said of the zip is not said of the file.
  expect(response).toMatchObject({ headers: { 'content-type': 'text/csv' } });
  expect(Object.keys(response.headers)).toEqual(['content-type']);
  expect(response.checksums).toBeUndefined();
  const found: Buffer[] = [];
  for await (const part of response.body) found.push(Buffer.from(part));
  return Buffer.concat(found);
}

const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

describe('the file of a zip', () => {
  const large = Buffer.concat([randomBytes(2_000_000), Buffer.alloc(5_000_000)]);

  test.each([
    [29, Buffer.from('id\n1\n')],
    [1 << 12, large],
    [1 << 24, large],
    [1 << 24, Buffer.alloc(0)],
  ])('comes whole in blocks of %i bytes', async (block, content) => {
    expect(md5Of(await read(zip(content), { block }))).toBe(md5Of(content));
  });

  test('whose checksum is another than its place says is an error, though all of it unpacks', async () => {
    await expect(read(zip(Buffer.from('id\n1\n')), { md5: '0'.repeat(32) })).rejects.toThrow(
      /is not what its place says/,
    );
  });

  test('that ends too early is an error', async () => {
    const packed = zip(randomBytes(100_000)).subarray(0, 50_000);
    await expect(read(packed)).rejects.toThrow(/unexpected end of file/);
    await expect(read(packed.subarray(0, 20))).rejects.toThrow(/ends before its file begins/);
  });

  test('that is packed in another way, or no zip, is an error', async () => {
    await expect(read(zip(Buffer.from('x'), 12))).rejects.toThrow(/packed in another way/);
    await expect(read(Buffer.alloc(100, 60))).rejects.toThrow(/packed in another way/);
  });
});
