import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { fileLiteral } from '../../../domain/names.js';
import type { Database } from '../../../effects/duckdb.js';

/** Headers are small, but may hold extremes of long texts. */
const HEADER_BYTES = 1 << 14;

/**
 * Holds every page against its CRC, where the writer gave one (Spark does): DuckDB does not look at them.
 *
 * @returns what is wrong, in words; undefined when nothing is, or where a page has no CRC
 */
export async function wrongChecksum(database: Database, file: string): Promise<string | undefined> {
  const chunks = await database.rows(
    `SELECT row_group_id::INTEGER AS g, path_in_schema AS p, least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset))::DOUBLE AS at, total_compressed_size::DOUBLE AS size FROM parquet_metadata(${fileLiteral(file)})`,
  );
  const handle = await open(file, 'r');
  try {
    const { size: fileBytes } = await handle.stat();
    for (const chunk of chunks) {
      const from = Number(chunk.at);
      const end = Math.min(fileBytes, from + Number(chunk.size));
      const page = await wrongPage(handle, from, end);
      if (page !== undefined) {
        return `a page of column "${String(chunk.p)}" in row group ${String(chunk.g)} has another CRC than it should (byte ${page})`;
      }
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Where the first page begins whose CRC is wrong. */
async function wrongPage(file: FileHandle, from: number, end: number): Promise<number | undefined> {
  for (let at = from; at >= 0 && at < end; ) {
    const head = await readUpTo(file, at, HEADER_BYTES);
    const header = readPageHeader(head);
    // A header that does not read: DuckDB reads the page next, and says so.
    if (header === undefined || header.dataBytes < 0) return undefined;
    const next = at + header.headerBytes + header.dataBytes;
    if (next > end) return undefined;
    if (header.crc === undefined) return undefined;
    const data = await readUpTo(file, at + header.headerBytes, header.dataBytes);
    if (crc32(data) !== header.crc >>> 0) return at;
    at = next;
  }
  return undefined;
}

async function readUpTo(file: FileHandle, at: number, byteCount: number): Promise<Buffer> {
  const bytes = Buffer.alloc(byteCount);
  let done = 0;
  while (done < byteCount) {
    const { bytesRead } = await file.read(bytes, done, byteCount - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

interface PageHeader {
  readonly headerBytes: number;
  readonly dataBytes: number;
  readonly crc: number | undefined;
}

/** Fields of a page header by their numbers. */
const [COMPRESSED_SIZE, CRC] = [3, 4];

/**
 * @returns undefined when the bytes are no page header
 * @source parquet.thrift, PageHeader; "Thrift Compact protocol encoding"
 */
function readPageHeader(bytes: Buffer): PageHeader | undefined {
  const reader = new CompactReader(bytes);
  const numbers = reader.struct(0);
  const dataBytes = numbers?.get(COMPRESSED_SIZE);
  if (dataBytes === undefined || reader.isBroken) return undefined;
  return { headerBytes: reader.at, dataBytes, crc: numbers?.get(CRC) };
}

const MAX_DEPTH = 8;

/** Reads past anything in Thrift's compact encoding, and keeps the 32-bit numbers of a struct. */
class CompactReader {
  readonly #bytes: Buffer;
  at = 0;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  struct(depth: number): ReadonlyMap<number, number> | undefined {
    const numbers = new Map<number, number>();
    for (let id = 0; !this.isBroken && depth <= MAX_DEPTH; ) {
      const head = this.#byte();
      if (head === 0) return numbers;
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4);
      const type = head & 15;
      if (type === 4 || type === 5) numbers.set(id, this.#zigzag());
      else this.#skip(type, depth);
    }
    this.isBroken = true;
    return undefined;
  }

  #skip(type: number, depth: number): void {
    switch (type) {
      // Booleans of a struct are their type.
      case 1:
      case 2:
        return;
      case 3:
        this.#byte();
        return;
      case 4:
      case 5:
      case 6:
        this.#varint();
        return;
      case 7:
        this.#advance(8);
        return;
      case 8:
        this.#advance(this.#varint());
        return;
      case 9:
      case 10: {
        const head = this.#byte();
        const count = head >> 4 === 15 ? this.#varint() : head >> 4;
        for (let i = 0; i < count && !this.isBroken; i++) this.#skipItem(head & 15, depth);
        return;
      }
      case 12:
        this.struct(depth + 1);
        return;
      default:
        this.isBroken = true;
    }
  }

  /** In a list, a boolean is a byte. */
  #skipItem(type: number, depth: number): void {
    if (type === 1 || type === 2) this.#byte();
    else this.#skip(type, depth);
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) this.isBroken = true;
    return byte ?? 0;
  }

  #advance(byteCount: number): void {
    this.at += byteCount;
    if (this.at > this.#bytes.length) this.isBroken = true;
  }

  /** Numbers beyond 2^53 stand in no header. */
  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (factor > 2 ** 63) this.isBroken = true;
      if (this.isBroken) return 0;
    }
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
