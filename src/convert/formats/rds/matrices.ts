import type { NumberArray, WritableType } from '../../../effects/parquet-writer.js';
import type { CoordinateMatrix, EntryBlock } from '../../sparse-order.js';
import type { RInput } from './input.js';
import {
  attribute,
  classesOf,
  describeValue,
  members,
  missingDoubles,
  NA_INTEGER,
  numbersOf,
  type RValue,
  textsOf,
} from './values.js';

/** Names of an axis, or null where R has none. */
export type AxisTexts = readonly (string | null)[] | null;

/** A matrix of R: genes are its rows, cells its columns. */
export interface RMatrix {
  readonly place: string;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly rowNames: AxisTexts;
  readonly columnNames: AxisTexts;
  readonly type: WritableType;
  readonly dtype: string;
  readonly content:
    | { readonly kind: 'sparse'; readonly entries: SparseEntries }
    | { readonly kind: 'dense'; readonly values: NumberArray };
  /** Bytes of R's missing value: where it stands there is no value. */
  readonly hasMissing: boolean;
}

/** Entries, block by block: rows and columns from 0, checked. */
export interface SparseEntries {
  readonly count: number;
  blocks(): Iterable<{
    readonly rows: Int32Array<ArrayBuffer>;
    readonly columns: Int32Array<ArrayBuffer>;
    readonly values: NumberArray;
  }>;
}

const ENTRIES_PER_BLOCK = 1 << 18;

/** What a missing logical is stored as until it is written as NULL. */
export const MISSING_LOGICAL = 2;

/** Whether a value is a matrix that can be read: of the package Matrix, or one of R itself. */
export function isMatrix(value: RValue | undefined): value is RValue {
  if (value === undefined) return false;
  if (value.type === 'S4') return attribute(value, 'Dim') !== undefined;
  const dim = numbersOf(attribute(value, 'dim'));
  return dim?.length === 2 && (value.type === 'double' || value.type === 'integer' || value.type === 'logical');
}

/** @throws DiagnosticError (SL0641 a kind that is not read, SL0642 inconsistent) */
export function matrixOf(input: RInput, place: string, value: RValue): RMatrix {
  const isS4 = value.type === 'S4';
  const dim = numbersOf(attribute(value, isS4 ? 'Dim' : 'dim')) ?? [];
  const [rowCount = -1, columnCount = -1] = dim;
  if (dim.length !== 2 || !(rowCount >= 0) || !(columnCount >= 0)) {
    throw input.error('SL0642', place, `has dimensions ${dim.join(' x ') || 'none'}, two are expected`);
  }
  const names = members(attribute(value, isS4 ? 'Dimnames' : 'dimnames')).map(([, item]) => item);
  const shape = {
    place,
    rowCount,
    columnCount,
    rowNames: axisNames(input, `${place}: row names`, names[0], rowCount),
    columnNames: axisNames(input, `${place}: column names`, names[1], columnCount),
  };
  if (!isS4) return { ...shape, ...denseContent(input, place, value, rowCount * columnCount) };
  const has = (slot: string): boolean => attribute(value, slot) !== undefined;
  if (!has('i') && !has('j') && has('x') && !has('perm') && !has('diag')) {
    return { ...shape, ...denseContent(input, place, attribute(value, 'x'), rowCount * columnCount) };
  }
  if (has('diag') || (!has('i') && !has('j'))) {
    throw input.error(
      'SL0641',
      place,
      `a ${describeValue(value)} is not supported`,
      'convert it in R: as(x, "dgCMatrix")',
    );
  }
  return { ...shape, ...sparseContent(input, place, value, shape) };
}

function axisNames(input: RInput, place: string, value: RValue | undefined, length: number): AxisTexts {
  const texts = textsOf(value);
  if (texts.length === 0) return null;
  if (texts.length !== length) throw input.error('SL0642', place, `there are ${texts.length}, the axis has ${length}`);
  return texts;
}

type Content = Pick<RMatrix, 'type' | 'dtype' | 'content' | 'hasMissing'>;

function denseContent(input: RInput, place: string, value: RValue | undefined, length: number): Content {
  const found = numeric(input, place, value);
  if (found.values.length !== length) {
    throw input.error('SL0642', place, `has ${found.values.length} values, its dimensions ask for ${length}`);
  }
  return { ...found, content: { kind: 'dense', values: found.values } };
}

function numeric(
  input: RInput,
  place: string,
  value: RValue | undefined,
): Pick<RMatrix, 'type' | 'dtype' | 'hasMissing'> & { readonly values: NumberArray } {
  switch (value?.type) {
    case 'double':
      return {
        type: 'DOUBLE',
        dtype: 'float64',
        values: value.values,
        hasMissing: missingDoubles(value.values) !== undefined,
      };
    case 'integer':
      return { type: 'INTEGER', dtype: 'int32', values: value.values, hasMissing: value.values.includes(NA_INTEGER) };
    case 'logical': {
      const values = Uint8Array.from(value.values, (v) => (v === NA_INTEGER ? MISSING_LOGICAL : v === 0 ? 0 : 1));
      return { type: 'BOOLEAN', dtype: 'bool', values, hasMissing: values.includes(MISSING_LOGICAL) };
    }
    default:
      throw input.error(
        'SL0641',
        place,
        `holds ${value === undefined ? 'nothing' : describeValue(value)}, not numbers`,
      );
  }
}

