import type { ElementKind } from '../../../domain/convert.js';
import type { Hdf5Dataset, Hdf5Field } from '../../../effects/hdf5.js';
import type { NumberArray, RowBlock, WritableType } from '../../../effects/parquet-writer.js';
import type { PlannedElement } from '../../element.js';
import type { H5adInput } from './input.js';
import { RecordReader } from './series.js';
import {
  dtypeOf,
  emptyLike,
  isNumeric,
  type NumericType,
  numbersOf,
  numericDataset,
  readNumbers,
  writableType,
} from './values.js';

/** A dense array whose first axis is rows; further axes are flattened into columns. */
export interface Dense {
  readonly path: string;
  readonly type: NumericType;
  readonly shape: readonly number[];
  readonly rowCount: number;
  readonly columnCount: number;
  /** Lengths in which reading is cheapest: the edges of a stored chunk. */
  readonly chunk: { readonly rows: number; readonly columns: number };
  /** Row-major values of a part. */
  read(
    rows: { readonly from: number; readonly count: number },
    columns: { readonly from: number; readonly count: number },
  ): NumberArray;
}

/** Columns of one table; a wider array is written as one row per entry. */
export const MAX_COLUMNS = 4_096;

const BLOCK_BYTES = 8 << 20;
/** Entries that are handed over at once. */
const ROWS_PER_BLOCK = 1 << 16;

export function denseAt(input: H5adInput, path: string): Dense {
  const dataset = numericDataset(input, path);
  const { shape, type } = dataset;
  const [rowCount = 0, ...rest] = shape;
  const columnCount = rest.reduce((product, n) => product * n, 1);
  return {
    path,
    type,
    shape,
    rowCount,
    columnCount,
    chunk: { rows: dataset.chunks?.[0] ?? 1, columns: dataset.chunks?.[1] ?? 1 },
    read: (rows, columns) => readPart(input, dataset, rows, columns),
  };
}

function readPart(
  input: H5adInput,
  dataset: Hdf5Dataset & { readonly type: NumericType; readonly shape: readonly number[] },
  rows: { readonly from: number; readonly count: number },
  columns: { readonly from: number; readonly count: number },
): NumberArray {
  const { shape } = dataset;
  if (shape.length === 1) return readNumbers(input, dataset, { offset: [rows.from], count: [rows.count] });
  if (shape.length === 2) {
    return readNumbers(input, dataset, { offset: [rows.from, columns.from], count: [rows.count, columns.count] });
  }
  // More than two axes: whole rows only, which is how embeddings are read.
  const rest = shape.slice(1);
  return readNumbers(input, dataset, { offset: [rows.from, ...rest.map(() => 0)], count: [rows.count, ...rest] });
}

/** An array member of a compound dataset: `obsm` and `varm` of anndata 0.6 and earlier. */
export function denseOfField(input: H5adInput, dataset: Hdf5Dataset, field: Hdf5Field): Dense {
  const rowCount = dataset.shape?.[0] ?? 0;
  const base = field.type.class === 'array' ? field.type.base : field.type;
  const inner = field.type.class === 'array' ? field.type.shape : [1];
  if (!isNumeric(base)) throw input.error('SL0629', `${dataset.path}[${field.name}]`, 'numbers are expected');
  const raw = new RecordReader(input, dataset).field(field);
  return {
    path: `${dataset.path}/${field.name}`,
    type: base,
    shape: [rowCount, ...inner],
    rowCount,
    columnCount: inner.reduce((product, n) => product * n, 1),
    chunk: { rows: dataset.chunks?.[0] ?? 1, columns: 1 },
    read: (rows) => numbersOf(base, raw.bytes(rows.from, rows.count)),
  };
}

export interface DenseTarget {
  readonly path: string;
  readonly table: string;
  readonly kind: ElementKind;
  readonly rowColumn: string;
  readonly columnColumn: string;
  readonly sortedBy: 'row' | 'column';
  readonly sortMemoryBytes: number;
}

/** A dense matrix as a table of all its entries, zeros and NaN included. */
export function denseElement(dense: Dense, target: DenseTarget): PlannedElement {
  const isColumnFirst = target.sortedBy === 'column';
  const { rowColumn, columnColumn } = target;
  return {
    schema: {
      path: target.path,
      table: target.table,
      kind: target.kind,
      columns: [
        { name: isColumnFirst ? columnColumn : rowColumn, type: 'INTEGER' },
        { name: isColumnFirst ? rowColumn : columnColumn, type: 'INTEGER' },
        { name: 'value', type: writableType(dense.type) },
      ],
    },
    rowCount: dense.rowCount * dense.columnCount,
    neverNull: true,
    blocks: () => (isColumnFirst ? columnFirst(dense, target.sortMemoryBytes) : rowFirst(dense)),
    describe: () => ({ kind: 'dense', dtype: dtypeOf(dense.type), shape: dense.shape, nnz: null }),
  };
}

