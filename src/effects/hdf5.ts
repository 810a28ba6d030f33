import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { ChunkReader } from './hdf5-chunks.js';
import {
  allocate,
  describeType,
  type Hdf5Field,
  type Hdf5Scalar,
  type Hdf5Type,
  hasPointers,
  mendedLzf,
  pack,
  reasonOf,
  scalars,
  texts,
  typeOf,
  type WasmModule,
  wasmModule,
} from './hdf5-decode.js';
import { HeapGuard } from './hdf5-heaps.js';

export { describeType, type Hdf5Field, type Hdf5Scalar, type Hdf5Type, halfToNumber } from './hdf5-decode.js';

export interface Hdf5Dataset {
  /** Inside the file, without a leading slash. */
  readonly path: string;
  readonly type: Hdf5Type;
  /** Undefined for a dataset without a value (a null dataspace). */
  readonly shape: readonly number[] | undefined;
  /** Edge lengths of a stored chunk; undefined for other layouts. */
  readonly chunks: readonly number[] | undefined;
}

export type Hdf5Attribute = Hdf5Scalar | readonly Hdf5Scalar[] | { readonly reference: string };
export type Hdf5Kind = 'group' | 'dataset' | 'soft link' | 'external link' | 'other';

/** A rectangular part of a dataset: per dimension its first index and its length. */
export interface Hyperslab {
  readonly offset: readonly number[];
  readonly count: readonly number[];
}

/** What is wrong with an HDF5 file, and where in it. Thrown, because the readers are called from a DuckDB callback. */
export class Hdf5Error extends Error {
  override readonly name = 'Hdf5Error';
  readonly path: string;
  constructor(path: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.path = path;
  }
}

/** An open file. Every method is synchronous and throws `Hdf5Error` with the path of what it could not read. */
export interface Hdf5File {
  readonly sizeBytes: number;
  /** What stands below a group, in the file's order; undefined when it is more than `limit`. Links are reported, never followed. */
  children(group: string, limit: number): readonly { readonly name: string; readonly kind: Hdf5Kind }[] | undefined;
  /** Undefined when the object has no attribute of that name. */
  attribute(path: string, name: string): Hdf5Attribute | undefined;
  dataset(path: string): Hdf5Dataset;
  /** The elements as bytes, row-major, little endian, in a buffer of the caller's own. */
  bytes(dataset: Hdf5Dataset, slab: Hyperslab): Uint8Array<ArrayBuffer>;
  /** The elements of a string dataset. */
  strings(dataset: Hdf5Dataset, slab: Hyperslab): readonly string[];
  /** The elements of a compound dataset, each field's elements after one another. */
  records(dataset: Hdf5Dataset, slab: Hyperslab): RecordBlock;
  close(): void;
}

/** Rows of a compound dataset, readable by field. */
export interface RecordBlock {
  readonly rowCount: number;
  /** The bytes of one field (numbers, arrays of numbers), packed. */
  bytes(field: Hdf5Field): Uint8Array<ArrayBuffer>;
  strings(field: Hdf5Field): readonly string[];
}

/**
 * Opens an HDF5 file for reading inside a sandbox: the HDF5 library sees one descriptor and an otherwise empty file
 * system, so a dataset with external storage, an external link or a virtual dataset cannot reach files of this machine
 * (with `h5wasm/node` a crafted file was seen to read /etc/passwd).
 *
 * @param file  absolute path
 * @throws Hdf5Error when it is not an HDF5 file, or cut off
 */
export async function openHdf5(file: string): Promise<Hdf5File> {
  const wasm = await wasmModule();
  const descriptor = fs.openSync(file, 'r');
  const name = `/${randomBytes(8).toString('hex')}.h5`;
  try {
    const sizeBytes = fs.fstatSync(descriptor).size;
    const signature = Buffer.alloc(8);
    fs.readSync(descriptor, signature, 0, 8, 0);
    if (sizeBytes === 0) throw new Hdf5Error('', 'the file is empty');
    // A user block may precede the signature (H5P_set_userblock); nothing in this field writes one, and it hides other formats.
    if (!signature.equals(SIGNATURE)) throw new Hdf5Error('', 'the file does not begin with the HDF5 signature');
    const heaps = mount(wasm, { descriptor, name, sizeBytes });
    wasm.activate_throwing_error_handler();
    let id: bigint;
    try {
      id = wasm.open(name, wasm.H5F_ACC_RDONLY, false, -1, -1);
    } catch (thrown) {
      throw new Hdf5Error('', `HDF5 cannot open the file: ${reasonOf(thrown)}`, { cause: thrown });
    }
    return new WasmFile(wasm, { id, descriptor, name, sizeBytes, heaps });
  } catch (thrown) {
    if (wasm.FS.analyzePath(name).exists) wasm.FS.unlink(name);
    fs.closeSync(descriptor);
    throw thrown;
  }
}

