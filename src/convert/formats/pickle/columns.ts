import type { NumberType } from '../../../effects/parquet-writer.js';
import { type Json, jsonText } from '../../json.js';
import type { MemoryColumn } from '../../memory-table.js';
import { dtypeName, type NdArray, ndarrayOf, numbersOf, rowOf } from './arrays.js';
import {
  describeValue,
  entryOf,
  isKind,
  itemsOf,
  PickleError,
  type PObject,
  type PValue,
  shortName,
} from './values.js';

const NOT_A_TIME = -(2n ** 63n);
const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  D: 86_400_000_000_000n,
};
const TYPES: Readonly<Record<string, NumberType>> = {
  bool: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  uint8: 'UTINYINT',
  uint16: 'USMALLINT',
  uint32: 'UINTEGER',
  uint64: 'UBIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
};

/** How many columns an array of a block holds: extension arrays hold one. */
export function arrayRows(value: PValue | undefined): number {
  const array = isKind(value, 'object') && isArrayCall(value) ? ndarrayOf(value) : backing(value);
  return array === undefined || array.shape.length < 2 ? 1 : (array.shape[0] ?? 0);
}

function isArrayCall({ callee }: PObject): boolean {
  return /\._(?:reconstruct|frombuffer)$/.test(callee);
}

/** What stands behind an extension array of pandas that is backed by NumPy. */
function backing(value: PValue | undefined): NdArray | undefined {
  if (!isKind(value, 'object')) return undefined;
  const parts = itemsOf(value.state);
  const array =
    parts.length > 0 ? parts.find(isArray) : (entryOf(value.state, '_ndarray') ?? entryOf(value.state, '_codes'));
  return array === undefined ? undefined : ndarrayOf(array);
}

function isArray(value: PValue | undefined): boolean {
  return isKind(value, 'object') && isArrayCall(value);
}

/**
 * One column, out of a NumPy array (a row of a two-dimensional one) or an extension array of pandas.
 *
 * @throws PickleError for an array that is not known
 */
export function columnOf(original: string, value: PValue | undefined, row = 0): MemoryColumn {
  if (!isKind(value, 'object'))
    throw new PickleError(`has ${describeValue(value)} where values of "${original}" are expected`);
  if (isArrayCall(value)) return plain(original, rowOf(ndarrayOf(value), row));
  const name = shortName(value.callee) === '__pyx_unpickle_NDArrayBacked' ? classOf(value) : shortName(value.callee);
  switch (name) {
    case 'IntegerArray':
    case 'FloatingArray':
    case 'BooleanArray':
      return masked(original, value);
    case 'Categorical':
      return categorical(original, value);
    case 'StringArray':
    case 'NumpyExtensionArray':
    case 'PandasArray':
    case 'DatetimeArray':
    case 'TimedeltaArray': {
      const array = backing(value);
      if (array === undefined) throw new PickleError(`has a ${name} without values`);
      const column = plain(original, rowOf(array, row));
      const dtype = itemsOf(value.state)[0] ?? entryOf(value.state, '_dtype');
      if (name === 'StringArray') return { ...column, description: { dtype: stringDtype(dtype) } };
      return zoned(column, dtype);
    }
    default:
      throw new PickleError(`has values of class ${value.callee} in "${original}", which is not supported`);
  }
}

function classOf(value: PObject): string {
  const [owner] = value.args;
  return isKind(owner, 'global') ? shortName(owner.name) : '';
}

/** `str` is the default of pandas 3, whose missing value is NaN; `string` the one before, with NA. */
function stringDtype(dtype: PValue | undefined): string {
  const missing = isKind(dtype, 'object') ? dtype.args[1] : undefined;
  return typeof missing === 'number' ? 'str' : 'string';
}

