import * as fs from 'node:fs';
import { inflateSync } from 'node:zlib';
import { findDataset, type ReadAt } from './hdf5-objects.js';

/** Where the chunks of a one-dimensional dataset lie, in their order, and how they are packed. */
interface ChunkIndex {
  readonly bytesPerElement: number;
  readonly elementsPerChunk: number;
  readonly isShuffled: boolean;
  readonly isDeflated: boolean;
  readonly addresses: Float64Array;
  readonly sizes: Float64Array;
}

/** What is asked for: elements of a one-dimensional dataset of little-endian numbers. */
export interface ElementRange {
  readonly path: string;
  readonly length: number;
  readonly bytesPerElement: number;
  readonly elementsPerChunk: number;
  readonly from: number;
  readonly count: number;
}

/**
 * Reads the chunks of large one-dimensional datasets of numbers (the entries of sparse matrices) by the index in the file,
 * and unpacks them with the zlib of Node: the one inside HDF5's WebAssembly takes three times as long. Whatever is not plain
 * (other layouts, indexes and filters, chunks that are missing or too short) is left to HDF5, which says what is wrong.
 */
export class ChunkReader {
  readonly #descriptor: number;
  readonly #fileBytes: number;
  readonly #indexes = new Map<string, ChunkIndex | undefined>();
  /** The chunk that was read last, for the next range begins within it. */
  #last: { readonly path: string; readonly at: number; readonly bytes: Uint8Array } | undefined;

  constructor(descriptor: number, fileBytes: number) {
    this.#descriptor = descriptor;
    this.#fileBytes = fileBytes;
  }

  /** @returns undefined where the dataset has to be read by HDF5 */
  read(range: ElementRange): Uint8Array<ArrayBuffer> | undefined {
    const { path, from, count, bytesPerElement, elementsPerChunk } = range;
    const index = this.#indexOf(range);
    if (index === undefined || index.bytesPerElement !== bytesPerElement || index.elementsPerChunk !== elementsPerChunk)
      return undefined;
    const out = new Uint8Array(count * bytesPerElement);
    const end = from + count;
    for (let at = Math.floor(from / elementsPerChunk); at * elementsPerChunk < end; at += 1) {
      const chunk = this.#chunk(path, index, at);
      if (chunk === undefined) return undefined;
      const first = at * elementsPerChunk;
      const low = Math.max(from, first);
      const high = Math.min(end, first + elementsPerChunk);
      const part = chunk.subarray((low - first) * bytesPerElement, (high - first) * bytesPerElement);
      out.set(part, (low - from) * bytesPerElement);
    }
    return out;
  }

  #indexOf(range: ElementRange): ChunkIndex | undefined {
    if (!this.#indexes.has(range.path)) {
      let index: ChunkIndex | undefined;
      try {
        index = readIndex(range, this.#readAt, this.#fileBytes);
      } catch {
        // HDF5 will say what is wrong, in its words.
      }
      this.#indexes.set(range.path, index);
    }
    return this.#indexes.get(range.path);
  }