/** The pinned reader, for manifests. */
export const HDF5_LIBRARY = 'h5wasm 0.10.3';

const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Filters that are not built in, by their registered number, and the plugin that holds them. */
const PLUGINS: ReadonlyMap<number, string> = new Map([
  [307, 'bz2'],
  [32000, 'lzf'],
  [32001, 'blosc'],
  [32004, 'lz4'],
  [32008, 'bshuf'],
  [32015, 'zstd'],
  [32026, 'blosc2'],
]);
const LZF = 32000;
const LAST_BUILT_IN_FILTER = 6;
/** An attribute is read whole; the largest that is written in earnest is a column order. */
const ATTRIBUTE_LIMIT_BYTES = 64 << 20;

interface Mount {
  readonly descriptor: number;
  readonly name: string;
  readonly sizeBytes: number;
}

interface OpenMount extends Mount {
  readonly id: bigint;
  readonly heaps: HeapGuard;
}

/** A node of the in-memory file system whose bytes come from one descriptor. */
function mount(wasm: WasmModule, { descriptor, name, sizeBytes }: Mount): HeapGuard {
  const { FS } = wasm;
  // External storage may name a device: reading the terminal would wait for ever. HDF5 itself needs none of them.
  for (const device of ['stdin', 'tty', 'tty1', 'random', 'urandom']) {
    if (FS.analyzePath(`/dev/${device}`).exists) FS.unlink(`/dev/${device}`);
  }
  FS.writeFile(name, new Uint8Array(0));
  const node = FS.lookupPath(name).node;
  const { getattr } = node.node_ops;
  node.node_ops = { ...node.node_ops, getattr: (n) => ({ ...getattr(n), size: sizeBytes }) };
  const heaps = new HeapGuard(descriptor, sizeBytes);
  node.stream_ops = {
    ...node.stream_ops,
    read: (_stream, buffer, offset, length, position) => {
      if (position >= sizeBytes) return 0;
      const count = fs.readSync(descriptor, buffer, offset, Math.min(length, sizeBytes - position), position);
      const block = Buffer.from(buffer.buffer, buffer.byteOffset + offset, count);
      if (!heaps.isSound(block, position)) throw new FS.ErrnoError(29);
      return count;
    },
    llseek: (stream, offset, whence) => {
      const to = whence === 1 ? offset + stream.position : whence === 2 ? offset + sizeBytes : offset;
      if (to < 0) throw new FS.ErrnoError(28);
      return to;
    },
    mmap: undefined,
  };
  return heaps;
}

/** HDF5 hands the bytes of an enumeration over as they are. */
function checkBooleans(bytes: Uint8Array): void {
  const wrong = bytes.find((byte) => byte > 1);
  if (wrong !== undefined) throw new Error(`a boolean is ${wrong}, neither FALSE (0) nor TRUE (1)`);
}

class WasmFile implements Hdf5File {
  readonly sizeBytes: number;
  readonly #wasm: WasmModule;
  readonly #mount: OpenMount;
  readonly #chunks: ChunkReader;

  constructor(wasm: WasmModule, mounted: OpenMount) {
    this.#wasm = wasm;
    this.#mount = mounted;
    this.sizeBytes = mounted.sizeBytes;
    this.#chunks = new ChunkReader(mounted.descriptor, mounted.sizeBytes);
  }