/** Turns strips of columns, as wide as the memory allows, and gives them column by column. */
function* columnFirst(dense: Dense, limitBytes: number): Iterable<RowBlock> {
  const { rowCount, columnCount, chunk, type } = dense;
  if (rowCount === 0) return;
  const fitting = Math.max(1, Math.floor(limitBytes / (rowCount * Math.max(type.bytes, 4))));
  const width = Math.min(columnCount, fitting > chunk.columns ? fitting - (fitting % chunk.columns) : fitting);
  const rows = Int32Array.from({ length: rowCount }, (_, i) => i);
  for (let from = 0; from < columnCount; from += width) {
    const count = Math.min(width, columnCount - from);
    const turned = emptyLike(type, rowCount * count);
    const step = rowsPerBlock(dense, count);
    for (let row = 0; row < rowCount; row += step) {
      const read = Math.min(step, rowCount - row);
      transpose(dense.read({ from: row, count: read }, { from, count }), turned, {
        rows: read,
        columns: count,
        row,
        rowCount,
      });
    }
    // Several columns at once where they are short: DuckDB takes a block, however small, as a vector of its own.
    const together = Math.max(1, Math.floor(ROWS_PER_BLOCK / rowCount));
    for (let c = 0; c < count; c += together) {
      const columns = Math.min(together, count - c);
      const size = columns * rowCount;
      const keys = new Int32Array(size);
      const cells = new Int32Array(size);
      for (let k = 0; k < columns; k++) {
        keys.fill(from + c + k, k * rowCount, (k + 1) * rowCount);
        cells.set(rows, k * rowCount);
      }
      yield {
        rowCount: size,
        columns: [
          { kind: 'numbers', numbers: keys },
          { kind: 'numbers', numbers: cells },
          { kind: 'numbers', numbers: turned.subarray(c * rowCount, c * rowCount + size) },
        ],
      };
    }
  }
}

function* rowFirst(dense: Dense): Iterable<RowBlock> {
  const { rowCount, columnCount } = dense;
  if (columnCount === 0) return;
  const step = rowsPerBlock(dense, columnCount);
  for (let row = 0; row < rowCount; row += step) {
    const rows = Math.min(step, rowCount - row);
    const size = rows * columnCount;
    yield {
      rowCount: size,
      columns: [
        { kind: 'numbers', numbers: Int32Array.from({ length: size }, (_, i) => row + Math.floor(i / columnCount)) },
        { kind: 'numbers', numbers: Int32Array.from({ length: size }, (_, i) => i % columnCount) },
        { kind: 'numbers', numbers: dense.read({ from: row, count: rows }, { from: 0, count: columnCount }) },
      ],
    };
  }
}

/** Rows to read at once: whole chunks, near the size of a block. */
function rowsPerBlock(dense: Dense, columns: number): number {
  const rows = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, columns * dense.type.bytes)));
  return rows > dense.chunk.rows ? rows - (rows % dense.chunk.rows) : rows;
}

interface Place {
  readonly rows: number;
  readonly columns: number;
  /** First row of the part, in the whole. */
  readonly row: number;
  readonly rowCount: number;
}

function transpose(from: NumberArray, to: NumberArray, { rows, columns, row, rowCount }: Place): void {
  if (from instanceof BigInt64Array || from instanceof BigUint64Array) {
    if (!(to instanceof BigInt64Array) && !(to instanceof BigUint64Array)) throw new Error('arrays of two kinds');
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) to[c * rowCount + row + r] = from[r * columns + c] ?? 0n;
    }
    return;
  }
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) throw new Error('arrays of two kinds');
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) to[c * rowCount + row + r] = from[r * columns + c] ?? 0;
  }
}

export interface EmbeddingTarget {
  readonly path: string;
  readonly table: string;
  readonly kind: ElementKind;
  readonly rowColumn: string;
  /** Names the columns; `d0`, `d1` … when left out. */
  readonly columnName?: (index: number) => string;
}

/** A narrow dense array with a column for each of its own. */
export function embeddingElement(dense: Dense, target: EmbeddingTarget): PlannedElement {
  const { columnName = (index) => `d${index}` } = target;
  const { rowCount, columnCount } = dense;
  const type: WritableType = writableType(dense.type);
  return {
    schema: {
      path: target.path,
      table: target.table,
      kind: target.kind,
      columns: [
        { name: target.rowColumn, type: 'INTEGER' },
        ...Array.from({ length: columnCount }, (_, i) => ({ name: columnName(i), type })),
      ],
    },
    rowCount,
    *blocks(): Iterable<RowBlock> {
      const step = rowsPerBlock(dense, columnCount);
      for (let row = 0; row < rowCount; row += step) {
        const rows = Math.min(step, rowCount - row);
        const turned = emptyLike(dense.type, rows * columnCount);
        const read = dense.read({ from: row, count: rows }, { from: 0, count: columnCount });
        transpose(read, turned, { rows, columns: columnCount, row: 0, rowCount: rows });
        yield {
          rowCount: rows,
          columns: [
            { kind: 'numbers', numbers: Int32Array.from({ length: rows }, (_, i) => row + i) },
            ...Array.from({ length: columnCount }, (_, c) => ({
              kind: 'numbers' as const,
              numbers: turned.subarray(c * rows, (c + 1) * rows),
            })),
          ],
        };
      }
    },
    describe: () => ({ kind: 'array', dtype: dtypeOf(dense.type), shape: dense.shape, nnz: null }),
  };
}