  readonly #readAt: ReadAt = (position, byteCount) => {
    if (position < 0 || byteCount < 0 || position + byteCount > this.#fileBytes) throw new Error('beyond the file');
    const bytes = Buffer.allocUnsafe(byteCount);
    if (fs.readSync(this.#descriptor, bytes, 0, byteCount, position) !== byteCount) throw new Error('cut off');
    return bytes;
  };

  #chunk(path: string, index: ChunkIndex, at: number): Uint8Array | undefined {
    if (this.#last?.path === path && this.#last.at === at) return this.#last.bytes;
    const byteCount = index.elementsPerChunk * index.bytesPerElement;
    try {
      const packed = this.#readAt(index.addresses[at] ?? -1, index.sizes[at] ?? -1);
      // With room for one byte more, all of it comes in one piece and the end is seen.
      const plain = index.isDeflated
        ? inflateSync(packed, { chunkSize: Math.max(64, byteCount + 1), maxOutputLength: byteCount })
        : packed;
      if (plain.length !== byteCount) return undefined;
      const bytes = index.isShuffled ? unshuffled(plain, index.bytesPerElement) : plain;
      this.#last = { path, at, bytes };
      return bytes;
    } catch {
      return undefined;
    }
  }
}

const DEFLATE = 1;
const SHUFFLE = 2;

function readIndex(range: ElementRange, readAt: ReadAt, fileBytes: number): ChunkIndex | undefined {
  const found = findDataset(range.path, readAt);
  if (found === undefined || !found.isPlainNumber) return undefined;
  const { filters, layout } = found;
  const isDeflated = filters.at(-1) === DEFLATE;
  const isShuffled = filters[0] === SHUFFLE;
  if (filters.length !== Number(isDeflated) + Number(isShuffled)) return undefined;
  const { elementsPerChunk, bytesPerElement } = layout;
  const chunkCount = Math.ceil(range.length / elementsPerChunk);
  // Each chunk has an entry in the file: a count beyond that is none.
  if (elementsPerChunk < 1 || chunkCount > Math.min(CHUNK_LIMIT, fileBytes / ENTRY_BYTES)) return undefined;
  if (elementsPerChunk * bytesPerElement > CHUNK_LIMIT_BYTES) return undefined;
  const index: ChunkIndex = {
    bytesPerElement,
    elementsPerChunk,
    isShuffled,
    isDeflated,
    addresses: new Float64Array(chunkCount).fill(-1),
    sizes: new Float64Array(chunkCount),
  };
  readNode(index, { address: layout.tree, level: undefined, left: { nodes: 2 * chunkCount + 1 } }, readAt);
  return index.addresses.includes(-1) ? undefined : index;
}

/** What is larger is left to HDF5, which does not hold all of it at once. */
const CHUNK_LIMIT = 4_000_000;
const CHUNK_LIMIT_BYTES = 64 << 20;

const NODE_HEADER_BYTES = 24;
/** A size, a mask of filters that were left out, the offsets of the chunk and of its element; then the address below. */
const ENTRY_BYTES = 32;

/** A node of the version 1 B-tree over the chunks. @throws for anything that is not as it has to be */
function readNode(
  index: ChunkIndex,
  node: {
    readonly address: number;
    readonly level: number | undefined;
    /** A tree has no more nodes than twice its chunks; one whose nodes are met again and again would not end. */
    readonly left: { nodes: number };
  },
  readAt: ReadAt,
): void {
  const { address, level, left } = node;
  left.nodes -= 1;
  if (left.nodes < 0) throw new Error('more nodes than chunks');
  const header = readAt(address, NODE_HEADER_BYTES);
  if (header.toString('latin1', 0, 4) !== 'TREE' || header[4] !== 1) throw new Error('no node of chunks');
  const own = header[5] ?? 0;
  // Levels go down to 0: a tree that loops would not.
  if (level !== undefined && own !== level - 1) throw new Error('a node of another level');
  const entryCount = header.readUInt16LE(6);
  const entries = readAt(address + NODE_HEADER_BYTES, entryCount * ENTRY_BYTES);
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const child = Number(entries.readBigUInt64LE(at + 24));
    if (own > 0) {
      readNode(index, { address: child, level: own, left }, readAt);
      continue;
    }
    const chunk = Number(entries.readBigUInt64LE(at + 8)) / index.elementsPerChunk;
    const isKnown = Number.isInteger(chunk) && chunk < index.addresses.length && index.addresses[chunk] === -1;
    if (!isKnown || entries.readUInt32LE(at + 4) !== 0 || entries.readBigUInt64LE(at + 16) !== 0n)
      throw new Error('an entry of no chunk');
    index.addresses[chunk] = child;
    index.sizes[chunk] = entries.readUInt32LE(at);
  }
}

/** Undoes the filter that puts first bytes of all elements before their second ones. */
function unshuffled(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.length / width;
  const plain = new Uint8Array(bytes.length);
  for (let byte = 0; byte < width; byte += 1) {
    const from = byte * count;
    for (let i = 0; i < count; i += 1) plain[i * width + byte] = bytes[from + i] ?? 0;
  }
  return plain;
}