  children(group: string, limit: number): ReturnType<Hdf5File['children']> {
    const names = this.#guard(group, () => this.#wasm.get_names(this.#mount.id, group === '' ? '/' : group, false));
    if (names.length > limit) return undefined;
    return names.map((name) => ({ name, kind: this.#linkKind(group === '' ? name : `${group}/${name}`) }));
  }

  #linkKind(path: string): Hdf5Kind {
    const wasm = this.#wasm;
    const { id } = this.#mount;
    return this.#guard(path, () => {
      // The link is asked before its target: `get_type` would follow it.
      if (wasm.get_symbolic_link(id, path) !== null) return 'soft link';
      if (wasm.get_external_link(id, path).filename !== undefined) return 'external link';
      const type = wasm.get_type(id, path);
      return type === wasm.H5G_GROUP ? 'group' : type === wasm.H5G_DATASET ? 'dataset' : 'other';
    });
  }

  attribute(path: string, name: string): Hdf5Attribute | undefined {
    const wasm = this.#wasm;
    const { id } = this.#mount;
    const at = path === '' ? '/' : path;
    return this.#guard(`${path}@${name}`, () => {
      if (!wasm.get_attribute_names(id, at).includes(name)) return undefined;
      const metadata = wasm.get_attribute_metadata(id, at, name);
      if (metadata.shape === null) return [];
      const byteCount = metadata.size * metadata.total_size;
      if (byteCount > ATTRIBUTE_LIMIT_BYTES)
        throw new Error(`the attribute is larger than ${ATTRIBUTE_LIMIT_BYTES} bytes`);
      const pointer = allocate(wasm, byteCount);
      try {
        wasm.get_attribute_data(id, at, name, BigInt(pointer));
        const type = typeOf(metadata);
        if (type.class === 'other' && type.name === 'object reference') {
          return { reference: wasm.get_referenced_name(id, wasm.HEAPU8.slice(pointer, pointer + metadata.size), true) };
        }
        const values = scalars(wasm, type, { pointer, count: metadata.total_size });
        if (metadata.vlen) wasm.reclaim_vlen_memory(id, at, name, BigInt(pointer));
        return metadata.shape.length === 0 ? (values[0] ?? '') : values;
      } finally {
        wasm._free(pointer);
      }
    });
  }

  dataset(path: string): Hdf5Dataset {
    return this.#guard(path, () => {
      const metadata = this.#wasm.get_dataset_metadata(this.#mount.id, path);
      // The sandbox would show a virtual dataset of another file as fill values, without an error.
      if (metadata.virtual_sources !== undefined)
        throw new Error('virtual datasets point into other files and are refused');
      const type = typeOf(metadata);
      for (const filter of this.#wasm.get_dataset_filters(this.#mount.id, path)) this.#provide(filter);
      return { path, type, shape: metadata.shape ?? undefined, chunks: metadata.chunks ?? undefined };
    });
  }

  bytes(dataset: Hdf5Dataset, slab: Hyperslab): Uint8Array<ArrayBuffer> {
    return this.#chunked(dataset, slab) ?? this.#throughWasm(dataset, slab);
  }

  /** The way of sparse matrices, in a third of the time. */
  #chunked({ path, type, shape, chunks }: Hdf5Dataset, { offset, count }: Hyperslab): ReturnType<ChunkReader['read']> {
    const [length] = shape ?? [];
    const [elementsPerChunk] = chunks ?? [];
    if (shape?.length !== 1 || length === undefined || elementsPerChunk === undefined) return undefined;
    if (type.class !== 'integer' && type.class !== 'float') return undefined;
    const [from = 0, wanted = 0] = [offset[0], count[0]];
    if (wanted < elementsPerChunk || from + wanted > length) return undefined;
    return this.#chunks.read({ path, length, bytesPerElement: type.bytes, elementsPerChunk, from, count: wanted });
  }

  #throughWasm(dataset: Hdf5Dataset, slab: Hyperslab): Uint8Array<ArrayBuffer> {
    return this.#read(dataset, slab, (pointer, count) => {
      const bytes = this.#wasm.HEAPU8.slice(pointer, pointer + count * dataset.type.bytes);
      if (dataset.type.class === 'boolean') checkBooleans(bytes);
      return bytes;
    });
  }

  strings(dataset: Hdf5Dataset, slab: Hyperslab): readonly string[] {
    const { type } = dataset;
    if (type.class !== 'string') throw new Hdf5Error(dataset.path, `expected text, found ${describeType(type)}`);
    return this.#read(dataset, slab, (pointer, count) =>
      texts(this.#wasm, type, { pointer, count, stride: type.bytes }),
    );
  }

  records(dataset: Hdf5Dataset, slab: Hyperslab): RecordBlock {
    const { type } = dataset;
    if (type.class !== 'compound')
      throw new Hdf5Error(dataset.path, `expected a compound, found ${describeType(type)}`);
    return this.#read(dataset, slab, (pointer, count) => {
      const wasm = this.#wasm;
      const packed = new Map<string, Uint8Array<ArrayBuffer>>();
      const words = new Map<string, readonly string[]>();
      for (const field of type.fields) {
        const first = pointer + field.offset;
        if (field.type.class === 'string') {
          words.set(field.name, texts(wasm, field.type, { pointer: first, count, stride: type.bytes }));
          continue;
        }
        const bytes = pack(wasm, { pointer: first, count, stride: type.bytes, width: field.type.bytes });
        if (field.type.class === 'boolean') checkBooleans(bytes);
        packed.set(field.name, bytes);
      }
      return {
        rowCount: count,
        bytes: (field) => packed.get(field.name) ?? new Uint8Array(0),
        strings: (field) => words.get(field.name) ?? [],
      };
    });
  }

  close(): void {
    const { id, name, descriptor } = this.#mount;
    try {
      this.#wasm.close_file(id);
    } finally {
      this.#wasm.FS.unlink(name);
      fs.closeSync(descriptor);
    }
  }

  #read<T>(dataset: Hdf5Dataset, slab: Hyperslab, take: (pointer: number, count: number) => T): T {
    const wasm = this.#wasm;
    const count = slab.count.reduce((product, n) => product * n, 1);
    if (dataset.shape === undefined || count === 0) return take(0, 0);
    return this.#guard(dataset.path, () => {
      const pointer = allocate(wasm, count * dataset.type.bytes);
      try {
        // A scalar has no dimensions to select from: null selects all of it.
        const counts = slab.count.length === 0 ? null : slab.count.map(BigInt);
        const offsets = counts === null ? null : slab.offset.map(BigInt);
        const strides = counts === null ? null : slab.count.map(() => 1n);
        // A corrupt chunk may leave the buffer partly unwritten, pointers to text included.
        wasm.HEAPU8.fill(0, pointer, pointer + count * dataset.type.bytes);
        const status = wasm.get_dataset_data(this.#mount.id, dataset.path, counts, offsets, strides, BigInt(pointer));
        if (status < 0) throw new Error('HDF5 could not read it');
        const taken = take(pointer, count);
        if (hasPointers(dataset.type)) {
          wasm.reclaim_vlen_memory_count(this.#mount.id, dataset.path, '', BigInt(pointer), counts ?? [1n]);
        }
        return taken;
      } finally {
        wasm._free(pointer);
      }
    });
  }

  /** Puts the plugin of a filter where HDF5 looks for it. */
  #provide(filter: { readonly id: number; readonly name: string }): void {
    if (filter.id <= LAST_BUILT_IN_FILTER) return;
    const plugin = PLUGINS.get(filter.id);
    if (plugin === undefined)
      throw new Error(`compressed with filter ${filter.id} (${filter.name}), which is not supported`);
    const { FS } = this.#wasm;
    const folder = this.#wasm.get_plugin_search_paths()[0] ?? '/usr/local/hdf5/lib/plugin';
    const file = `${folder}/libH5Z${plugin}.so`;
    if (FS.analyzePath(file).exists) return;
    const packageFolder = path.dirname(createRequire(import.meta.url).resolve('h5wasm-plugins/package.json'));
    FS.mkdirTree(folder);
    const bytes = fs.readFileSync(path.join(packageFolder, 'plugins', `libH5Z${plugin}.so`));
    FS.writeFile(file, filter.id === LZF ? mendedLzf(bytes) : bytes);
  }

  #guard<T>(at: string, read: () => T): T {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof Hdf5Error) throw thrown;
      throw new Hdf5Error(at, this.#mount.heaps.problem ?? reasonOf(thrown), { cause: thrown });
    }
  }
}
