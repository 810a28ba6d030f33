import { messageOf } from '../domain/diagnostic.js';

/** What one element of a dataset, or one field of a compound, is made of. Numbers always arrive little endian. */
export type Hdf5Type =
  | { readonly class: 'integer'; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly class: 'float'; readonly bytes: 2 | 4 | 8 }
  /** An enumeration of FALSE and TRUE in one byte, as h5py writes booleans. */
  | { readonly class: 'boolean'; readonly bytes: 1 }
  | { readonly class: 'string'; readonly bytes: number; readonly variable: boolean }
  | { readonly class: 'array'; readonly bytes: number; readonly base: Hdf5Type; readonly shape: readonly number[] }
  | { readonly class: 'compound'; readonly bytes: number; readonly fields: readonly Hdf5Field[] }
  | { readonly class: 'other'; readonly bytes: number; readonly name: string };

export interface Hdf5Field {
  readonly name: string;
  /** Bytes from the start of the compound. */
  readonly offset: number;
  readonly type: Hdf5Type;
}

export type Hdf5Scalar = string | number | bigint | boolean;

/** Loads h5wasm's default build: it runs in memory, while `h5wasm/node` reads and writes files of this machine. */
export async function wasmModule(): Promise<WasmModule> {
  const { ready } = await import('h5wasm');
  // The typings of h5wasm need @types/emscripten, which it does not bring; `WasmModule` names what is used here.
  return (await ready) as unknown as WasmModule;
}

