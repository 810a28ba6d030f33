import type { PlannedElement } from '../../element.js';
import type { JsonObject } from '../../json.js';
import { type MemoryColumn, memoryTable } from '../../memory-table.js';
import { fileNamePart, type Namer } from '../../names.js';
import { dtypeName, ndarrayOf, rowOf } from './arrays.js';
import { arrayRows, columnOf, indexColumn, objectColumn, plainColumn, rangeOf } from './columns.js';
import { describeValue, entryOf, isKind, itemsOf, PickleError, type PValue, shortName } from './values.js';

const MAX_COLUMNS = 100_000;

/**
 * The tables of a pickle: a DataFrame or a Series, an array of one or two dimensions, a list of records, or a dict of such.
 *
 * @throws PickleError
 */
export function tablesOf(
  value: PValue,
  names: { readonly tableName: string; readonly namer: Namer },
): readonly PlannedElement[] {
  if (isKind(value, 'dict') && value.pairs.length > 0 && value.pairs.every(([, item]) => isTable(item))) {
    return value.pairs.map(([key, item]) => {
      const path = typeof key === 'string' ? key : String(key);
      return tableOf(item, path, names.namer.name(fileNamePart(path)));
    });
  }
  return [tableOf(value, 'table', names.tableName)];
}

function isTable(value: PValue): boolean {
  return isKind(value, 'object') && /(?:DataFrame|Series|_reconstruct|_frombuffer)$/.test(value.callee);
}

function tableOf(value: PValue, path: string, table: string): PlannedElement {
  if (isKind(value, 'object')) {
    if (/\.(?:DataFrame|Series)$/.test(value.callee)) return frameOf(value.state, { path, table });
    if (/\._(?:reconstruct|frombuffer)$/.test(value.callee)) return arrayOf(value, { path, table });
  }
  if (isKind(value, 'list') && value.items.length > 0 && value.items.every((item) => isKind(item, 'dict'))) {
    return recordsOf(value.items, { path, table });
  }
  throw new PickleError(`holds ${describeValue(value)}, which is no table`);
}

interface Place {
  readonly path: string;
  readonly table: string;
}

interface Manager {
  readonly blocks: readonly { readonly values: PValue; readonly positions: readonly number[] }[];
  readonly axes: readonly PValue[];
}

/** A DataFrame or a Series: its blocks put back into columns, its index before them. */
function frameOf(state: PValue, place: Place): PlannedElement {
  const manager = managerOf(entryOf(state, '_mgr') ?? entryOf(state, '_data'));
  const isSeries = entryOf(state, '_typ') === 'series';
  const [first, second] = manager.axes;
  const rowIndex = isSeries ? first : second;
  const names = isSeries ? [seriesName(state)] : labelsOf(first);
  const columns = new Array<MemoryColumn | undefined>(names.length).fill(undefined);
  for (const { values, positions } of manager.blocks) {
    const rows = arrayRows(values);
    const wanted = isSeries ? [0] : positions;
    if (!isSeries && rows !== wanted.length) {
      throw new PickleError(`has a block of ${rows} columns for ${wanted.length} places`);
    }
    for (const [row, position] of wanted.entries()) {
      const name = names[position];
      if (name === undefined || columns[position] !== undefined) {
        throw new PickleError(`has a block at column ${position} of ${names.length}`);
      }
      columns[position] = columnOf(name, values, row);
    }
  }
  const found = columns.map((column, i) => {
    if (column === undefined) throw new PickleError(`has no values for column "${names[i]}"`);
    return column;
  });
  const index = indexOf(rowIndex, found.length === 0 ? undefined : lengthOf(found[0]));
  return tableFrom(place, [...index.columns, ...found], index.description);
}

function tableFrom(place: Place, columns: readonly MemoryColumn[], index: JsonObject | undefined): PlannedElement {
  const rowCount = lengthOf(columns[0]);
  const wrong = columns.find((column) => lengthOf(column) !== rowCount);
  if (wrong !== undefined) {
    throw new PickleError(`has ${lengthOf(wrong)} values in "${wrong.original}", the table has ${rowCount} rows`);
  }
  const description = { kind: 'table', ...(index === undefined ? {} : { index }) };
  return memoryTable({ ...place, kind: 'table', rowCount, keys: [], columns, description });
}

function lengthOf(column: MemoryColumn | undefined): number {
  if (column === undefined) return 0;
  return column.values.kind === 'texts' ? column.values.texts.length : column.values.numbers.length;
}

