import { DiagnosticError } from '../domain/diagnostic.js';
import { CompressionError, contentBlocks } from './compression/index.js';
import { convertError, type FormatOption, type RawFile } from './format.js';

const ALWAYS_ALLOWED_BYTES = 512 * 2 ** 20;
/** Real files pack 3 to 30 times; a bomb of gzip packs 1,000 times, one of xz much more. */
const MAX_EXPANSION = 200;

/** The option of every format that is expanded in memory or on disk. */
export const maxExpandedOption: FormatOption = {
  name: 'max_expanded_mb',
  meaning: 'how many MB the file may hold when it is expanded (default 512, or 200 times its size)',
};

/** @throws DiagnosticError (SL0606) when the option is no number of megabytes */
export function maxExpandedBytes(raw: RawFile): number {
  const text = raw.options.max_expanded_mb;
  if (text === undefined) return Math.max(raw.harmlessBytes ?? ALWAYS_ALLOWED_BYTES, raw.sizeBytes * MAX_EXPANSION);
  const megabytes = Number(text);
  if (megabytes >= 1 && megabytes <= 2 ** 30) return megabytes * 2 ** 20;
  throw new DiagnosticError([
    convertError(
      'SL0606',
      `${raw.displayName}: option max_expanded_mb cannot be "${text}"`,
      'it is a number of megabytes, at least 1',
    ),
  ]);
}

/**
 * All that a file holds, expanded and verified.
 *
 * @throws DiagnosticError (SL0610 damaged, SL0616 larger than allowed)
 */
export async function readContent(raw: RawFile): Promise<ContentReader> {
  const limitBytes = maxExpandedBytes(raw);
  const blocks: Buffer[] = [];
  let size = 0;
  try {
    for await (const block of contentBlocks(raw.file)) {
      size += block.length;
      if (size > limitBytes) throw tooLarge(raw, limitBytes);
      blocks.push(block);
    }
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    throw new DiagnosticError([
      convertError('SL0610', `${raw.displayName} is a ${thrown.message}`, 'fetch it again; nothing of it was loaded'),
    ]);
  }
  // The beginning is looked at and gone back over, so it stands in one block.
  while (blocks.length > 1 && (blocks[0]?.length ?? 0) < 64) blocks.splice(0, 2, Buffer.concat(blocks.slice(0, 2)));
  return new ContentReader(blocks, size);
}

export function tooLarge(raw: RawFile, limitBytes: number): DiagnosticError {
  return new DiagnosticError([
    convertError(
      'SL0616',
      `${raw.displayName} expands to more than ${Math.round(limitBytes / 2 ** 20)} MB`,
      'raise the option max_expanded_mb if it is meant to',
    ),
  ]);
}

/** The content ends before what it announces. */
export class EndOfContent extends Error {
  override readonly name = 'EndOfContent';
}

/** Bytes in blocks, read from front to back; what was read is let go. */
export class ContentReader {
  readonly size: number;
  readonly #blocks: Buffer[];
  #next = 0;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  #before = 0;

  constructor(blocks: readonly Buffer[], size: number) {
    this.#blocks = [...blocks];
    this.size = size;
  }

  get offset(): number {
    return this.#before + this.#at;
  }

  get remaining(): number {
    return this.size - this.offset;
  }

  /** @throws EndOfContent when fewer are left */
  need(byteCount: number): void {
    if (byteCount > this.remaining || byteCount < 0) {
      throw new EndOfContent(`${byteCount} bytes are announced at byte ${this.offset}, ${this.remaining} are left`);
    }
  }

  byte(): number {
    if (this.#at >= this.#block.length) this.#advance();
    return this.#block[this.#at++] ?? 0;
  }

  int32BE(): number {
    const at = this.#at;
    if (at + 4 > this.#block.length) return this.take(4).readInt32BE(0);
    this.#at = at + 4;
    return this.#block.readInt32BE(at);
  }

  int32LE(): number {
    const at = this.#at;
    if (at + 4 > this.#block.length) return this.take(4).readInt32LE(0);
    this.#at = at + 4;
    return this.#block.readInt32LE(at);
  }

  /** Goes back over bytes of the current block: those at the very beginning, after a look at them. */
  back(byteCount: number): void {
    if (byteCount > this.#at) throw new Error('cannot go back so far');
    this.#at -= byteCount;
  }

  /** The next bytes; valid until the reader is gone, not to be written to. */
  take(byteCount: number): Buffer {
    if (this.#at + byteCount <= this.#block.length) {
      this.#at += byteCount;
      return this.#block.subarray(this.#at - byteCount, this.#at);
    }
    return Buffer.from(this.copy(byteCount));
  }

  /** The next bytes in a buffer of their own, aligned for every typed array. */
  copy(byteCount: number): ArrayBuffer {
    this.need(byteCount);
    const copied = new Uint8Array(byteCount);
    for (let done = 0; done < byteCount; ) {
      if (this.#at >= this.#block.length) this.#advance();
      const part = Math.min(byteCount - done, this.#block.length - this.#at);
      copied.set(this.#block.subarray(this.#at, this.#at + part), done);
      this.#at += part;
      done += part;
    }
    return copied.buffer;
  }

  /** The text up to a newline, which is read too. @throws EndOfContent without one within `limit` bytes */
  line(limit = 4096): string {
    let text = '';
    for (let count = 0; ; count++) {
      this.need(1);
      const byte = this.byte();
      if (byte === 10) return text;
      if (count >= limit) throw new EndOfContent(`no line ends near byte ${this.offset}`);
      text += String.fromCharCode(byte);
    }
  }

  #advance(): void {
    this.need(1);
    this.#before += this.#block.length;
    this.#at = 0;
    this.#block = this.#blocks[this.#next] ?? Buffer.alloc(0);
    this.#blocks[this.#next++] = Buffer.alloc(0);
    if (this.#block.length === 0) this.#advance();
  }
}