/** The part of h5wasm's module that is used here; see its `src/hdf5_util_helpers.d.ts`. */
export interface WasmModule {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  readonly H5F_ACC_RDONLY: number;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  readonly FS: {
    readonly ErrnoError: new (code: number) => Error;
    analyzePath(path: string): { readonly exists: boolean };
    lookupPath(path: string): { readonly node: WasmNode };
    mkdirTree(path: string): void;
    unlink(path: string): void;
    writeFile(path: string, data: Uint8Array): void;
  };
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  activate_throwing_error_handler(): number;
  open(name: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(id: bigint): number;
  get_names(id: bigint, path: string, recursive: boolean): readonly string[];
  get_type(id: bigint, path: string): number;
  get_symbolic_link(id: bigint, path: string): string | null;
  get_external_link(id: bigint, path: string): { readonly filename?: string };
  get_attribute_names(id: bigint, path: string): readonly string[];
  get_attribute_metadata(id: bigint, path: string, name: string): WasmMetadata;
  get_attribute_data(id: bigint, path: string, name: string, pointer: bigint): number;
  get_dataset_metadata(id: bigint, path: string): WasmMetadata;
  get_dataset_filters(id: bigint, path: string): readonly { readonly id: number; readonly name: string }[];
  get_dataset_data(
    id: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    pointer: bigint,
  ): number;
  get_referenced_name(id: bigint, reference: Uint8Array, isObject: boolean): string;
  get_plugin_search_paths(): readonly string[];
  reclaim_vlen_memory(id: bigint, path: string, attribute: string, pointer: bigint): number;
  reclaim_vlen_memory_count(
    id: bigint,
    path: string,
    attribute: string,
    pointer: bigint,
    count: readonly bigint[],
  ): number;
}

export interface WasmNode {
  node_ops: { getattr(node: WasmNode): object };
  stream_ops: {
    read?: (stream: WasmStream, buffer: Uint8Array, offset: number, length: number, position: number) => number;
    llseek?: (stream: WasmStream, offset: number, whence: number) => number;
    mmap?: undefined;
  };
}

export interface WasmStream {
  readonly position: number;
}

export interface WasmMetadata {
  /** The class, numbered as in H5T_class_t. */
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  readonly vlen: boolean;
  readonly total_size: number;
  readonly shape: readonly number[] | null;
  readonly chunks: readonly number[] | null;
  readonly ref_type?: 'object' | 'region';
  readonly array_type?: WasmMetadata;
  readonly enum_type?: { readonly members: Readonly<Record<string, number>> };
  readonly compound_type?: {
    readonly members: readonly (WasmMetadata & { readonly name: string; readonly offset: number })[];
  };
  readonly virtual_sources?: readonly object[];
}

export function typeOf(metadata: WasmMetadata): Hdf5Type {
  const bytes = metadata.size;
  switch (metadata.type) {
    case 0:
      if (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8)
        return { class: 'integer', bytes, signed: metadata.signed };
      return { class: 'other', bytes, name: `${bytes * 8}-bit integer` };
    case 1:
      if (bytes === 2 || bytes === 4 || bytes === 8) return { class: 'float', bytes };
      return { class: 'other', bytes, name: `${bytes * 8}-bit float` };
    case 3:
      return { class: 'string', bytes, variable: metadata.vlen };
    case 6: {
      const members = metadata.compound_type?.members ?? [];
      // HDF5 turns the byte order of a compound only when all its members share one.
      if (members.some((m) => isNumber(m) && m.littleEndian) && members.some((m) => isNumber(m) && !m.littleEndian)) {
        return { class: 'other', bytes, name: 'compound of mixed byte order' };
      }
      return {
        class: 'compound',
        bytes,
        fields: members.map((m) => ({ name: m.name, offset: m.offset, type: typeOf(m) })),
      };
    }
    case 7:
      return { class: 'other', bytes, name: `${metadata.ref_type ?? 'unknown'} reference` };
    case 8: {
      const names = metadata.enum_type?.members ?? {};
      const isBoolean = bytes === 1 && Object.keys(names).length === 2 && names.FALSE === 0 && names.TRUE === 1;
      return isBoolean ? { class: 'boolean', bytes: 1 } : { class: 'other', bytes, name: 'enumeration' };
    }
    case 10: {
      const base = metadata.array_type;
      if (base !== undefined) return { class: 'array', bytes, base: typeOf(base), shape: base.shape ?? [] };
      return { class: 'other', bytes, name: 'array' };
    }
    default:
      return {
        class: 'other',
        bytes,
        name: metadata.type === 9 ? 'variable-length sequence' : `type class ${metadata.type}`,
      };
  }
}

/** Integers larger than a byte and floats: what has a byte order. */
function isNumber(metadata: WasmMetadata): boolean {
  return (metadata.type === 0 || metadata.type === 1) && metadata.size > 1;
}

/** A type in a reader's words, for messages. */
export function describeType(type: Hdf5Type): string {
  switch (type.class) {
    case 'integer':
      return `${type.signed ? '' : 'u'}int${type.bytes * 8}`;
    case 'float':
      return `float${type.bytes * 8}`;
    case 'boolean':
      return 'bool';
    case 'string':
      return 'text';
    case 'array':
      return `array of ${describeType(type.base)}`;
    case 'compound':
      return 'compound';
    case 'other':
      return type.name;
  }
}

export function hasPointers(type: Hdf5Type): boolean {
  if (type.class === 'compound') return type.fields.some((field) => hasPointers(field.type));
  return (
    (type.class === 'string' && type.variable) || (type.class === 'other' && type.name === 'variable-length sequence')
  );
}

/**
 * Mends two faults of the lzf plugin of h5wasm-plugins 0.2.1. Where the file does not say how long a chunk is (h5py
 * leaves it out for variable-length text), the plugin takes the packed length for the unpacked one and fails: it gets
 * 16 MB instead. And it tells what failed by errno, through a function that h5wasm lacks, whose call corrupts the heap:
 * the import is renamed to `H5open`, which takes nothing and returns 0, so errno stands in the unused word at address 0.
 */
export function mendedLzf(module: Uint8Array): Uint8Array {
  const bytes = Buffer.from(module);
  // local.get 4, i32.load, local.set 1, end: length = *buf_size. The first five bytes become i32.const 16 Mi.
  const takesPackedLength = bytes.indexOf(Buffer.from([0x20, 0x04, 0x28, 0x02, 0x00, 0x21, 0x01, 0x0b]));
  const wanted = Buffer.from('\x03env\x10__errno_location');
  const found = bytes.indexOf(wanted);
  const section = bytes.indexOf(Buffer.from([IMPORT_SECTION, 0x9b, 0x03]));
  if (takesPackedLength < 0 || found < 0 || section < 0) throw new Error('the lzf plugin is of an unknown build');
  bytes.set([0x41, 0x80, 0x80, 0x80, 0x08], takesPackedLength);
  const replacement = Buffer.from('\x03env\x06H5open');
  // The section's length, in LEB128, stays in two bytes.
  const length = 0x1b + (0x03 << 7) + replacement.length - wanted.length;
  bytes.set([(length & 0x7f) | 0x80, length >> 7], section + 1);
  return Buffer.concat([bytes.subarray(0, found), replacement, bytes.subarray(found + wanted.length)]);
}

const IMPORT_SECTION = 2;

export function allocate(wasm: WasmModule, bytes: number): number {
  const pointer = wasm._malloc(Math.max(bytes, 8));
  if (pointer === 0) throw new Error(`${bytes} bytes of memory could not be had`);
  // A pointer beyond 2 GiB comes back as a negative 32-bit number.
  return pointer >>> 0;
}

/** Reads strings in place: `stride` bytes from one to the next. UTF-8 whatever the declared character set, as h5py does. */
export function texts(
  wasm: WasmModule,
  type: Hdf5Type & { readonly class: 'string' },
  at: { readonly pointer: number; readonly count: number; readonly stride: number },
): readonly string[] {
  const heap = wasm.HEAPU8;
  const view = new DataView(heap.buffer);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return Array.from({ length: at.count }, (_, i) => {
    const from = at.pointer + i * at.stride;
    let start = from;
    let end = from + type.bytes;
    if (type.variable) {
      start = view.getUint32(from, true);
      if (start === 0) return '';
      end = heap.indexOf(0, start);
    } else while (end > start && heap[end - 1] === 0) end--;
    return decoder.decode(heap.subarray(start, end));
  });
}

/** Copies every `width` bytes of `stride` next to each other. */
export function pack(
  wasm: WasmModule,
  at: { readonly pointer: number; readonly count: number; readonly stride: number; readonly width: number },
): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(at.count * at.width);
  for (let i = 0; i < at.count; i++) {
    const from = at.pointer + i * at.stride;
    packed.set(wasm.HEAPU8.subarray(from, from + at.width), i * at.width);
  }
  return packed;
}

