import {
  describeType,
  type Hdf5Attribute,
  type Hdf5Dataset,
  type Hdf5Field,
  type Hdf5Type,
  type RecordBlock,
} from '../../../effects/hdf5.js';
import type { ColumnValues, NumberArray, WritableType } from '../../../effects/parquet-writer.js';
import type { Json, JsonObject } from '../../json.js';
import type { H5adInput } from './input.js';
import { dtypeOf, emptyLike, isNumeric, type NumericType, numbersOf, span, writableType } from './values.js';

/** A column of a data frame, readable in parts. */
export interface Series {
  readonly type: WritableType;
  readonly length: number;
  read(from: number, count: number): ColumnValues;
  /** Its dtype, and for a categorical its categories, for the manifest. */
  describe(): JsonObject;
}

/** Where raw values come from: a dataset of their own, or a field of a compound dataset. */
interface RawValues {
  readonly path: string;
  readonly type: Hdf5Type;
  readonly length: number;
  bytes(from: number, count: number): Uint8Array<ArrayBuffer>;
  texts(from: number, count: number): readonly string[];
}

/** The column that stands at a path, in the encodings of anndata 0.7 and later. */
export function seriesAt(input: H5adInput, path: string): Series {
  const encoding = input.encoding(path);
  if (input.kind(path) === 'group') {
    switch (encoding) {
      case 'categorical':
        return categorical(input, rawAt(input, `${path}/codes`), {
          values: rawAt(input, `${path}/categories`),
          ordered: isTrue(input.attribute(path, 'ordered')),
        });
      case 'nullable-integer':
      case 'nullable-boolean':
      case 'nullable-string-array':
        return nullable(input, rawAt(input, `${path}/values`), rawAt(input, `${path}/mask`));
      default:
        throw input.error('SL0623', path, `a group with encoding-type "${encoding ?? 'none'}" is no column`);
    }
  }
  if (encoding !== undefined && encoding !== 'array' && encoding !== 'string-array') {
    throw input.error('SL0623', path, `encoding-type "${encoding}" is no column`);
  }
  const values = rawAt(input, path);
  const categories = input.attribute(path, 'categories');
  if (categories === undefined) return plain(input, values);
  // anndata 0.7: codes here, categories where an HDF5 object reference points to.
  if (typeof categories !== 'object' || !('reference' in categories)) {
    throw input.error('SL0623', path, 'its attribute "categories" is not a reference');
  }
  const target = categories.reference.replace(/^\/+/, '');
  return categorical(input, values, {
    values: rawAt(input, target),
    ordered: isTrue(input.attribute(target, 'ordered')),
  });
}

function isTrue(value: Hdf5Attribute | undefined): boolean {
  return value === true || value === 1;
}

/** A field of a compound table as anndata 0.6 and earlier wrote; `categories`: where its categories stand, if it has any. */
export function seriesOfField(
  input: H5adInput,
  records: RecordReader,
  field: Hdf5Field,
  categories?: { readonly path: string },
): Series {
  const values = records.field(field);
  return categories === undefined
    ? plain(input, values)
    : categorical(input, values, { values: rawAt(input, categories.path), ordered: false });
}

/** Reads blocks of a compound dataset; columns of the same block share one read. */
export class RecordReader {
  readonly #input: H5adInput;
  readonly #dataset: Hdf5Dataset;
  readonly #length: number;
  #last: { readonly from: number; readonly block: RecordBlock } | undefined;

  constructor(input: H5adInput, dataset: Hdf5Dataset) {
    this.#input = input;
    this.#dataset = dataset;
    this.#length = dataset.shape?.[0] ?? 0;
  }

  field(field: Hdf5Field): RawValues {
    return {
      path: `${this.#dataset.path}[${field.name}]`,
      type: field.type,
      length: this.#length,
      bytes: (from, count) => this.#block(from, count).bytes(field),
      texts: (from, count) => this.#block(from, count).strings(field),
    };
  }

  #block(from: number, count: number): RecordBlock {
    if (this.#last?.from === from && this.#last.block.rowCount === count) return this.#last.block;
    const block = this.#input.file.records(this.#dataset, span(from, count));
    this.#last = { from, block };
    return block;
  }
}

function rawAt(input: H5adInput, path: string): RawValues {
  const encoding = input.encoding(path);
  if (encoding !== undefined && encoding !== 'array' && encoding !== 'string-array') {
    throw input.error('SL0623', path, `encoding-type "${encoding}" is not expected here`);
  }
  const dataset = input.dataset(path);
  if (dataset.shape?.length !== 1) {
    throw input.error('SL0624', path, `one dimension is expected, found ${dataset.shape?.length ?? 'none'}`);
  }
  return {
    path,
    type: dataset.type,
    length: dataset.shape[0] ?? 0,
    bytes: (from, count) => input.file.bytes(dataset, span(from, count)),
    texts: (from, count) => input.file.strings(dataset, span(from, count)),
  };
}

function numeric(input: H5adInput, values: RawValues): NumericType {
  if (isNumeric(values.type)) return values.type;
  throw input.error('SL0629', values.path, `${describeType(values.type)} is not supported in a column`);
}

function plain(input: H5adInput, values: RawValues): Series {
  const { length } = values;
  if (values.type.class === 'string') {
    return {
      type: 'VARCHAR',
      length,
      read: (from, count) => ({ kind: 'texts', texts: values.texts(from, count) }),
      describe: () => ({ dtype: 'object' }),
    };
  }
  const type = numeric(input, values);
  return {
    type: writableType(type),
    length,
    read: (from, count) => ({ kind: 'numbers', numbers: numbersOf(type, values.bytes(from, count)) }),
    describe: () => ({ dtype: dtypeOf(type) }),
  };
}

