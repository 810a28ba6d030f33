import type { JsonObject } from '../../json.js';
import { jsonText } from '../../json.js';
import type { MemoryColumn } from '../../memory-table.js';
import type { RInput } from './input.js';
import { toJson } from './json.js';
import {
  attribute,
  hasClass,
  members,
  missingDoubles,
  missingIntegers,
  NA_INTEGER,
  numbersOf,
  type RValue,
  type RVector,
  textOf,
  textsOf,
} from './values.js';

const MAX_RUN_LENGTH = 2 ** 31 - 1;
const MICROSECONDS = 1e6;

/**
 * A vector as the columns of a table: one, or several for a matrix or a data frame within a data frame.
 *
 * @param rowCount  rows that the table has
 * @throws DiagnosticError (SL0642) when the vector has another length
 */
export function columnsOf(
  input: RInput,
  place: string,
  column: { readonly name: string; readonly value: RValue; readonly rowCount: number },
): readonly MemoryColumn[] {
  const { name, value, rowCount } = column;
  const at = `${place}$${name}`;
  if (hasClass(value, 'Rle') && value.type === 'S4') {
    return columnsOf(input, place, { name, value: expandRuns(input, at, value, rowCount), rowCount });
  }
  if (hasClass(value, 'POSIXlt')) return [brokenTime(input, at, name, value)];
  const listData = attribute(value, 'listData');
  if (hasClass(value, 'data.frame') || listData !== undefined) {
    return members(listData ?? value).flatMap(([inner, item]) =>
      columnsOf(input, place, { name: `${name}.${inner}`, value: item, rowCount }),
    );
  }
  if (value.type === 'list') {
    checkLength(input, at, value.values.length, rowCount);
    const texts = value.values.map((item) => (item.type === 'null' ? null : jsonText(toJson(item))));
    return [{ original: name, type: 'VARCHAR', values: { kind: 'texts', texts }, description: { dtype: 'list' } }];
  }
  if (!('values' in value)) {
    input.warn(at, `a column of class ${textsOf(attribute(value, 'class'))[0] ?? value.type} was left out`);
    return [];
  }
  const [rows, width] = numbersOf(attribute(value, 'dim')) ?? [];
  if (rows === rowCount && width !== undefined && value.values.length === rows * width) {
    const names = textsOf(members(attribute(value, 'dimnames'))[1]?.[1]);
    return Array.from({ length: width }, (_, i) => {
      const part = sliced(value, i * rows, rows);
      return vectorColumn(input, at, `${name}.${names[i] ?? i + 1}`, part);
    });
  }
  checkLength(input, at, value.values.length, rowCount);
  return [vectorColumn(input, at, name, value)];
}

function checkLength(input: RInput, at: string, found: number, wanted: number): void {
  if (found !== wanted) throw input.error('SL0642', at, `has ${found} values, its table has ${wanted} rows`);
}

function sliced(value: RVector, from: number, count: number): RVector {
  const attributes = new Map<string, RValue>();
  switch (value.type) {
    case 'logical':
    case 'integer':
      return { type: value.type, values: value.values.slice(from, from + count), attributes };
    case 'double':
      return { type: value.type, values: value.values.slice(from, from + count), attributes };
    case 'complex':
      return { type: value.type, values: value.values.slice(2 * from, 2 * (from + count)), attributes };
    case 'character':
      return { type: value.type, values: value.values.slice(from, from + count), attributes };
    case 'raw':
      return { type: value.type, values: value.values.slice(from, from + count), attributes };
  }
}