export function scalars(
  wasm: WasmModule,
  type: Hdf5Type,
  at: { readonly pointer: number; readonly count: number },
): readonly Hdf5Scalar[] {
  if (type.class === 'string') return texts(wasm, type, { ...at, stride: type.bytes });
  const view = new DataView(wasm.HEAPU8.buffer, at.pointer, at.count * type.bytes);
  return Array.from({ length: at.count }, (_, i) => scalarAt(view, type, i * type.bytes));
}

/** One number or boolean at a byte offset; 64-bit integers as bigint. */
export function scalarAt(view: DataView, type: Hdf5Type, offset: number): Hdf5Scalar {
  switch (type.class) {
    case 'boolean':
      return view.getUint8(offset) !== 0;
    case 'integer':
      if (type.bytes === 8) return type.signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
      if (type.bytes === 4) return type.signed ? view.getInt32(offset, true) : view.getUint32(offset, true);
      if (type.bytes === 2) return type.signed ? view.getInt16(offset, true) : view.getUint16(offset, true);
      return type.signed ? view.getInt8(offset) : view.getUint8(offset);
    case 'float':
      if (type.bytes === 8) return view.getFloat64(offset, true);
      return type.bytes === 4 ? view.getFloat32(offset, true) : halfToNumber(view.getUint16(offset, true));
    default:
      throw new Error(`${describeType(type)} is not supported here`);
  }
}

/** IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** HDF5 prints its whole stack of calls; the deepest one says what happened. */
export function reasonOf(thrown: unknown): string {
  const text = messageOf(thrown);
  const calls = [...text.matchAll(/#\d+: .* in \w+\(\): (.*)/g)];
  return calls.at(-1)?.[1] ?? text.split('\n')[0] ?? text;
}