/** Values with a mask; where the mask is true the value is missing, whatever stands there. */
function nullable(input: H5adInput, values: RawValues, mask: RawValues): Series {
  if (mask.length !== values.length) {
    throw input.error('SL0624', mask.path, `has ${mask.length} entries, its values ${values.length}`);
  }
  // Writers without a boolean type (rhdf5) store the mask as bytes.
  if (mask.type.class !== 'boolean' && !(mask.type.class === 'integer' && mask.type.bytes === 1)) {
    throw input.error('SL0629', mask.path, 'booleans are expected');
  }
  const series = plain(input, values);
  return {
    type: series.type,
    length: series.length,
    read(from, count) {
      const isNull = mask.bytes(from, count).map((byte) => (byte === 0 ? 0 : 1));
      const read = series.read(from, count);
      return read.kind === 'numbers'
        ? { ...read, isNull }
        : { kind: 'texts', texts: read.texts.map((text, i) => (isNull[i] === 1 ? null : text)) };
    },
    describe: () => ({ dtype: nullableDtype(values.type) }),
  };
}

/** The names of pandas' nullable dtypes. */
function nullableDtype(type: Hdf5Type): string {
  if (type.class === 'string') return 'string';
  if (type.class === 'boolean') return 'boolean';
  return describeType(type).replace(/^(u?)int/, (_, u: string) => `${u.toUpperCase()}Int`);
}

/** Codes into categories; the parquet column holds the category itself, NULL for code -1. */
function categorical(
  input: H5adInput,
  codes: RawValues,
  categories: { readonly values: RawValues; readonly ordered: boolean },
): Series {
  const codeType = numeric(input, codes);
  if (codeType.class !== 'integer') throw input.error('SL0629', codes.path, 'whole numbers are expected as codes');
  const values = categories.values;
  const isText = values.type.class === 'string';
  const type: WritableType = isText ? 'VARCHAR' : writableType(numeric(input, values));
  // Read at the first block, once: planning needs no more than their type.
  let loaded: ColumnValues | undefined;
  const load = (): ColumnValues => {
    loaded ??= plain(input, values).read(0, values.length);
    return loaded;
  };
  return {
    type,
    length: codes.length,
    read(from, count) {
      const found = load();
      const part = numbersOf(codeType, codes.bytes(from, count));
      const code = (i: number): number => {
        const value = Number(part[i]);
        if (value >= -1 && value < values.length) return value;
        throw input.error(
          'SL0626',
          codes.path,
          `row ${from + i} has code ${value}, but there are ${values.length} categories`,
        );
      };
      if (found.kind === 'texts') {
        return { kind: 'texts', texts: Array.from({ length: count }, (_, i) => found.texts[code(i)] ?? null) };
      }
      const numbers = emptyLike(numeric(input, values), count);
      const isNull = new Uint8Array(count);
      for (let i = 0; i < count; i++) {
        const at = code(i);
        if (at < 0) isNull[i] = 1;
        else copyOne(found.numbers, at, numbers, i);
      }
      return { kind: 'numbers', numbers, isNull };
    },
    describe: () => ({
      dtype: 'category',
      categories: jsonValues(values.type, load()),
      categories_dtype: dtypeOf(values.type),
      ordered: categories.ordered,
    }),
  };
}

/** Copies one element between arrays of the same kind. */
function copyOne(from: NumberArray, fromIndex: number, to: NumberArray, toIndex: number): void {
  if (from instanceof BigInt64Array || from instanceof BigUint64Array) {
    if (to instanceof BigInt64Array || to instanceof BigUint64Array) to[toIndex] = from[fromIndex] ?? 0n;
  } else if (!(to instanceof BigInt64Array) && !(to instanceof BigUint64Array)) to[toIndex] = from[fromIndex] ?? 0;
}

/** Values as JSON: booleans as such, 64-bit integers with all their digits. */
export function jsonValues(type: Hdf5Type, values: ColumnValues): readonly Json[] {
  if (values.kind === 'texts') return values.texts;
  const { numbers, isNull } = values;
  return Array.from({ length: numbers.length }, (_, i) => {
    const value = numbers[i] ?? 0;
    return isNull?.[i] === 1 ? null : type.class === 'boolean' ? value !== 0 : value;
  });
}

/** The same series as text, for an index that is not text; numbers as pandas prints them. */
export function asText(series: Series): Series {
  if (series.type === 'VARCHAR') return series;
  const isFloat = series.type === 'FLOAT' || series.type === 'DOUBLE';
  const isBoolean = series.type === 'BOOLEAN';
  const textOf = (value: number | bigint): string => {
    if (isBoolean) return value === 1 ? 'True' : 'False';
    return isFloat && Number.isInteger(value) ? `${value}.0` : String(value);
  };
  return {
    type: 'VARCHAR',
    length: series.length,
    describe: () => series.describe(),
    read(from, count) {
      const values = series.read(from, count);
      if (values.kind === 'texts') return values;
      const { numbers, isNull } = values;
      const texts = Array.from({ length: count }, (_, i) => (isNull?.[i] === 1 ? null : textOf(numbers[i] ?? 0)));
      return { kind: 'texts', texts };
    },
  };
}