/** Times of a time zone are instants. */
function zoned(column: MemoryColumn, dtype: PValue | undefined): MemoryColumn {
  if (!isKind(dtype, 'object') || shortName(dtype.callee) !== 'DatetimeTZDtype') return column;
  const [unit, zone] = dtype.args.length > 0 ? dtype.args : [entryOf(dtype.state, 'unit'), entryOf(dtype.state, 'tz')];
  const description = { dtype: `datetime64[${typeof unit === 'string' ? unit : 'ns'}, ${zoneName(zone)}]` };
  const { values } = column;
  if (column.type !== 'TIMESTAMP_NS' || values.kind !== 'numbers' || !(values.numbers instanceof BigInt64Array)) {
    return { ...column, type: 'TIMESTAMP WITH TIME ZONE', description };
  }
  // No type holds an instant in nanoseconds: the whole number does.
  return { ...column, type: 'BIGINT', description };
}

function zoneName(zone: PValue | undefined): string {
  if (isKind(zone, 'object')) {
    const [name] = zone.args;
    if (typeof name === 'string') return name;
    if (zone.callee === 'datetime.timezone' || zone.callee === 'pytz._UTC') return 'UTC';
  }
  if (isKind(zone, 'global')) return 'UTC';
  return describeValue(zone);
}

function masked(original: string, value: PObject): MemoryColumn {
  const data = ndarrayOf(entryOf(value.state, '_data'));
  const mask = numbersOf(ndarrayOf(entryOf(value.state, '_mask')));
  const column = plain(original, rowOf(data, 0));
  const { values } = column;
  if (values.kind !== 'numbers' || values.numbers.length !== mask.length) {
    throw new PickleError(`has ${mask.length} marks of missing values for other values in "${original}"`);
  }
  const isNull = Uint8Array.from({ length: mask.length }, (_, i) => (Number(mask[i]) === 0 ? 0 : 1));
  const plainName = dtypeName(data.dtype);
  const dtype =
    plainName === 'bool'
      ? 'boolean'
      : plainName.replace(/^(u?)(int|float)/, (_, u: string, rest: string) =>
          u === '' ? `${rest.charAt(0).toUpperCase()}${rest.slice(1)}` : 'UInt',
        );
  return { ...column, values: { kind: 'numbers', numbers: values.numbers, isNull }, description: { dtype } };
}

function categorical(original: string, value: PObject): MemoryColumn {
  const dtype =
    itemsOf(value.state).find((part) => isKind(part, 'object') && shortName(part.callee) === 'CategoricalDtype') ??
    entryOf(value.state, '_dtype');
  if (!isKind(dtype, 'object')) throw new PickleError(`has a categorical without a dtype in "${original}"`);
  const codes = backing(value);
  if (codes === undefined) throw new PickleError(`has a categorical without codes in "${original}"`);
  const [firstArg, secondArg] = dtype.args;
  const categories = indexColumn('categories', entryOf(dtype.state, 'categories') ?? firstArg ?? null);
  const ordered = (entryOf(dtype.state, 'ordered') ?? secondArg) === true;
  const texts = cellsOf(categories);
  const numbers = numbersOf(codes);
  const picked = Array.from({ length: numbers.length }, (_, row) => {
    const at = Number(numbers[row]);
    if (at >= -1 && at < texts.length) return at < 0 ? null : (texts[at] ?? null);
    throw new PickleError(`has code ${at} in row ${row} of "${original}", but there are ${texts.length} categories`);
  });
  const description = { dtype: 'category', categories: texts, categories_dtype: categories.description.dtype, ordered };
  return { ...objects(original, picked), description };
}

/** Values of a column as JSON and as an object column would hold them. */
function cellsOf({ values, type }: MemoryColumn): readonly (string | number | bigint | boolean | null)[] {
  if (values.kind === 'texts') return values.texts;
  return Array.from({ length: values.numbers.length }, (_, i) => {
    if (values.isNull?.[i] === 1) return null;
    const value = values.numbers[i] ?? 0;
    return type === 'BOOLEAN' ? value !== 0 : value;
  });
}

