import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { fileLiteral } from '../../../domain/names.js';
import type { Database } from '../../../effects/duckdb.js';

/** Headers are small, but may hold extremes of long texts. */
const HEADER_BYTES = 1 << 14;

/**
 * Holds every page against its CRC, where the writer gave one (Spark does), and looks for sizes and counts that cannot be:
 * DuckDB looks at neither, and reads on with whatever follows from them.
 *
 * @returns what is wrong, in words; undefined when nothing is
 */
export async function wrongPages(database: Database, file: string): Promise<string | undefined> {
  const chunks = await database.rows(
    `SELECT row_group_id::INTEGER AS g, path_in_schema AS p, least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset))::DOUBLE AS at, total_compressed_size::DOUBLE AS size, total_uncompressed_size::DOUBLE AS unpacked, num_values::DOUBLE AS n FROM parquet_metadata(${fileLiteral(file)})`,
  );
  const handle = await open(file, 'r');
  try {
    const { size: fileBytes } = await handle.stat();
    for (const chunk of chunks) {
      const from = Number(chunk.at);
      const end = Math.min(fileBytes, from + Number(chunk.size));
      const where = `column "${String(chunk.p)}" in row group ${String(chunk.g)}`;
      if (from < 0 || Number(chunk.size) < 0 || Number(chunk.unpacked) < 0 || Number(chunk.n) < 0)
        return `its footer gives ${where} a negative size or place`;
      const wrong = await wrongPage(handle, from, end);
      if (wrong !== undefined) return `a page of ${where} ${wrong.what} (byte ${wrong.at})`;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/** What is wrong with the first page that something is wrong with, and where it begins. */
async function wrongPage(
  file: FileHandle,
  from: number,
  end: number,
): Promise<{ readonly at: number; readonly what: string } | undefined> {
  for (let at = from; at >= 0 && at < end; ) {
    const head = await readUpTo(file, at, HEADER_BYTES);
    const header = readPageHeader(head);
    // A header that does not read: DuckDB reads the page next, and says so.
    if (header === undefined) return undefined;
    if (header.hasNegative) return { at, what: 'has a negative size or count' };
    const next = at + header.headerBytes + header.dataBytes;
    if (next > end) return undefined;
    if (header.crc !== undefined) {
      const data = await readUpTo(file, at + header.headerBytes, header.dataBytes);
      if (crc32(data) !== header.crc >>> 0) return { at, what: 'has another CRC than it should' };
    }
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
  /** Whether a size or a number of values, rows or NULLs is less than nothing. */
  readonly hasNegative: boolean;
}

/** Fields of a page header by their numbers: those with the counts of a page are structs of their own. */
const [UNCOMPRESSED_SIZE, COMPRESSED_SIZE, CRC, DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [2, 3, 4, 5, 7, 8];
/** Of those structs: values, and in version 2 NULLs and rows. */
const COUNTS: Readonly<Record<number, readonly number[]>> = {
  [DATA_PAGE]: [1],
  [DICTIONARY_PAGE]: [1],
  [DATA_PAGE_V2]: [1, 2, 3, 5, 6],
};

/**
 * @returns undefined when the bytes are no page header
 * @source parquet.thrift, PageHeader; "Thrift Compact protocol encoding"
 */
function readPageHeader(bytes: Buffer): PageHeader | undefined {
  const reader = new CompactReader(bytes);
  const numbers = reader.struct(0);
  const dataBytes = numbers?.get(COMPRESSED_SIZE);
  if (dataBytes === undefined || reader.isBroken) return undefined;
  const counts = Object.entries(COUNTS).flatMap(([struct, fields]) =>
    fields.map((field) => reader.nested.get(Number(struct))?.get(field) ?? 0),
  );
  const sizes = [dataBytes, numbers?.get(UNCOMPRESSED_SIZE) ?? 0];
  const hasNegative = [...sizes, ...counts].some((number) => number < 0);
  return { headerBytes: reader.at, dataBytes, crc: numbers?.get(CRC), hasNegative };
}

const MAX_DEPTH = 8;

/** Reads past anything in Thrift's compact encoding, and keeps the 32-bit numbers of a struct. */
class CompactReader {
  readonly #bytes: Buffer;
  at = 0;
  isBroken = false;
  /** The numbers of structs right inside the outermost one, by its fields. */
  readonly nested = new Map<number, ReadonlyMap<number, number>>();

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
      else if (type === 12) {
        const inner = this.struct(depth + 1);
        if (depth === 0 && inner !== undefined) this.nested.set(id, inner);
      } else this.#skip(type, depth);
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
