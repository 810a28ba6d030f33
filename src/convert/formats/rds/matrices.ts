import type { NumberArray, WritableType } from '../../../effects/parquet-writer.js';
import type { RInput } from './input.js';
import { type SparseEntries, sparseEntries } from './sparse-entries.js';
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
  const isSymmetric = attribute(value, 'uplo') !== undefined && classesOf(value).every((name) => /^.s/.test(name));
  if (attribute(value, 'uplo') !== undefined && !isSymmetric) {
    throw input.error(
      'SL0641',
      place,
      `a ${describeValue(value)} is not supported`,
      'convert it in R: as(x, "dgCMatrix")',
    );
  }
  const entries = sparseEntries(input, place, { ...shape, i, j, p, values, type: facts.type, isSymmetric });
  return { ...facts, content: { kind: 'sparse', entries } };
}
