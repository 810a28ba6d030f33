import type { NumberArray, WritableType } from '../../../effects/parquet-writer.js';
import { addCounts, type CoordinateMatrix, coordinateOrder, type EntryBlock, exchanged } from '../../sparse-order.js';
import { type MemoryMatrix, storedOrder, tiledOrder } from '../../tiled-order.js';
import type { RInput } from './input.js';

/** Entries of a sparse matrix of R: rows and columns from 0, checked. */
export interface SparseEntries {
  readonly count: number;
  /** Block by block, in any order; a block is good until the next one is asked for. */
  blocks(): Iterable<{
    readonly rows: Int32Array<ArrayBuffer>;
    readonly columns: Int32Array<ArrayBuffer>;
    readonly values: NumberArray;
  }>;
  /** Where they are stored row by row or column by column, and ascend in each, as R asks of it. */
  readonly ascending?: { readonly majors: 'rows' | 'columns'; readonly matrix: MemoryMatrix };
  readonly type: WritableType;
}

const ENTRIES_PER_BLOCK = 1 << 18;

/** The slots of a sparse matrix: two of `i`, `j` and `p`. */
export interface SparseSlots {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly i: Int32Array<ArrayBuffer> | undefined;
  readonly j: Int32Array<ArrayBuffer> | undefined;
  readonly p: Int32Array<ArrayBuffer> | undefined;
  readonly values: NumberArray;
  readonly type: WritableType;
  /** Of the two triangles one is stored. */
  readonly isSymmetric: boolean;
}

/** @throws DiagnosticError (SL0642) for pointers and indices that do not fit the matrix */
export function sparseEntries(input: RInput, place: string, slots: SparseSlots): SparseEntries {
  const { i, j, p, values, type, rowCount, columnCount, isSymmetric } = slots;
  const minors = i ?? j;
  const isTriplet = i !== undefined && j !== undefined;
  if (minors === undefined || (isTriplet ? i.length !== j.length : p === undefined)) {
    throw input.error('SL0642', place, 'its slots i, j and p do not fit together');
  }
  if (isSymmetric && rowCount !== columnCount) throw input.error('SL0642', place, 'is symmetric, but not square');
  if (isTriplet || p === undefined) {
    const stored = { rows: i ?? minors, columns: j ?? minors, values };
    checkRange(input, place, { what: 'row', indices: stored.rows, length: rowCount });
    checkRange(input, place, { what: 'column', indices: stored.columns, length: columnCount });
    return listed(isSymmetric ? [stored, offDiagonal(stored)] : [stored], type);
  }
  const majors = i === undefined ? 'rows' : 'columns';
  const [majorCount, minorCount] = majors === 'rows' ? [rowCount, columnCount] : [columnCount, rowCount];
  checkPointers(input, `${place}@p`, p, { count: minors.length, length: majorCount });
  const what = majors === 'rows' ? 'column' : 'row';
  const isAscending = checkMinors(input, place, { what, indices: minors, pointers: p, length: minorCount });
  const matrix = { minorCount, pointers: p, minors, values, emptyValues: (n: number) => emptyValues(type, n) };
  if (isSymmetric) {
    const expanded = expandedMajors(p);
    const stored =
      majors === 'rows' ? { rows: expanded, columns: minors, values } : { rows: minors, columns: expanded, values };
    return listed([stored, offDiagonal(stored)], type);
  }
  return {
    count: minors.length,
    type,
    ...(isAscending ? { ascending: { majors, matrix } } : {}),
    *blocks() {
      for (const { major, minor, values: part } of storedOrder(matrix)) {
        yield majors === 'rows'
          ? { rows: major, columns: minor, values: part }
          : { rows: minor, columns: major, values: part };
      }
    },
  };
}

interface Listed {
  readonly rows: Int32Array<ArrayBuffer>;
  readonly columns: Int32Array<ArrayBuffer>;
  readonly values: NumberArray;
}

function listed(parts: readonly Listed[], type: WritableType): SparseEntries {
  return {
    count: parts.reduce((count, { rows }) => count + rows.length, 0),
    type,
    *blocks() {
      for (const { rows, columns, values } of parts) {
        for (let from = 0; from < rows.length; from += ENTRIES_PER_BLOCK) {
          const to = Math.min(rows.length, from + ENTRIES_PER_BLOCK);
          yield {
            rows: rows.subarray(from, to),
            columns: columns.subarray(from, to),
            values: values.subarray(from, to),
          };
        }
      }
    },
  };
}

function checkPointers(
  input: RInput,
  place: string,
  pointers: Int32Array,
  matrix: { readonly count: number; readonly length: number },
): void {
  const { count, length } = matrix;
  if (pointers.length !== length + 1 || pointers[0] !== 0 || pointers[length] !== count) {
    throw input.error(
      'SL0642',
      place,
      `has ${pointers.length} pointers up to ${pointers[length]}, ${length + 1} up to ${count} are expected`,
    );
  }
  for (let m = 0; m < length; m++) {
    const [from, to] = [pointers[m] ?? 0, pointers[m + 1] ?? 0];
    if (to < from) throw input.error('SL0642', place, `decreases after pointer ${m}: ${from} to ${to}`);
    if (to > count) throw input.error('SL0642', place, `pointer ${m + 1} is ${to}, there are ${count} entries`);
  }
}