function seriesName(state: PValue): string {
  const name = entryOf(state, '_name') ?? entryOf(state, 'name');
  return name === undefined || name === null ? 'value' : labelOf(name);
}

function managerOf(value: PValue | undefined): Manager {
  if (!isKind(value, 'object') || !/BlockManager$/.test(value.callee)) {
    throw new PickleError(`has ${describeValue(value)} where the blocks of a table are expected`);
  }
  if (value.args.length >= 2) {
    const [blocks, axes] = value.args;
    const all = isKind(blocks, 'object') ? [blocks] : itemsOf(blocks);
    return { axes: itemsOf(axes), blocks: all.map(blockOf) };
  }
  // Older managers give all of it as a state, once more under the version of pandas that first did.
  const state = itemsOf(value.state);
  const versioned = entryOf(state[3], '0.14.1');
  const axes = itemsOf(entryOf(versioned, 'axes') ?? state[0]);
  const blocks = itemsOf(entryOf(versioned, 'blocks'));
  return {
    axes,
    blocks: blocks.map((block) => ({
      values: entryOf(block, 'values') ?? null,
      positions: positionsOf(entryOf(block, 'mgr_locs')),
    })),
  };
}

function blockOf(block: PValue): Manager['blocks'][number] {
  if (!isKind(block, 'object') || shortName(block.callee) !== '_unpickle_block') {
    throw new PickleError(`has ${describeValue(block)} where a block is expected`);
  }
  const [values = null, places] = block.args;
  return { values, positions: positionsOf(places) };
}

function positionsOf(places: PValue | undefined): readonly number[] {
  if (isKind(places, 'object') && shortName(places.callee) === 'slice') {
    const [start, stop, step] = places.args.map((part) => (part === null ? 1 : Number(part)));
    const count = Math.ceil(((stop ?? 0) - (start ?? 0)) / (step || 1));
    if (!(count >= 0 && count <= MAX_COLUMNS)) throw new PickleError(`has a block of ${count} columns`);
    return Array.from({ length: count }, (_, i) => (start ?? 0) + i * (step || 1));
  }
  const column = columnOf('places', places);
  return column.values.kind === 'numbers' ? Array.from(column.values.numbers, Number) : [];
}

/** Names of columns; those of several levels are joined by a dot, as flat tables spell them. */
function labelsOf(index: PValue | undefined): readonly string[] {
  const levels = levelsOf(index);
  if (levels === undefined) return textsOf(indexColumn('columns', index));
  const texts = levels.map(({ column }) => textsOf(column));
  return (texts[0] ?? []).map((_, i) => texts.map((level) => level[i] ?? '').join('.'));
}

function textsOf(column: MemoryColumn): readonly string[] {
  const { values } = column;
  if (values.kind === 'texts') return values.texts.map((text) => text ?? '');
  if (values.numbers.length > MAX_COLUMNS) throw new PickleError(`has more than ${MAX_COLUMNS} columns`);
  return Array.from(values.numbers, String);
}

function labelOf(name: PValue): string {
  return typeof name === 'object' && name !== null ? itemsOf(name).map(String).join('.') : String(name);
}

/** The levels of a MultiIndex; undefined for another index. */
function levelsOf(
  index: PValue | undefined,
): readonly { readonly name: string | null; readonly column: MemoryColumn }[] | undefined {
  if (!isKind(index, 'object')) return undefined;
  const [owner, data] = index.args;
  if (!isKind(owner, 'global') || shortName(owner.name) !== 'MultiIndex') return undefined;
  const names = itemsOf(entryOf(data, 'names'));
  const codes = itemsOf(entryOf(data, 'codes') ?? entryOf(data, 'labels'));
  return itemsOf(entryOf(data, 'levels')).map((level, i) => {
    const name = names[i];
    const original = name === null || name === undefined ? `level_${i}` : labelOf(name);
    const values = indexColumn(original, level);
    const places = columnOf('codes', codes[i]).values;
    const order = places.kind === 'numbers' ? Array.from(places.numbers, Number) : [];
    return { name: name === null || name === undefined ? null : labelOf(name), column: picked(values, order) };
  });
}