/** One vector without dimensions; its class says what its numbers mean. */
export function vectorColumn(input: RInput, at: string, original: string, value: RVector): MemoryColumn {
  const of = (rest: Omit<MemoryColumn, 'original' | 'description'>, description: JsonObject): MemoryColumn => ({
    original,
    description,
    ...rest,
  });
  switch (value.type) {
    case 'character':
      return of({ type: 'VARCHAR', values: { kind: 'texts', texts: value.values } }, { dtype: 'character' });
    case 'raw':
      return of({ type: 'UTINYINT', values: { kind: 'numbers', numbers: value.values } }, { dtype: 'raw' });
    case 'logical': {
      const isNull = missingIntegers(value.values);
      const numbers = Uint8Array.from(value.values, (v) => (v === 0 || v === NA_INTEGER ? 0 : 1));
      return of({ type: 'BOOLEAN', values: withNulls(numbers, isNull) }, { dtype: 'logical' });
    }
    case 'complex': {
      const texts = Array.from({ length: value.values.length / 2 }, (_, i) => {
        const [re, im] = [value.values[2 * i] ?? 0, value.values[2 * i + 1] ?? 0];
        return `${re}${im < 0 ? '' : '+'}${im}i`;
      });
      return of({ type: 'VARCHAR', values: { kind: 'texts', texts } }, { dtype: 'complex' });
    }
    case 'integer': {
      if (hasClass(value, 'factor')) return factor(input, at, original, value);
      if (hasClass(value, 'Date'))
        return date(original, Float64Array.from(value.values), missingIntegers(value.values));
      if (hasClass(value, 'POSIXct')) {
        return instant(
          original,
          { seconds: Float64Array.from(value.values), isNull: missingIntegers(value.values) },
          value,
        );
      }
      const isNull = missingIntegers(value.values);
      return of({ type: 'INTEGER', values: withNulls(value.values, isNull) }, { dtype: 'integer', ...units(value) });
    }
    case 'double': {
      if (hasClass(value, 'integer64')) {
        const numbers = new BigInt64Array(value.values.buffer, value.values.byteOffset, value.values.length);
        const least = -(2n ** 63n);
        const isNull = numbers.includes(least) ? Uint8Array.from(numbers, (v) => (v === least ? 1 : 0)) : undefined;
        return of({ type: 'BIGINT', values: withNulls(numbers, isNull) }, { dtype: 'integer64' });
      }
      const isNull = missingDoubles(value.values);
      if (hasClass(value, 'Date')) return date(original, value.values, isNull);
      if (hasClass(value, 'POSIXct')) return instant(original, { seconds: value.values, isNull }, value);
      return of({ type: 'DOUBLE', values: withNulls(value.values, isNull) }, { dtype: 'numeric', ...units(value) });
    }
  }
}

function units(value: RVector): JsonObject {
  if (!hasClass(value, 'difftime')) return {};
  return { dtype: 'difftime', units: textOf(attribute(value, 'units')) ?? null };
}

function withNulls(
  numbers: Extract<MemoryColumn['values'], { kind: 'numbers' }>['numbers'],
  isNull: Uint8Array | undefined,
): MemoryColumn['values'] {
  return isNull === undefined ? { kind: 'numbers', numbers } : { kind: 'numbers', numbers, isNull };
}

function factor(
  input: RInput,
  at: string,
  original: string,
  value: Extract<RVector, { readonly type: 'logical' | 'integer' }>,
): MemoryColumn {
  const levels = textsOf(attribute(value, 'levels'));
  const texts = Array.from(value.values, (code, row) => {
    if (code === NA_INTEGER) return null;
    if (code >= 1 && code <= levels.length) return levels[code - 1] ?? null;
    throw input.error('SL0642', at, `row ${row} has code ${code}, but there are ${levels.length} levels`);
  });
  const description = { dtype: 'category', categories: levels, ordered: hasClass(value, 'ordered') };
  return { original, type: 'VARCHAR', values: { kind: 'texts', texts }, description };
}

/** Days since 1970; NaN and infinities, which no calendar has, are NULL. */
function date(original: string, days: Float64Array, missing: Uint8Array | undefined): MemoryColumn {
  const isOutside = (day: number): boolean => !(Math.abs(day) < 2 ** 31 - 1);
  const isNull = Uint8Array.from(days, (day, i) => (missing?.[i] === 1 || isOutside(day) ? 1 : 0));
  const numbers = Int32Array.from(days, (day, i) => (isNull[i] === 1 ? 0 : Math.floor(day)));
  return { original, type: 'DATE', values: withNulls(numbers, isNull), description: { dtype: 'Date' } };
}