function checkRange(
  input: RInput,
  place: string,
  axis: { readonly what: string; readonly indices: Int32Array; readonly length: number },
): void {
  const { what, indices, length } = axis;
  for (let e = 0; e < indices.length; e++) {
    const index = indices[e] ?? -1;
    if (index >= 0 && index < length) continue;
    throw input.error('SL0642', place, `entry ${e} has ${what} ${index}, which lies outside 0 to ${length - 1}`);
  }
}

/** Checks the indices of a compressed matrix. @returns whether they ascend within each major */
function checkMinors(
  input: RInput,
  place: string,
  axis: { readonly what: string; readonly indices: Int32Array; readonly pointers: Int32Array; readonly length: number },
): boolean {
  const { indices, pointers, length } = axis;
  let isAscending = true;
  let isInside = true;
  for (let m = 0; m + 1 < pointers.length; m++) {
    const end = pointers[m + 1] ?? 0;
    for (let e = pointers[m] ?? 0, before = 0; e < end; e++) {
      const index = indices[e] ?? 0;
      // The first one has nothing before it: it is negative where it is less than 0.
      if (index < before) isAscending = false;
      if (index >= length) isInside = false;
      before = index;
    }
  }
  if (!isAscending || !isInside) checkRange(input, place, axis);
  return isAscending;
}

/** The number of the row or column of every entry. */
function expandedMajors(pointers: Int32Array): Int32Array<ArrayBuffer> {
  const majors = new Int32Array(pointers.at(-1) ?? 0);
  for (let m = 0; m + 1 < pointers.length; m++) majors.fill(m, pointers[m] ?? 0, pointers[m + 1] ?? 0);
  return majors;
}

/** The other triangle. */
function offDiagonal(stored: Listed): Listed {
  const order = Array.from(stored.rows.keys()).filter((e) => stored.rows[e] !== stored.columns[e]);
  const { values } = stored;
  return {
    rows: Int32Array.from(order, (e) => stored.columns[e] ?? 0),
    columns: Int32Array.from(order, (e) => stored.rows[e] ?? 0),
    values:
      values instanceof Float64Array
        ? Float64Array.from(order, (e) => values[e] ?? 0)
        : values instanceof Int32Array
          ? Int32Array.from(order, (e) => values[e] ?? 0)
          : Uint8Array.from(order, (e) => Number(values[e] ?? 0)),
  };
}

/** Where the rows and columns of a part stand in the whole; undefined where they are the whole. */
export interface Placement {
  readonly rows?: Int32Array;
  readonly columns?: Int32Array;
}

/** Where and in which order entries are wanted. */
export interface EntryTarget {
  readonly geneCount: number;
  readonly cellCount: number;
  readonly placement: Placement;
  readonly sortedBy: 'gene' | 'cell';
  readonly sortMemoryBytes: number;
}

/**
 * Entries by (gene, cell), `minor` being the gene, or by (cell, gene), `minor` being the cell. A block is good until the next
 * one is asked for.
 */
export function* orderedEntries(entries: SparseEntries, target: EntryTarget): Iterable<EntryBlock> {
  const { ascending } = entries;
  const { placement, sortedBy, sortMemoryBytes } = target;
  if (ascending === undefined || placement.rows !== undefined || placement.columns !== undefined) {
    const sorted = byGene(entries, target);
    yield* coordinateOrder(sortedBy === 'gene' ? sorted : exchanged(sorted, target.cellCount), sortMemoryBytes);
    return;
  }
  if ((sortedBy === 'gene') !== (ascending.majors === 'rows')) {
    yield* tiledOrder(ascending.matrix, sortMemoryBytes);
    return;
  }
  for (const { major, minor, values } of storedOrder(ascending.matrix)) yield { major: minor, minor: major, values };
}

/** Entries for sorting by gene. */
function byGene(entries: SparseEntries, { geneCount, placement }: EntryTarget): CoordinateMatrix {
  const { rows: rowPlaces, columns: columnPlaces } = placement;
  const minorCounts = new Float64Array(geneCount);
  const blocks = function* (): Iterable<EntryBlock> {
    for (const { rows, columns, values } of entries.blocks()) {
      const minor = rowPlaces === undefined ? rows : rows.map((row) => rowPlaces[row] ?? 0);
      const major = columnPlaces === undefined ? columns : columns.map((column) => columnPlaces[column] ?? 0);
      yield { major, minor, values };
    }
  };
  for (const { minor } of blocks()) addCounts(minorCounts, minor);
  return {
    minorCount: geneCount,
    entryCount: entries.count,
    minorCounts,
    bytesPerValue: entries.type === 'DOUBLE' ? 8 : 4,
    blocks,
    emptyValues: (length) => emptyValues(entries.type, length),
  };
}

function emptyValues(type: WritableType, length: number): NumberArray {
  if (type === 'DOUBLE') return new Float64Array(length);
  return type === 'INTEGER' ? new Int32Array(length) : new Uint8Array(length);
}
