import type { MemoryColumn } from '../../memory-table.js';
import { columnsOf } from './columns.js';
import { rowNamesOf } from './containers.js';
import type { RInput } from './input.js';
import { attribute, members, numbersOf, type RValue } from './values.js';

export interface FrameParts {
  readonly rowCount: number;
  /** Row names, unless they are only numbers in order. */
  readonly names: readonly (string | null)[] | undefined;
  readonly columns: readonly MemoryColumn[];
}

/** A data.frame or a DataFrame. */
export function frameOf(input: RInput, place: string, value: RValue): FrameParts {
  const listData = attribute(value, 'listData');
  const rowNames = attribute(value, listData === undefined ? 'row.names' : 'rownames');
  const numbers = numbersOf(rowNames);
  const rowCount =
    numbersOf(attribute(value, 'nrows'))?.[0] ??
    (numbers?.length === 2 && Number.isNaN(automatic(numbers[0]))
      ? Math.abs(numbers[1] ?? 0)
      : rowNameCount(rowNames)) ??
    0;
  const names = rowNamesOf(value) ?? unorderedNames(numbers, rowCount);
  if (names !== undefined && names.length !== rowCount) {
    throw input.error('SL0642', place, `has ${names.length} row names, but ${rowCount} rows`);
  }
  const columns = members(listData ?? value).flatMap(([name, item]) =>
    columnsOf(input, place, { name, value: item, rowCount }),
  );
  return { rowCount, names, columns };
}

/** R marks automatic row names with NA and the (negative) number of rows. */
function automatic(first: number | undefined): number {
  return first === undefined || first === -2147483648 ? Number.NaN : first;
}

function rowNameCount(value: RValue | undefined): number | undefined {
  return value !== undefined && 'values' in value ? value.values.length : undefined;
}

/** Numbers as row names say something only when rows were taken out or moved. */
function unorderedNames(numbers: readonly number[] | undefined, rowCount: number): readonly string[] | undefined {
  if (numbers === undefined || numbers.length !== rowCount || numbers.every((n, i) => n === i + 1)) return undefined;
  if (rowCount === 2 && Number.isNaN(automatic(numbers[0]))) return undefined;
  return numbers.map(String);
}

/** Rows of a data.frame or a DataFrame, where it says how many it has. */
export function rowCountOf(table: RValue): number | undefined {
  const slot = numbersOf(attribute(table, 'nrows'))?.[0];
  if (slot !== undefined) return slot;
  const rowNames = attribute(table, 'row.names');
  const numbers = numbersOf(rowNames);
  if (numbers?.length === 2 && Number.isNaN(automatic(numbers[0]))) return Math.abs(numbers[1] ?? 0);
  return rowNameCount(rowNames);
}
