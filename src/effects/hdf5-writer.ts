import * as fs from 'node:fs';
import * as zlib from 'node:zlib';
import {
  attributeMessage,
  CHUNKS_PER_NODE,
  chunkNode,
  datasetMessages,
  type Filter,
  groupMessages,
  heapCollection,
  linkMessage,
  MESSAGE_LIMIT_BYTES,
  type Message,
  objectHeader,
  type StoredChunk,
  SUPERBLOCK_BYTES,
  superblock,
  TEXT,
  type WrittenType,
} from './hdf5-messages.js';

export { TEXT, type WrittenField, type WrittenType } from './hdf5-messages.js';

/** The value of an attribute; text of any length, a boolean, or 64-bit integers. */
export type AttributeValue = string | boolean | readonly string[] | { readonly integers: readonly number[] };
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface DatasetSpec {
  readonly type: WrittenType;
  /** No lengths for a single value; undefined for a dataset without any. */
  readonly shape: readonly number[] | undefined;
  readonly attributes?: Attributes;
  /** Edges of a chunk, for a dataset that is given chunk by chunk; whole values one after another when left out. */
  readonly chunk?: readonly number[];
}

/** Takes the values of one dataset, in row-major order, in parts of any length. */
export interface DatasetWriter {
  /** Elements as they are stored, little endian. */
  write(values: Uint8Array): void;
  /** Elements of a text dataset. */
  writeTexts(texts: readonly string[]): void;
  /** A chunk of a dataset that has `chunk`: its first position, and all its elements, those beyond the edge included. */
  writeChunk(offset: readonly number[], values: Uint8Array): void;
  /** Throws when fewer or more values came than the shape asks for. */
  finish(): void;
}

/** A name or an attribute that the file format cannot hold. */
export class Hdf5LimitError extends Error {
  override readonly name = 'Hdf5LimitError';
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

interface Group {
  readonly links: Map<string, Group | number>;
  attributes: Attributes;
}

/** Elements of a one-dimensional chunk. */
const CHUNK_LENGTH = 1 << 16;
/** A smaller dataset is stored in one piece. */
const CHUNKED_FROM_BYTES = 1 << 16;
const HEAP_ITEMS = 4_000;
const HEAP_BYTES = 1 << 16;

/**
 * Writes an HDF5 file front to back: values go to the file as they come, in memory are the tree of groups and a chunk.
 * h5wasm is for reading; its writer knows no booleans, no 16-bit floats, no text with NUL characters and keeps all texts
 * of a dataset in memory. What this writes, h5wasm reads, so each checks the other.
 *
 * @source HDF5 File Format Specification, version 3.0 (superblock 2, object headers 2, version 1 B-trees)
 */
export class Hdf5Writer {
  readonly #descriptor: number;
  readonly #filters: readonly Filter[];
  readonly #root: Group = { links: new Map(), attributes: {} };
  #end = SUPERBLOCK_BYTES;

  /** @param file  absolute path; must not exist. @param compression  of datasets of 64 KB and more */
  constructor(file: string, compression: 'gzip' | 'none') {
    this.#descriptor = fs.openSync(file, 'wx');
    this.#filters = compression === 'gzip' ? [{ name: 'shuffle' }, { name: 'deflate', level: 1 }] : [];
    this.append(Buffer.alloc(0));
  }

  /** Makes a group, and those above it. The root is `''`. */
  group(path: string, attributes: Attributes): void {
    this.#groupAt(path).attributes = attributes;
  }

