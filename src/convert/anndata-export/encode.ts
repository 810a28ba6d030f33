import type { NumberArray, WritableType } from '../../effects/column-facts.js';
import { TEXT, type WrittenType } from '../../effects/hdf5-writer.js';

/** The attributes that name an element's encoding (anndata, docs/fileformat-prose.md). */
export function encoding(
  type: string,
  version: string,
): { readonly 'encoding-type': string; readonly 'encoding-version': string } {
  return { 'encoding-type': type, 'encoding-version': version };
}

export const ARRAY = encoding('array', '0.2.0');
export const TEXT_ARRAY = encoding('string-array', '0.2.0');
export const BOOLEAN: WrittenType = { class: 'boolean', bytes: 1 };

/** How DuckDB hands over a column, whatever its type: as itself where typed arrays hold it, otherwise as text or double. */
export function readableAs(duckdbType: string): { readonly type: WritableType; readonly cast?: 'text' | 'double' } {
  switch (duckdbType) {
    case 'BOOLEAN':
    case 'TINYINT':
    case 'UTINYINT':
    case 'SMALLINT':
    case 'USMALLINT':
    case 'INTEGER':
    case 'UINTEGER':
    case 'BIGINT':
    case 'UBIGINT':
    case 'FLOAT':
    case 'DOUBLE':
    case 'VARCHAR':
      return { type: duckdbType };
    default:
      return /^(?:DECIMAL|HUGEINT|UHUGEINT)/.test(duckdbType)
        ? { type: 'DOUBLE', cast: 'double' }
        : { type: 'VARCHAR', cast: 'text' };
  }
}

/** The HDF5 type that holds a column; 16-bit floats were widened on the way in, and go back by their dtype. */
export function writtenType(type: WritableType, dtype: string): WrittenType {
  switch (type) {
    case 'BOOLEAN':
      return BOOLEAN;
    case 'TINYINT':
      return { class: 'integer', bytes: 1, signed: true };
    case 'UTINYINT':
      return { class: 'integer', bytes: 1, signed: false };
    case 'SMALLINT':
      return { class: 'integer', bytes: 2, signed: true };
    case 'USMALLINT':
      return { class: 'integer', bytes: 2, signed: false };
    case 'INTEGER':
      return { class: 'integer', bytes: 4, signed: true };
    case 'UINTEGER':
      return { class: 'integer', bytes: 4, signed: false };
    case 'BIGINT':
      return { class: 'integer', bytes: 8, signed: true };
    case 'UBIGINT':
      return { class: 'integer', bytes: 8, signed: false };
    case 'FLOAT':
      return { class: 'float', bytes: dtype === 'float16' ? 2 : 4 };
    case 'DOUBLE':
      return { class: 'float', bytes: 8 };
    default:
      return TEXT;
  }
}

/** The column type of a dtype's name; text for one that is no number. */
export function typeOfDtype(dtype: string): WritableType {
  return DTYPES[dtype] ?? 'VARCHAR';
}

const DTYPES: Readonly<Record<string, WritableType>> = {
  bool: 'BOOLEAN',
  int8: 'TINYINT',
  uint8: 'UTINYINT',
  int16: 'SMALLINT',
  uint16: 'USMALLINT',
  int32: 'INTEGER',
  uint32: 'UINTEGER',
  int64: 'BIGINT',
  uint64: 'UBIGINT',
  float16: 'FLOAT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
};

/** Numbers as they are stored. */
export function storedBytes(numbers: NumberArray, type: WrittenType): Uint8Array {
  if (type.class === 'float' && type.bytes === 2)
    return bytesOf(Uint16Array.from(Array.from<number | bigint>(numbers), (n) => halfBits(Number(n))));
  return bytesOf(numbers);
}

export function bytesOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Values of JSON as the numbers of a type. 64-bit integers, NaN and the infinities stand as texts. */
export function numbersOfJson(values: readonly unknown[], type: WritableType): NumberArray {
  const number = (value: unknown): number => Number(value);
  switch (type) {
    case 'BIGINT':
      return BigInt64Array.from(values, (value) => BigInt(String(value)));
    case 'UBIGINT':
      return BigUint64Array.from(values, (value) => BigInt(String(value)));
    case 'DOUBLE':
      return Float64Array.from(values, number);
    case 'FLOAT':
      return Float32Array.from(values, number);
    case 'INTEGER':
      return Int32Array.from(values, number);
    case 'UINTEGER':
      return Uint32Array.from(values, number);
    case 'SMALLINT':
      return Int16Array.from(values, number);
    case 'USMALLINT':
      return Uint16Array.from(values, number);
    case 'TINYINT':
      return Int8Array.from(values, number);
    default:
      return Uint8Array.from(values, number);
  }
}

/** IEEE 754 binary16 of a number that is one: the way back from `halfToNumber`. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // Rounding up may carry into the exponent; adding does the same to the bits.
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}