function instant(
  original: string,
  time: { readonly seconds: Float64Array; readonly isNull: Uint8Array | undefined },
  value: RValue,
): MemoryColumn {
  const { seconds } = time;
  const isNull = Uint8Array.from(seconds, (second, i) => (time.isNull?.[i] === 1 || !isSecond(second) ? 1 : 0));
  const numbers = BigInt64Array.from(seconds, (second, i) => (isNull[i] === 1 ? 0n : microseconds(second)));
  return {
    original,
    type: 'TIMESTAMP WITH TIME ZONE',
    values: withNulls(numbers, isNull),
    description: { dtype: 'POSIXct', timezone: textOf(attribute(value, 'tzone')) ?? '' },
  };
}

function isSecond(second: number): boolean {
  return Math.abs(second) < 9e12;
}

function microseconds(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * MICROSECONDS));
}

/** POSIXlt keeps a wall clock in fields: seconds, minutes … and years since 1900. */
function brokenTime(input: RInput, at: string, original: string, value: RValue): MemoryColumn {
  const fields = new Map(members(value));
  const of = (name: string): readonly number[] => numbersOf(fields.get(name)) ?? [];
  const [sec, min, hour, mday, mon, year] = ['sec', 'min', 'hour', 'mday', 'mon', 'year'].map(of);
  const count = Math.max(sec?.length ?? 0, year?.length ?? 0);
  // R 4.3 keeps fields that are the same in every row only once.
  const field = (values: readonly number[] | undefined, i: number): number =>
    values === undefined || values.length === 0 ? Number.NaN : (values[i % values.length] ?? Number.NaN);
  const seconds = Float64Array.from({ length: count }, (_, i) => {
    const parts = [year, mon, mday, hour, min].map((values) => field(values, i));
    const second = field(sec, i);
    if (parts.some((part) => !Number.isFinite(part) || part === NA_INTEGER) || !Number.isFinite(second))
      return Number.NaN;
    const [y = 0, m = 0, d = 0, h = 0, minute = 0] = parts;
    return Date.UTC(1900 + y, m, d, h, minute) / 1000 + second;
  });
  if (count === 0) input.warn(at, 'has no times');
  const isNull = Uint8Array.from(seconds, (second) => (isSecond(second) ? 0 : 1));
  const numbers = BigInt64Array.from(seconds, (second) => (isSecond(second) ? microseconds(second) : 0n));
  const timezone = textOf(attribute(value, 'tzone')) ?? '';
  return {
    original,
    type: 'TIMESTAMP',
    values: withNulls(numbers, isNull),
    description: { dtype: 'POSIXlt', timezone },
  };
}

/** Run-length encoding of Bioconductor: each value with how often it comes. */
function expandRuns(input: RInput, at: string, value: RValue, rowCount: number): RValue {
  const lengths = numbersOf(attribute(value, 'lengths')) ?? [];
  const values = attribute(value, 'values');
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== rowCount || total > MAX_RUN_LENGTH || lengths.some((length) => !(length >= 0))) {
    throw input.error('SL0642', at, `has runs of ${total} values, its table has ${rowCount} rows`);
  }
  const order = lengths.flatMap((length, i) => new Array<number>(length).fill(i));
  if (values === undefined || !('values' in values) || values.type === 'list') return { type: 'null' };
  const attributes = values.attributes;
  switch (values.type) {
    case 'character':
      return { type: 'character', values: order.map((i) => values.values[i] ?? null), attributes };
    case 'logical':
    case 'integer':
      return { type: values.type, values: Int32Array.from(order, (i) => values.values[i] ?? NA_INTEGER), attributes };
    case 'double':
      return { type: 'double', values: Float64Array.from(order, (i) => values.values[i] ?? Number.NaN), attributes };
    case 'raw':
    case 'complex':
      return { type: 'null' };
  }
}