  dataset(path: string, spec: DatasetSpec): DatasetWriter {
    const slash = path.lastIndexOf('/');
    const parent = this.#groupAt(path.slice(0, Math.max(0, slash)));
    const link = (address: number): void => {
      const name = path.slice(slash + 1);
      if (parent.links.has(name)) throw new Error(`${path} is written twice`);
      parent.links.set(name, address);
    };
    return new OpenDataset(this, { path, spec, link, filters: this.#filters });
  }

  /** Writes one dataset whose values are all there. */
  values(path: string, spec: DatasetSpec, values: Uint8Array | readonly string[]): void {
    const writer = this.dataset(path, spec);
    if (values instanceof Uint8Array) writer.write(values);
    else writer.writeTexts(values);
    writer.finish();
  }

  /** Writes the groups and the superblock, and hands the file to the disk. */
  finish(): void {
    const root = this.#writeGroup('', this.#root);
    this.writeAt(0, superblock(root, this.#end));
    fs.fsyncSync(this.#descriptor);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #groupAt(path: string): Group {
    let group = this.#root;
    for (const name of path === '' ? [] : path.split('/')) {
      const found = group.links.get(name);
      if (typeof found === 'number') throw new Error(`${path}: ${name} is a dataset`);
      const next: Group = found ?? { links: new Map(), attributes: {} };
      if (found === undefined) group.links.set(name, next);
      group = next;
    }
    return group;
  }

  #writeGroup(path: string, group: Group): number {
    const messages: Message[] = [...groupMessages(), ...this.attributes(path, group.attributes)];
    for (const [name, target] of group.links) {
      const below = path === '' ? name : `${path}/${name}`;
      messages.push(linkMessage(name, typeof target === 'number' ? target : this.#writeGroup(below, target)));
    }
    return this.header(path, messages);
  }

  /** Writes an object header. @returns its address */
  header(path: string, messages: readonly Message[]): number {
    if (messages.some(([, body]) => body.length > MESSAGE_LIMIT_BYTES))
      throw new Hdf5LimitError(path, `an attribute or name is larger than the ${MESSAGE_LIMIT_BYTES} bytes of HDF5`);
    return this.append(objectHeader(messages));
  }

  attributes(path: string, attributes: Attributes): readonly Message[] {
    return Object.entries(attributes).map(([name, value]) => {
      if (typeof value === 'string') return attributeMessage(name, { type: TEXT, shape: [], data: this.heap([value]) });
      if (typeof value === 'boolean') {
        return attributeMessage(name, {
          type: { class: 'boolean', bytes: 1 },
          shape: [],
          data: Buffer.from([Number(value)]),
        });
      }
      if ('integers' in value) {
        const { integers } = value;
        const data = Buffer.from(BigInt64Array.from(integers, BigInt).buffer);
        return attributeMessage(name, {
          type: { class: 'integer', bytes: 8, signed: true },
          shape: [integers.length],
          data,
        });
      }
      if (value.length * TEXT.bytes > MESSAGE_LIMIT_BYTES - 100) {
        throw new Hdf5LimitError(path, `its attribute "${name}" has ${value.length} texts, HDF5 holds about 4,000`);
      }
      return attributeMessage(name, { type: TEXT, shape: [value.length], data: this.heap(value) });
    });
  }

  /** Puts texts on the heap. @returns their references, 16 bytes each */
  heap(texts: readonly string[]): Buffer {
    const references = Buffer.alloc(texts.length * TEXT.bytes);
    let items: Buffer[] = [];
    let size = 0;
    let first = 0;
    const flush = (): void => {
      if (items.length === 0) return;
      const address = this.append(heapCollection(items));
      for (const [i, item] of items.entries()) {
        const at = (first + i) * TEXT.bytes;
        references.writeUInt32LE(item.length, at);
        references.writeBigUInt64LE(BigInt(address), at + 4);
        references.writeUInt32LE(i + 1, at + 12);
      }
      first += items.length;
      items = [];
      size = 0;
    };
    for (const text of texts) {
      const item = Buffer.from(text, 'utf8');
      if (items.length >= HEAP_ITEMS || size + item.length > HEAP_BYTES) flush();
      items.push(item);
      size += item.length + 16;
    }
    flush();
    return references;
  }

  /** Takes room at the end of the file. @returns its address */
  reserve(sizeBytes: number): number {
    const address = this.#end;
    this.#end += (sizeBytes + 7) & ~7;
    return address;
  }

  /** @returns the address of what was written */
  append(bytes: Uint8Array): number {
    const address = this.reserve(bytes.byteLength);
    // A file must reach to where its superblock says that it ends.
    const padding = this.#end - address - bytes.byteLength;
    this.writeAt(address, padding === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(padding)]));
    return address;
  }

  writeAt(address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) {
      done += fs.writeSync(this.#descriptor, bytes, done, bytes.byteLength - done, address + done);
    }
  }
}

interface OpenDatasetOptions {
  readonly path: string;
  readonly spec: DatasetSpec;
  readonly filters: readonly Filter[];
  link(address: number): void;
}

class OpenDataset implements DatasetWriter {
  readonly #file: Hdf5Writer;
  readonly #options: OpenDatasetOptions;
  readonly #sizeBytes: number;
  readonly #chunk: readonly number[] | undefined;
  readonly #chunks: StoredChunk[] = [];
  /** Room for a dataset in one piece. */
  readonly #address: number | undefined;
  /** The part of a one-dimensional chunk that has come. */
  readonly #pending: Buffer;
  #filled = 0;
  #written = 0;

  constructor(file: Hdf5Writer, options: OpenDatasetOptions) {
    const { spec } = options;
    this.#file = file;
    this.#options = options;
    this.#sizeBytes = spec.shape === undefined ? 0 : spec.shape.reduce((size, n) => size * n, spec.type.bytes);
    const isLong = spec.shape?.length === 1 && this.#sizeBytes >= CHUNKED_FROM_BYTES && options.filters.length > 0;
    this.#chunk = spec.chunk ?? (isLong ? [Math.min(CHUNK_LENGTH, spec.shape?.[0] ?? 1)] : undefined);
    const isWhole = this.#chunk === undefined;
    this.#address = isWhole && this.#sizeBytes > 0 ? file.reserve(this.#sizeBytes) : undefined;
    this.#pending = Buffer.alloc(isWhole || spec.chunk !== undefined ? 0 : (this.#chunk?.[0] ?? 0) * spec.type.bytes);
  }

  write(values: Uint8Array): void {
    if (this.#address !== undefined) {
      this.#file.writeAt(this.#address + this.#written, values);
      this.#written += values.byteLength;
      return;
    }
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length; ) {
      if (this.#pending.length === 0) throw new Error(`${this.#options.path} takes no values`);
      const count = Math.min(bytes.length - done, this.#pending.length - this.#filled);
      bytes.copy(this.#pending, this.#filled, done, done + count);
      this.#filled += count;
      done += count;
      this.#written += count;
      if (this.#filled === this.#pending.length) this.#flush();
    }
  }

  writeTexts(texts: readonly string[]): void {
    this.write(this.#file.heap(texts));
  }

  writeChunk(offset: readonly number[], values: Uint8Array): void {
    const { spec, path } = this.#options;
    const { chunk = [], shape = [], type } = spec;
    if (values.byteLength !== chunk.reduce((size, n) => size * n, type.bytes)) throw new Error(`${path}: half a chunk`);
    this.#store(offset, values);
    this.#written += shape.reduce(
      (size, n, axis) => size * Math.min(n - (offset[axis] ?? 0), chunk[axis] ?? 0),
      type.bytes,
    );
  }

  finish(): void {
    const { path, spec, filters, link } = this.#options;
    if (this.#filled > 0) this.#flush();
    if (this.#written !== this.#sizeBytes) {
      throw new Error(`${path}: ${this.#written} bytes were written, its shape asks for ${this.#sizeBytes}`);
    }
    const chunk = this.#chunk;
    const storage =
      chunk === undefined
        ? ({ layout: 'contiguous', address: this.#address, sizeBytes: this.#sizeBytes } as const)
        : ({ layout: 'chunked', tree: this.#index(chunk), chunk, filters } as const);
    const messages = [
      ...datasetMessages(spec.type, spec.shape, storage),
      ...this.#file.attributes(path, spec.attributes ?? {}),
    ];
    link(this.#file.header(path, messages));
  }

  #flush(): void {
    const position = this.#chunks.length * (this.#chunk?.[0] ?? 0);
    // The last chunk is stored whole, with zeros behind the end.
    this.#pending.fill(0, this.#filled);
    this.#store([position], this.#pending);
    this.#filled = 0;
  }

  #store(offset: readonly number[], values: Uint8Array): void {
    let stored = values;
    for (const filter of this.#options.filters) {
      stored =
        filter.name === 'shuffle'
          ? shuffled(stored, this.#options.spec.type.bytes)
          : zlib.deflateSync(stored, { level: filter.level });
    }
    this.#chunks.push({ offset, sizeBytes: stored.byteLength, address: this.#file.append(stored) });
  }

  /** Writes the B-tree over the chunks, from its leaves up. @returns the address of its root */
  #index(chunk: readonly number[]): number | undefined {
    const { shape = [] } = this.#options.spec;
    const end = chunk.map((edge, axis) => (axis === 0 ? Math.ceil((shape[0] ?? 0) / edge) * edge : 0));
    let nodes: readonly StoredChunk[] = [...this.#chunks].sort((a, b) => comparePositions(a.offset, b.offset));
    for (let level = 0; nodes.length > 1 || level === 0; level++) {
      if (nodes.length === 0) return undefined;
      const above: StoredChunk[] = [];
      for (let from = 0; from < nodes.length; from += CHUNKS_PER_NODE) {
        const children = nodes.slice(from, from + CHUNKS_PER_NODE);
        const next = nodes[from + CHUNKS_PER_NODE]?.offset ?? end;
        const address = this.#file.append(chunkNode(level, children, next));
        const first = children[0];
        if (first !== undefined) above.push({ ...first, address });
      }
      nodes = above;
    }
    return nodes[0]?.address;
  }
}

function comparePositions(a: readonly number[], b: readonly number[]): number {
  for (const [axis, position] of a.entries()) {
    const difference = position - (b[axis] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Byte 0 of all elements, then byte 1 of all elements …: what deflate packs best. */
function shuffled(values: Uint8Array, width: number): Uint8Array {
  if (width === 1) return values;
  const count = values.byteLength / width;
  const out = new Uint8Array(values.byteLength);
  for (let byte = 0, at = 0; byte < width; byte++) {
    for (let i = byte; i < values.byteLength; i += width) out[at++] = values[i] ?? 0;
  }
  if (!Number.isInteger(count)) throw new Error('a chunk of broken elements');
  return out;
}
