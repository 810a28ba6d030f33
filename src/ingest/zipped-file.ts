import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import type { HttpResponse } from '../effects/http.js';

const LOCAL_HEADER = 0x04034b50;
const HEADER_BYTES = 30;
const DEFLATE = 8;

/**
 * The one file of a zip, unpacked while it comes. It has no size, no validators and no checksums of its own: what was said
 * is of the zip, whose MD5 is compared at its end.
 *
 * @source APPNOTE.TXT of PKWARE, 4.3.7: local file header
 */
export function unpacked(response: HttpResponse): HttpResponse {
  const { 'content-length': _, etag: __, 'last-modified': ___, ...headers } = response.headers;
  const wanted = response.checksums?.find((checksum) => checksum.startsWith('md5:'))?.slice('md5:'.length);
  return { status: response.status, headers, url: response.url, body: Readable.from(plain(response.body, wanted)) };
}

async function* plain(body: Readable, wanted: string | undefined): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw();
  const fed = feed(inflate, compressed(body, wanted));
  // What goes wrong with the zip is told to whoever reads the file.
  fed.catch((thrown: unknown) => inflate.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))));
  try {
    for await (const block of inflate) yield Buffer.from(block);
    await fed;
  } finally {
    body.destroy();
  }
}

async function feed(inflate: InflateRaw, blocks: AsyncIterable<Buffer>): Promise<void> {
  for await (const block of blocks) {
    // Behind the file stands the zip's own list: it is read for the checksum alone.
    if (inflate.readableEnded || inflate.destroyed) continue;
    if (!inflate.write(block)) await ready(inflate);
  }
  if (!inflate.destroyed) inflate.end();
}

/** Waits until more can be written, or nothing more is wanted. */
function ready(inflate: InflateRaw): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'end', 'close'];
    const done = (): void => {
      for (const event of events) inflate.off(event, done);
      resolve();
    };
    for (const event of events) inflate.on(event, done);
  });
}

/** The compressed bytes of the first file, and what follows it; only then is known whether all of it came as it should. */
async function* compressed(body: Readable, wanted: string | undefined): AsyncGenerator<Buffer> {
  const hash = createHash('md5');
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const block of body) {
    const bytes = Buffer.from(block);
    hash.update(bytes);
    if (head === undefined) {
      yield bytes;
      continue;
    }
    head = Buffer.concat([head, bytes]);
    const start = dataStart(head);
    if (start === undefined || head.length < start) continue;
    yield head.subarray(start);
    head = undefined;
  }
  if (head !== undefined) throw new Error('the zip ends before its file begins');
  const found = hash.digest('hex');
  if (wanted !== undefined && found !== wanted)
    throw new Error(`the zip is not what its place says it is (md5:${wanted}, found md5:${found})`);
}

/** Where the file's bytes begin; undefined where more has to come first. */
function dataStart(head: Buffer): number | undefined {
  if (head.length < HEADER_BYTES) return undefined;
  if (head.readUInt32LE(0) !== LOCAL_HEADER || head.readUInt16LE(8) !== DEFLATE)
    throw new Error('the place sends a zip that is packed in another way than others');
  return HEADER_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
}
