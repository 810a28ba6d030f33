import { ident } from '../../domain/names.js';
import type { NumberArray, WritableType } from '../../effects/column-facts.js';
import type { ColumnValues, RowBlock } from '../../effects/parquet-writer.js';
import { readTable } from '../../effects/table-reader.js';
import { ARRAY, encoding, storedBytes, writtenType } from './encode.js';
import { countedRows } from './frames.js';
import type { ManifestElement } from './manifest.js';
import { type ExportTarget, exportError, type ReadColumn, readableColumns } from './target.js';

/** Which column of its table is the row and which the column of a matrix, by the group that it stands in. */
function axesOf(path: string): { readonly row: string; readonly column: string } {
  const group = path.replace(/^raw\//, '').split('/')[0] ?? '';
  switch (group) {
    case 'obsm':
      return { row: 'cell_idx', column: 'col_idx' };
    case 'varm':
      return { row: 'gene_idx', column: 'col_idx' };
    case 'obsp':
      return { row: 'cell_idx', column: 'cell_idx_2' };
    case 'varp':
      return { row: 'gene_idx', column: 'gene_idx_2' };
    case 'uns':
      return { row: 'row_idx', column: 'col_idx' };
    default:
      return { row: 'cell_idx', column: 'gene_idx' };
  }
}

interface Entries {
  readonly row: ReadColumn;
  readonly column: ReadColumn;
  readonly value: ReadColumn;
  readonly relation: string;
}

/** The three columns of a table of entries, checked to lie within the shape and to have values. */
async function entriesOf(target: ExportTarget, element: ManifestElement): Promise<Entries> {
  const columns = await readableColumns(target, element);
  const axes = axesOf(element.path);
  const named = (name: string): ReadColumn => {
    const found = columns.find((column) => column.name.toLowerCase() === name);
    if (found !== undefined) return found;
    throw exportError(target, {
      code: 'SL0661',
      path: element.path,
      message: `has no column "${name}"`,
      hint: `a matrix is a table of ${axes.row}, ${axes.column} and value`,
    });
  };
  const entries = {
    row: named(axes.row),
    column: named(axes.column),
    value: named('value'),
    relation: target.relation(element),
  };
  const [rows = 0, width = 0] = element.shape;
  const { row, column, value } = entries;
  const outside = (one: ReadColumn, length: number): string =>
    `count(*) FILTER (WHERE ${ident(one.name)} IS NULL OR ${ident(one.name)} < 0 OR ${ident(one.name)} >= ${length})`;
  const [found] = await target.database.rows(
    `SELECT ${outside(row, rows)} AS r, ${outside(column, width)} AS c, count(*) - count(${ident(value.name)}) AS missing FROM ${entries.relation}`,
  );
  if (Number(found?.r) + Number(found?.c) > 0) {
    throw exportError(target, {
      code: 'SL0664',
      path: element.path,
      message: `has entries outside its ${rows} x ${width} cells and genes`,
      hint: 'give the tables of the cells and genes that it is about',
    });
  }
  if (Number(found?.missing) === 0) return entries;
  if (value.type !== 'FLOAT' && value.type !== 'DOUBLE') {
    throw exportError(target, { code: 'SL0664', path: element.path, message: 'has entries without a value' });
  }
  target.warn(`${element.path}: missing values are written as NaN`);
  return entries;
}

/**
 * A compressed sparse matrix. DuckDB sorts the entries, on disk where memory does not hold them; what it gives goes to
 * the file block by block.
 */
export async function writeSparse(target: ExportTarget, element: ManifestElement, at: string): Promise<void> {
  const { writer, database } = target;
  const { row, column, value, relation } = await entriesOf(target, element);
  const isByRow = element.kind !== 'csc';
  const [major, minor] = isByRow ? [row, column] : [column, row];
  const majorCount = element.shape[isByRow ? 0 : 1] ?? 0;
  const pointers = new Float64Array(majorCount + 1);
  const counts = `SELECT CAST(${ident(major.name)} AS INTEGER), count(*) FROM ${relation} GROUP BY ALL`;
  const countColumns = [
    { name: 'major', type: 'INTEGER' },
    { name: 'n', type: 'BIGINT' },
  ] as const;
  for await (const block of readTable(database, counts, countColumns)) {
    const [majors, sizes] = block.columns.map(numbersIn);
    for (let i = 0; i < block.rowCount; i++) pointers[Number(majors?.[i]) + 1] = Number(sizes?.[i]);
  }
  for (let m = 0; m < majorCount; m++) pointers[m + 1] = (pointers[m + 1] ?? 0) + (pointers[m] ?? 0);
  const entryCount = pointers[majorCount] ?? 0;
  // Both index arrays have one type, as SciPy wants them.
  const indexType: WritableType = entryCount < 2 ** 31 ? 'INTEGER' : 'BIGINT';
  const stored = writtenType(indexType, '');
  const valueType = writtenType(value.type, element.dtype);
  writer.group(at, {
    ...encoding(isByRow ? 'csr_matrix' : 'csc_matrix', '0.1.0'),
    shape: { integers: element.shape },
  });
  const data = writer.dataset(`${at}/data`, { type: valueType, shape: [entryCount] });
  const indices = writer.dataset(`${at}/indices`, { type: stored, shape: [entryCount] });
  const sql = `SELECT CAST(${ident(minor.name)} AS ${indexType}), ${value.expression} FROM ${relation} ORDER BY ${ident(major.name)}, ${ident(minor.name)}`;
  for await (const block of readTable(database, sql, [{ name: 'minor', type: indexType }, value])) {
    const [minors, values] = block.columns;
    if (minors?.kind !== 'numbers' || values === undefined) throw new Error('a matrix without numbers');
    indices.write(storedBytes(minors.numbers, stored));
    data.write(storedBytes(valuesWithNaN(values), valueType));
  }
  data.finish();
  indices.finish();
  const ends = indexType === 'INTEGER' ? Int32Array.from(pointers) : BigInt64Array.from(pointers, (n) => BigInt(n));
  writer.values(`${at}/indptr`, { type: stored, shape: [majorCount + 1] }, storedBytes(ends, stored));
}

/** Every entry of a matrix, row after row. */
export async function writeDense(target: ExportTarget, element: ManifestElement, at: string): Promise<void> {
  const { database, writer } = target;
  const { row, column, value, relation } = await entriesOf(target, element);
  const [rows = 0, width = 0] = element.shape;
  const type = writtenType(value.type, element.dtype);
  const places = [
    { name: 'r', type: 'INTEGER' },
    { name: 'c', type: 'INTEGER' },
  ] as const;
  const dataset = writer.dataset(at, { type, shape: element.shape, attributes: ARRAY });
  const sql = `SELECT CAST(${ident(row.name)} AS INTEGER), CAST(${ident(column.name)} AS INTEGER), ${value.expression} FROM ${relation} ORDER BY ${ident(row.name)}, ${ident(column.name)}`;
  let position = 0;
  for await (const block of readTable(database, sql, [...places, value])) {
    const [r, c, values] = block.columns;
    for (let i = 0; i < block.rowCount; i++, position++) {
      const isExpected = placeAt(r, i) === Math.floor(position / width) && placeAt(c, i) === position % width;
      if (!isExpected) throw incomplete(target, element, rows * width);
    }
    if (values !== undefined) dataset.write(storedBytes(valuesWithNaN(values), type));
  }
  if (position !== rows * width) throw incomplete(target, element, rows * width);
  dataset.finish();
}

function incomplete(target: ExportTarget, element: ManifestElement, count: number): Error {
  return exportError(target, {
    code: 'SL0664',
    path: element.path,
    message: `is dense, but does not have each of its ${count} entries once`,
    hint: 'the table was changed after its manifest was written',
  });
}

function placeAt(values: ColumnValues | undefined, i: number): number {
  return values?.kind === 'numbers' ? Number(values.numbers[i]) : -1;
}

/** An array whose columns are columns of its table. */
export async function writeArray(target: ExportTarget, element: ManifestElement, at: string): Promise<void> {
  const { database, writer } = target;
  const [key, ...columns] = await readableColumns(target, element);
  if (key === undefined) throw exportError(target, { code: 'SL0661', path: element.path, message: 'has no columns' });
  const rowCount = await countedRows(target, element, key);
  const type = writtenType(columns[0]?.type ?? 'DOUBLE', element.dtype);
  const shape = element.shape.length === 0 ? [rowCount, columns.length] : element.shape;
  const dataset = writer.dataset(at, { type, shape, attributes: ARRAY });
  if (columns.length > 0) {
    const expressions = columns.map(({ expression }) => expression).join(', ');
    const sql = `SELECT ${expressions} FROM ${target.relation(element)} ORDER BY ${ident(key.name)}`;
    for await (const block of readTable(database, sql, columns))
      dataset.write(interleaved(block, type.bytes, (values) => storedBytes(valuesWithNaN(values), type)));
  }
  dataset.finish();
}

/** The values of several columns, row after row. */
export function interleaved(block: RowBlock, width: number, bytes: (values: ColumnValues) => Uint8Array): Uint8Array {
  const columns = block.columns.map(bytes);
  const out = new Uint8Array(block.rowCount * width * columns.length);
  for (const [c, column] of columns.entries()) {
    for (let i = 0; i < block.rowCount; i++) {
      const to = (i * columns.length + c) * width;
      for (let b = 0; b < width; b++) out[to + b] = column[i * width + b] ?? 0;
    }
  }
  return out;
}

function numbersIn(values: ColumnValues): NumberArray | undefined {
  return values.kind === 'numbers' ? values.numbers : undefined;
}

function valuesWithNaN(values: ColumnValues): NumberArray {
  if (values.kind === 'texts') throw new Error('a matrix of texts');
  const { numbers, isNull } = values;
  if (isNull === undefined || !(numbers instanceof Float32Array || numbers instanceof Float64Array)) return numbers;
  return numbers.map((value, i) => (isNull[i] === 1 ? Number.NaN : value));
}