/** An index as a column. */
export function indexColumn(original: string, value: PValue | undefined): MemoryColumn {
  if (isKind(value, 'object')) {
    const [, data] = value.args;
    if (shortName(value.callee) === '_new_Index' || shortName(value.callee) === '_new_DatetimeIndex') {
      const range = rangeOf(value);
      if (range !== undefined) {
        const numbers = BigInt64Array.from({ length: range.length }, (_, i) => BigInt(range.start + i * range.step));
        return { original, type: 'BIGINT', values: { kind: 'numbers', numbers }, description: { dtype: 'int64' } };
      }
      const values = entryOf(data, 'data');
      return zonedIndex(columnOf(original, values), data);
    }
    return columnOf(original, value);
  }
  throw new PickleError(`has ${describeValue(value)} where an index is expected`);
}

/** pandas 1 and 2 keep the time zone of an index beside its values. */
function zonedIndex(column: MemoryColumn, data: PValue | undefined): MemoryColumn {
  const zone = entryOf(data, 'tz');
  if (zone === undefined || zone === null || column.type !== 'TIMESTAMP') return column;
  return { ...column, type: 'TIMESTAMP WITH TIME ZONE', description: { dtype: `datetime64[ns, ${zoneName(zone)}]` } };
}

export interface Range {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

const MAX_RANGE = 2 ** 31 - 1;

/** A RangeIndex, which stands in a file as three numbers. */
export function rangeOf(value: PValue | undefined): Range | undefined {
  if (!isKind(value, 'object')) return undefined;
  const [owner, data] = value.args;
  if (!isKind(owner, 'global') || shortName(owner.name) !== 'RangeIndex') return undefined;
  const [start, stop, step] = ['start', 'stop', 'step'].map((key) => Number(entryOf(data, key) ?? Number.NaN));
  if (start === undefined || stop === undefined || step === undefined || !Number.isInteger(step) || step === 0) {
    throw new PickleError('has a range without start, stop and step');
  }
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new PickleError(`has a range of ${length} numbers`);
  return { start, step, length };
}

function plain(original: string, array: NdArray): MemoryColumn {
  const { dtype, content } = array;
  const name = dtypeName(dtype);
  const description = { dtype: dtype.isBigEndian ? `>${dtype.kind}${dtype.bytes}` : name };
  if (content.kind === 'items') return objects(original, content.items);
  if (dtype.kind === 'U' || dtype.kind === 'S') return { ...fixedTexts(original, array), description };
  if (dtype.kind === 'M' || dtype.kind === 'm') return { ...times(original, array), description };
  const type = TYPES[name];
  if (type === undefined)
    throw new PickleError(`has values of dtype ${name} in "${original}", which are not supported`);
  return { original, type, values: { kind: 'numbers', numbers: numbersOf(array) }, description };
}

/** Times in microseconds where that loses nothing, else in nanoseconds; durations as whole numbers of their unit. */
function times(original: string, array: NdArray): Omit<MemoryColumn, 'description'> {
  const raw = numbersOf(array);
  if (!(raw instanceof BigInt64Array)) throw new PickleError(`has times of another width in "${original}"`);
  const isNull = Uint8Array.from(raw, (value) => (value === NOT_A_TIME ? 1 : 0));
  const values = (numbers: BigInt64Array<ArrayBuffer>): MemoryColumn['values'] => ({
    kind: 'numbers',
    numbers,
    isNull,
  });
  if (array.dtype.kind === 'm') return { original, type: 'BIGINT', values: values(raw) };
  const scale = NANOSECONDS[array.dtype.unit ?? ''];
  if (scale === undefined) throw new PickleError(`has times in the unit "${array.dtype.unit}", which is not supported`);
  if (scale === 1n && raw.some((value) => value !== NOT_A_TIME && value % 1000n !== 0n)) {
    return { original, type: 'TIMESTAMP_NS', values: values(raw) };
  }
  const limit = 2n ** 62n;
  const micro = raw.map((value) => {
    if (value === NOT_A_TIME) return 0n;
    const scaled = scale === 1n ? value / 1000n : value * (scale / 1000n);
    if (scaled > limit || scaled < -limit) throw new PickleError(`has a time beyond the calendar in "${original}"`);
    return scaled;
  });
  return { original, type: 'TIMESTAMP', values: values(micro) };
}

function fixedTexts(original: string, array: NdArray): Omit<MemoryColumn, 'description'> {
  const { dtype, content } = array;
  const bytes = content.kind === 'bytes' ? content.bytes : new Uint8Array();
  const count = dtype.bytes === 0 ? 0 : bytes.length / dtype.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts = Array.from({ length: count }, (_, i) => {
    const from = i * dtype.bytes;
    if (dtype.kind === 'S')
      return Buffer.from(bytes.subarray(from, from + dtype.bytes))
        .toString('utf8')
        .replace(/\0+$/, '');
    let text = '';
    for (let at = from; at < from + dtype.bytes; at += 4) {
      const code = view.getUint32(at, !dtype.isBigEndian);
      if (code > 0x10ffff) throw new PickleError(`has a character beyond Unicode in "${original}"`);
      text += String.fromCodePoint(code);
    }
    return text.replace(/\0+$/, '');
  });
  return { original, type: 'VARCHAR', values: { kind: 'texts', texts } };
}

/** A column of Python objects: of one kind it becomes that type, of several each value is JSON. */
function objects(original: string, items: readonly PValue[]): MemoryColumn {
  const description = { dtype: 'object' };
  const isMissing = (item: PValue): boolean =>
    item === null ||
    (typeof item === 'number' && Number.isNaN(item)) ||
    (isKind(item, 'global') && shortName(item.name) === 'NA') ||
    (isKind(item, 'object') && /NaT|_nat_unpickle|NAType/.test(item.callee));
  const present = items.filter((item) => !isMissing(item));
  const isNull = Uint8Array.from(items, (item) => (isMissing(item) ? 1 : 0));
  const isAll = (test: (item: PValue) => boolean): boolean => present.length > 0 && present.every(test);
  if (isAll((item) => typeof item === 'boolean')) {
    const numbers = Uint8Array.from(items, (item) => (item === true ? 1 : 0));
    return { original, type: 'BOOLEAN', values: { kind: 'numbers', numbers, isNull }, description };
  }
  if (isAll((item) => typeof item === 'number' && Number.isSafeInteger(item) && !Object.is(item, -0))) {
    const numbers = BigInt64Array.from(items, (item, i) => (isNull[i] === 1 ? 0n : BigInt(Number(item))));
    return { original, type: 'BIGINT', values: { kind: 'numbers', numbers, isNull }, description };
  }
  if (isAll((item) => typeof item === 'number')) {
    const numbers = Float64Array.from(items, (item, i) => (isNull[i] === 1 ? 0 : Number(item)));
    return { original, type: 'DOUBLE', values: { kind: 'numbers', numbers, isNull }, description };
  }
  const texts = items.map((item, i) =>
    isNull[i] === 1
      ? null
      : typeof item === 'string'
        ? item
        : typeof item === 'bigint'
          ? String(item)
          : jsonText(toJson(item)),
  );
  return { original, type: 'VARCHAR', values: { kind: 'texts', texts }, description };
}

export { objects as objectColumn, plain as plainColumn };

const MAX_JSON_DEPTH = 32;
const MAX_JSON_ITEMS = 100_000;

/** A small value as JSON. Values that were memoised and repeated are repeated, up to a limit. */
export function toJson(value: PValue, budget = { left: MAX_JSON_ITEMS }, depth = 0): Json {
  if (--budget.left < 0 || depth > MAX_JSON_DEPTH) throw new PickleError('has a value that repeats itself without end');
  if (value === null || typeof value !== 'object') return value;
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return value.items.map((item) => toJson(item, budget, depth + 1));
    case 'dict':
      return Object.fromEntries(
        value.pairs.map(([key, item]) => [
          typeof key === 'string' ? key : jsonText(toJson(key, budget, depth + 1)),
          toJson(item, budget, depth + 1),
        ]),
      );
    case 'bytes':
      return Buffer.from(value.bytes).toString('base64');
    case 'global':
    case 'object':
      throw new PickleError(`has ${describeValue(value)} as a value, which is not supported`);
  }
}
