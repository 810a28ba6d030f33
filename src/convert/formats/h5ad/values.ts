import { describeType, type Hdf5Dataset, type Hdf5Type, type Hyperslab, halfToNumber } from '../../../effects/hdf5.js';
import type { NumberArray, NumberType } from '../../../effects/parquet-writer.js';
import type { H5adInput } from './input.js';

/** A type that becomes numbers or booleans in parquet. */
export type NumericType = Hdf5Type & { readonly class: 'integer' | 'float' | 'boolean' };

export function isNumeric(type: Hdf5Type): type is NumericType {
  return type.class === 'integer' || type.class === 'float' || type.class === 'boolean';
}

/** NumPy's name of a type, as manifests give it. */
export function dtypeOf(type: Hdf5Type): string {
  return type.class === 'string' ? 'object' : describeType(type);
}

/** The column type that holds every value of a numeric type (16-bit floats widen to FLOAT, which loses nothing). */
export function writableType(type: NumericType): NumberType {
  switch (type.class) {
    case 'boolean':
      return 'BOOLEAN';
    case 'float':
      return type.bytes === 8 ? 'DOUBLE' : 'FLOAT';
    case 'integer':
      switch (type.bytes) {
        case 1:
          return type.signed ? 'TINYINT' : 'UTINYINT';
        case 2:
          return type.signed ? 'SMALLINT' : 'USMALLINT';
        case 4:
          return type.signed ? 'INTEGER' : 'UINTEGER';
        case 8:
          return type.signed ? 'BIGINT' : 'UBIGINT';
      }
  }
}

/** Bytes as the typed array of their type; 16-bit floats are widened. */
export function numbersOf(type: NumericType, bytes: Uint8Array<ArrayBuffer>): NumberArray {
  // Slices of the wasm heap are buffers of their own, so they start at 0 and are aligned.
  const buffer = bytes.byteOffset === 0 ? bytes.buffer : bytes.slice().buffer;
  const length = bytes.byteLength / type.bytes;
  if (type.class === 'float' && type.bytes === 2) {
    return Float32Array.from(new Uint16Array(buffer, 0, length), halfToNumber);
  }
  switch (writableType(type)) {
    case 'BOOLEAN':
    case 'UTINYINT':
      return new Uint8Array(buffer, 0, length);
    case 'TINYINT':
      return new Int8Array(buffer, 0, length);
    case 'SMALLINT':
      return new Int16Array(buffer, 0, length);
    case 'USMALLINT':
      return new Uint16Array(buffer, 0, length);
    case 'INTEGER':
      return new Int32Array(buffer, 0, length);
    case 'UINTEGER':
      return new Uint32Array(buffer, 0, length);
    case 'BIGINT':
      return new BigInt64Array(buffer, 0, length);
    case 'UBIGINT':
      return new BigUint64Array(buffer, 0, length);
    case 'FLOAT':
      return new Float32Array(buffer, 0, length);
    case 'DOUBLE':
      return new Float64Array(buffer, 0, length);
  }
}

/** An array of the same kind, all zero. */
export function emptyLike(type: NumericType, length: number): NumberArray {
  if (type.class === 'float' && type.bytes === 2) return new Float32Array(length);
  return numbersOf(type, new Uint8Array(length * type.bytes));
}

export function numericDataset(
  input: H5adInput,
  path: string,
): Hdf5Dataset & { readonly type: NumericType; readonly shape: readonly number[] } {
  const dataset = input.dataset(path);
  const { type, shape } = dataset;
  if (!isNumeric(type)) throw input.error('SL0629', path, `numbers are expected, found ${describeType(type)}`);
  if (shape === undefined) throw input.error('SL0629', path, 'has no value');
  return { ...dataset, type, shape };
}

export function readNumbers(
  input: H5adInput,
  dataset: Hdf5Dataset & { readonly type: NumericType },
  slab: Hyperslab,
): NumberArray {
  return numbersOf(dataset.type, input.file.bytes(dataset, slab));
}

/** A part of a one-dimensional dataset. */
export function span(from: number, count: number): Hyperslab {
  return { offset: [from], count: [count] };
}

/**
 * A whole one-dimensional integer dataset as doubles (exact to 2^53): the pointers of a sparse matrix.
 */
export function readIntegers(input: H5adInput, path: string): Float64Array {
  const dataset = numericDataset(input, path);
  if (dataset.type.class !== 'integer' || dataset.shape.length !== 1) {
    throw input.error('SL0629', path, 'whole numbers in one dimension are expected');
  }
  const length = dataset.shape[0] ?? 0;
  const all = new Float64Array(length);
  const step = blockLength(dataset, 1 << 20);
  for (let from = 0; from < length; from += step) {
    const count = Math.min(step, length - from);
    const part = readNumbers(input, dataset, span(from, count));
    for (let i = 0; i < count; i++) all[from + i] = Number(part[i]);
  }
  return all;
}

/** Elements to read at once: near the wanted number, in whole chunks, because a chunk is inflated anew for each read. */
export function blockLength(dataset: Hdf5Dataset, wanted: number): number {
  const chunk = dataset.chunks?.[0] ?? 1;
  return Math.max(1, Math.round(wanted / chunk)) * chunk;
}
