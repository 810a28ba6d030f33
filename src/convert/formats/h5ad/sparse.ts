import type { ElementKind } from '../../../domain/convert.js';
import type { RowBlock } from '../../../effects/parquet-writer.js';
import type { PlannedElement } from '../../element.js';
import { type CompressedMatrix, type EntryBlock, majorOrder, minorOrder } from '../../sparse-order.js';
import type { H5adInput } from './input.js';
import {
  blockLength,
  dtypeOf,
  emptyLike,
  type NumericType,
  numericDataset,
  readIntegers,
  readNumbers,
  span,
  writableType,
} from './values.js';

/** A sparse matrix of the file, its entries not yet read. */
export interface Sparse {
  readonly path: string;
  readonly layout: 'csr' | 'csc';
  readonly shape: readonly [number, number];
  readonly entryCount: number;
  readonly type: NumericType;
}

/** Whether the group at a path is a sparse matrix, in today's encoding or that of anndata 0.6 (h5sparse). */
export function sparseLayout(input: H5adInput, path: string): 'csr' | 'csc' | undefined {
  const encoding = input.encoding(path);
  if (encoding === 'csr_matrix') return 'csr';
  if (encoding === 'csc_matrix') return 'csc';
  if (encoding !== undefined) return undefined;
  const legacy = input.text(path, 'h5sparse_format');
  if (legacy === undefined) return undefined;
  if (legacy === 'csr' || legacy === 'csc') return legacy;
  throw input.error('SL0623', path, `h5sparse_format "${legacy}" is not known`, 'known are csr and csc');
}

export function sparseAt(input: H5adInput, path: string, layout: 'csr' | 'csc'): Sparse {
  const shape = input.attribute(path, 'shape') ?? input.attribute(path, 'h5sparse_shape');
  const [rows, columns, ...more] = Array.isArray(shape) ? shape.map(Number) : [];
  if (rows === undefined || columns === undefined || more.length > 0 || !isLength(rows) || !isLength(columns)) {
    throw input.error(
      'SL0624',
      path,
      `its shape is ${JSON.stringify(Array.isArray(shape) ? shape.map(String) : null)}, not two lengths`,
    );
  }
  const data = numericDataset(input, `${path}/data`);
  const indices = numericDataset(input, `${path}/indices`);
  if (indices.type.class !== 'integer') throw input.error('SL0629', indices.path, 'whole numbers are expected');
  const entryCount = data.shape[0] ?? 0;
  if (data.shape.length !== 1 || indices.shape.length !== 1 || indices.shape[0] !== entryCount) {
    throw input.error('SL0625', path, `data has ${entryCount} entries, indices ${indices.shape[0] ?? 0}`);
  }
  const majorCount = layout === 'csr' ? rows : columns;
  const pointers = numericDataset(input, `${path}/indptr`);
  if (pointers.shape.length !== 1 || pointers.shape[0] !== majorCount + 1) {
    throw input.error(
      'SL0625',
      `${path}/indptr`,
      `has ${pointers.shape[0] ?? 0} entries, the shape asks for ${majorCount + 1}`,
    );
  }
  return { path, layout, shape: [rows, columns], entryCount, type: data.type };
}

function isLength(n: number): boolean {
  return Number.isInteger(n) && n >= 0 && n < 2 ** 31;
}

/** Opens the arrays for reading; every index and pointer is checked on the way. */
function matrixOf(input: H5adInput, sparse: Sparse): CompressedMatrix {
  const { path, layout, shape, entryCount } = sparse;
  const [majorCount, minorCount] = layout === 'csr' ? shape : [shape[1], shape[0]];
  const data = numericDataset(input, `${path}/data`);
  const indices = numericDataset(input, `${path}/indices`);
  const pointers = readIntegers(input, `${path}/indptr`);
  if ((pointers[0] ?? 0) !== 0 || (pointers[majorCount] ?? 0) !== entryCount) {
    throw input.error(
      'SL0625',
      `${path}/indptr`,
      `runs from ${pointers[0]} to ${pointers[majorCount]}, not from 0 to ${entryCount}`,
    );
  }
  for (let m = 0; m < majorCount; m++) {
    if ((pointers[m + 1] ?? 0) < (pointers[m] ?? 0)) {
      throw input.error('SL0625', `${path}/indptr`, `decreases after entry ${m}: ${pointers[m]} to ${pointers[m + 1]}`);
    }
  }
  return {
    majorCount,
    minorCount,
    pointers,
    blockLength: Math.max(blockLength(data, 1 << 18), blockLength(indices, 1 << 18)),
    bytesPerValue: Math.max(data.type.bytes, data.type.class === 'float' ? 4 : 1),
    minors(from, count) {
      const read = readNumbers(input, indices, span(from, count));
      const minors = read instanceof Int32Array ? read : Int32Array.from(read, Number);
      for (let i = 0; i < count; i++) {
        const at = minors[i] ?? 0;
        // 64-bit indices are compared before they are cut to 32.
        if (at < 0 || at >= minorCount || (read !== minors && Number(read[i]) !== at)) {
          throw input.error(
            'SL0625',
            indices.path,
            `entry ${from + i} is ${String(read[i])}, which lies outside 0 to ${minorCount - 1}`,
          );
        }
      }
      return minors;
    },
    values: (from, count) => readNumbers(input, data, span(from, count)),
    emptyValues: (length) => emptyLike(data.type, length),
  };
}

export interface SparseTarget {
  readonly path: string;
  readonly table: string;
  readonly kind: ElementKind;
  /** Columns that hold the row and the column number of an entry. */
  readonly rowColumn: string;
  readonly columnColumn: string;
  /** What the table is sorted by first; the sort column stands first, too. */
  readonly sortedBy: 'row' | 'column' | 'as stored';
  readonly sortMemoryBytes: number;
}

/** A sparse matrix as a table of its stored entries: explicit zeros and duplicates are rows. */
export function sparseElement(input: H5adInput, sparse: Sparse, target: SparseTarget): PlannedElement {
  const { rowColumn, columnColumn } = target;
  const isColumnFirst = target.sortedBy === 'column' || (target.sortedBy === 'as stored' && sparse.layout === 'csc');
  const isMajorFirst = isColumnFirst === (sparse.layout === 'csc');
  return {
    schema: {
      path: target.path,
      table: target.table,
      kind: target.kind,
      columns: [
        { name: isColumnFirst ? columnColumn : rowColumn, type: 'INTEGER' },
        { name: isColumnFirst ? rowColumn : columnColumn, type: 'INTEGER' },
        { name: 'value', type: writableType(sparse.type) },
      ],
    },
    rowCount: sparse.entryCount,
    neverNull: true,
    *blocks(): Iterable<RowBlock> {
      const matrix = matrixOf(input, sparse);
      const ordered = isMajorFirst ? majorOrder(matrix) : minorOrder(matrix, target.sortMemoryBytes);
      for (const block of ordered) yield rowsOf(block, isMajorFirst);
    },
    describe: () => ({
      kind: sparse.layout,
      dtype: dtypeOf(sparse.type),
      shape: sparse.shape,
      nnz: sparse.entryCount,
    }),
  };
}

function rowsOf({ major, minor, values }: EntryBlock, isMajorFirst: boolean): RowBlock {
  const [first, second] = isMajorFirst ? [major, minor] : [minor, major];
  return {
    rowCount: major.length,
    columns: [
      { kind: 'numbers', numbers: first },
      { kind: 'numbers', numbers: second },
      { kind: 'numbers', numbers: values },
    ],
  };
}