/** Column-compressed (i, p), row-compressed (j, p) and triplet (i, j) matrices, mirrored when symmetric. */
function sparseContent(
  input: RInput,
  place: string,
  value: RValue,
  shape: { readonly rowCount: number; readonly columnCount: number },
): Content {
  const integers = (slot: string): Int32Array<ArrayBuffer> | undefined => {
    const found = attribute(value, slot);
    return found?.type === 'integer' ? found.values : undefined;
  };
  const [i, j, p] = [integers('i'), integers('j'), integers('p')];
  const count = i?.length ?? j?.length ?? 0;
  const x = attribute(value, 'x');
  const pattern = { type: 'BOOLEAN', dtype: 'bool', values: new Uint8Array(count).fill(1), hasMissing: false } as const;
  const { values, ...facts } = x === undefined ? pattern : numeric(input, `${place}@x`, x);
  if (values.length !== count) throw input.error('SL0642', place, `has ${values.length} values and ${count} indices`);
  const { rowCount, columnCount } = shape;
  const rows = i ?? (p === undefined ? undefined : fromPointers(input, `${place}@p`, p, { count, length: rowCount }));
  const columns =
    j ?? (p === undefined ? undefined : fromPointers(input, `${place}@p`, p, { count, length: columnCount }));
  if (rows === undefined || columns === undefined || rows.length !== columns.length) {
    throw input.error('SL0642', place, 'its slots i, j and p do not fit together');
  }
  checkRange(input, place, { what: 'row', indices: rows, length: rowCount });
  checkRange(input, place, { what: 'column', indices: columns, length: columnCount });
  const isSymmetric = attribute(value, 'uplo') !== undefined && classesOf(value).every((name) => /^.s/.test(name));
  if (attribute(value, 'uplo') !== undefined && !isSymmetric) {
    throw input.error(
      'SL0641',
      place,
      `a ${describeValue(value)} is not supported`,
      'convert it in R: as(x, "dgCMatrix")',
    );
  }
  if (isSymmetric && rowCount !== columnCount) throw input.error('SL0642', place, 'is symmetric, but not square');
  const stored = { rows, columns, values };
  const mirrored = isSymmetric ? offDiagonal(stored) : undefined;
  const entries: SparseEntries = {
    count: count + (mirrored?.rows.length ?? 0),
    *blocks() {
      for (const part of mirrored === undefined ? [stored] : [stored, mirrored]) {
        for (let from = 0; from < part.rows.length; from += ENTRIES_PER_BLOCK) {
          const to = Math.min(part.rows.length, from + ENTRIES_PER_BLOCK);
          yield {
            rows: part.rows.subarray(from, to),
            columns: part.columns.subarray(from, to),
            values: part.values.subarray(from, to),
          };
        }
      }
    },
  };
  return { ...facts, content: { kind: 'sparse', entries } };
}

/** The number of the row or column of every entry. */
function fromPointers(
  input: RInput,
  place: string,
  pointers: Int32Array,
  matrix: { readonly count: number; readonly length: number },
): Int32Array<ArrayBuffer> {
  const { count, length } = matrix;
  if (pointers.length !== length + 1 || pointers[0] !== 0 || pointers[length] !== count) {
    throw input.error(
      'SL0642',
      place,
      `has ${pointers.length} pointers up to ${pointers[length]}, ${length + 1} up to ${count} are expected`,
    );
  }
  const majors = new Int32Array(count);
  for (let m = 0; m < length; m++) {
    const [from, to] = [pointers[m] ?? 0, pointers[m + 1] ?? 0];
    if (to < from) throw input.error('SL0642', place, `decreases after pointer ${m}: ${from} to ${to}`);
    if (to > count) throw input.error('SL0642', place, `pointer ${m + 1} is ${to}, there are ${count} entries`);
    majors.fill(m, from, to);
  }
  return majors;
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

/** The other triangle. */
function offDiagonal(stored: {
  readonly rows: Int32Array<ArrayBuffer>;
  readonly columns: Int32Array<ArrayBuffer>;
  readonly values: NumberArray;
}): typeof stored {
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

/** A sparse matrix for sorting by gene. */
export function byGene(
  matrix: RMatrix,
  entries: SparseEntries,
  whole: { readonly geneCount: number; readonly placement: Placement },
): CoordinateMatrix {
  const { rows: rowPlaces, columns: columnPlaces } = whole.placement;
  const minorCounts = new Float64Array(whole.geneCount);
  const blocks = function* (): Iterable<EntryBlock> {
    for (const { rows, columns, values } of entries.blocks()) {
      const minor = rowPlaces === undefined ? rows : rows.map((row) => rowPlaces[row] ?? 0);
      const major = columnPlaces === undefined ? columns : columns.map((column) => columnPlaces[column] ?? 0);
      yield { major, minor, values };
    }
  };
  for (const { minor } of blocks()) {
    for (let e = 0; e < minor.length; e++) minorCounts[minor[e] ?? 0] = (minorCounts[minor[e] ?? 0] ?? 0) + 1;
  }
  return {
    minorCount: whole.geneCount,
    entryCount: entries.count,
    minorCounts,
    bytesPerValue: matrix.type === 'DOUBLE' ? 8 : 4,
    blocks,
    emptyValues: (length) => emptyValues(matrix.type, length),
  };
}

export function emptyValues(type: WritableType, length: number): NumberArray {
  if (type === 'DOUBLE') return new Float64Array(length);
  return type === 'INTEGER' ? new Int32Array(length) : new Uint8Array(length);
}
