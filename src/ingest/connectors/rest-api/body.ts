import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { HttpResponse } from '../../../effects/http.js';

/** Servers pack what they were asked not to. */
const unpackers: Readonly<Record<string, (packed: Buffer, options: { readonly maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/**
 * The text of an answer, unpacked.
 *
 * @throws an error of Node's where the connection breaks; a RangeError of an answer that is too long; a TypeError where it is not UTF-8
 */
export async function bodyOf({ body, headers }: HttpResponse, maxBytes: number): Promise<string> {
  const blocks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const block of body) {
    const bytes = Buffer.isBuffer(block) ? block : Buffer.from(block);
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) throw new RangeError(`the answer has more than ${maxBytes} bytes`);
    blocks.push(bytes);
  }
  const packed = Buffer.concat(blocks);
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  const unpack = Object.hasOwn(unpackers, encoding) ? unpackers[encoding] : undefined;
  return new TextDecoder('utf-8', { fatal: true }).decode(unpack?.(packed, { maxOutputLength: maxBytes }) ?? packed);
}