/** Values at positions; -1 is none. */
function picked(column: MemoryColumn, order: readonly number[]): MemoryColumn {
  const { values } = column;
  const length = lengthOf(column);
  const wrong = order.find((at) => !(at >= -1 && at < length));
  if (wrong !== undefined) throw new PickleError(`has code ${wrong} in the index, but there are ${length} labels`);
  if (values.kind === 'texts') {
    return {
      ...column,
      values: { kind: 'texts', texts: order.map((at) => (at < 0 ? null : (values.texts[at] ?? null))) },
    };
  }
  const isNull = Uint8Array.from(order, (at) => (at < 0 || values.isNull?.[at] === 1 ? 1 : 0));
  const numbers = values.numbers.slice(0, 0);
  const filled =
    numbers instanceof BigInt64Array || numbers instanceof BigUint64Array
      ? BigInt64Array.from(order, (at) => BigInt(values.numbers[Math.max(0, at)] ?? 0))
      : Float64Array.from(order, (at) => Number(values.numbers[Math.max(0, at)] ?? 0));
  const type = filled instanceof Float64Array ? 'DOUBLE' : column.type;
  return { ...column, type, values: { kind: 'numbers', numbers: filled, isNull } };
}

/** The index as leading columns; one that only counts the rows from 0 is described and not repeated. */
function indexOf(
  index: PValue | undefined,
  rowCount: number | undefined,
): { readonly columns: readonly MemoryColumn[]; readonly description: JsonObject } {
  const levels = levelsOf(index);
  if (levels !== undefined) {
    return {
      columns: levels.map(({ column }) => column),
      description: {
        type: 'MultiIndex',
        names: levels.map(({ name }) => name),
        columns: levels.map(({ column }) => column.original),
      },
    };
  }
  const [owner, data] = isKind(index, 'object') ? index.args : [];
  const type = isKind(owner, 'global') ? shortName(owner.name) : 'Index';
  const named = entryOf(data, 'name') ?? null;
  const name = named === null ? null : labelOf(named);
  const range = rangeOf(index);
  if (range !== undefined && range.start === 0 && range.step === 1 && name === null) {
    if (rowCount !== undefined && range.length !== rowCount) {
      throw new PickleError(`has an index of ${range.length} rows, its columns have ${rowCount}`);
    }
    return { columns: [], description: { type, name: null, columns: [] } };
  }
  const column = indexColumn(name ?? 'index', index);
  return { columns: [column], description: { type, name, columns: [column.original] } };
}

/** A NumPy array of one or two dimensions. */
function arrayOf(value: PValue, place: Place): PlannedElement {
  const array = ndarrayOf(value);
  if (array.shape.length > 2 || array.shape.length === 0) {
    throw new PickleError(`holds an array of shape ${array.shape.join(' x ')}, one or two dimensions are supported`);
  }
  const [rowCount = 0, columnCount = 1] = array.shape;
  if (columnCount > MAX_COLUMNS) throw new PickleError(`holds an array of ${columnCount} columns`);
  // The columns of an array are the rows of the turned one.
  const turned =
    array.shape.length === 1 ? array : { ...array, shape: [columnCount, rowCount], isFortran: !array.isFortran };
  const isOne = array.shape.length === 1;
  const columns = Array.from({ length: columnCount }, (_, c) => {
    return plainColumn(isOne ? 'value' : `d${c}`, rowOf(turned, c));
  });
  const { dtype } = array;
  const name = dtype.isBigEndian ? `>${dtype.kind}${dtype.bytes}` : dtypeName(dtype);
  const element = tableFrom(place, columns, undefined);
  return { ...element, describe: () => ({ ...element.describe(), kind: 'array', dtype: name, shape: array.shape }) };
}

/** A list of dicts, as `json` would hold it: a column for every key. */
function recordsOf(records: readonly PValue[], place: Place): PlannedElement {
  const keys = new Set<string>();
  for (const record of records) {
    if (!isKind(record, 'dict')) continue;
    for (const [key] of record.pairs) {
      if (typeof key !== 'string') throw new PickleError(`has a key of type ${describeValue(key)} in a record`);
      keys.add(key);
      if (keys.size > MAX_COLUMNS) throw new PickleError(`has more than ${MAX_COLUMNS} keys in its records`);
    }
  }
  const columns = [...keys].map((key) =>
    objectColumn(
      key,
      records.map((record) => entryOf(record, key) ?? null),
    ),
  );
  if (columns.length === 0) throw new PickleError('holds records without keys');
  return tableFrom(place, columns, undefined);
}
