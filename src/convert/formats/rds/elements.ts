import type { ColumnValues, NumberArray, RowBlock, WritableType } from '../../../effects/parquet-writer.js';
import type { PlannedElement } from '../../element.js';
import { type JsonObject, jsonText } from '../../json.js';
import { memoryTable } from '../../memory-table.js';
import { MISSING_LOGICAL, type RMatrix } from './matrices.js';
import { orderedEntries, type Placement } from './sparse-entries.js';
import { missingDoubles, missingIntegers } from './values.js';

export interface MatrixTarget {
  readonly path: string;
  readonly table: string;
  /** Lengths of the axes of the whole, and where the rows and columns of this part stand in them. */
  readonly geneCount: number;
  readonly cellCount: number;
  readonly placement: Placement;
  readonly sortMemoryBytes: number;
  readonly sortedBy: 'gene' | 'cell';
  /** What the manifest says of an order that is not the usual one. */
  readonly describeOrder: JsonObject;
}

/** A matrix of genes by cells as a table of its entries, in the order that is asked for. */
export function matrixElement(matrix: RMatrix, target: MatrixTarget): PlannedElement {
  const { content, type, dtype, hasMissing } = matrix;
  const { geneCount, cellCount, placement } = target;
  const isByGene = target.sortedBy === 'gene';
  const count = content.kind === 'sparse' ? content.entries.count : matrix.rowCount * matrix.columnCount;
  return {
    schema: {
      path: target.path,
      table: target.table,
      kind: content.kind,
      columns: [
        { name: isByGene ? 'gene_idx' : 'cell_idx', type: 'INTEGER' },
        { name: isByGene ? 'cell_idx' : 'gene_idx', type: 'INTEGER' },
        { name: 'value', type },
      ],
    },
    rowCount: count,
    neverNull: !hasMissing,
    *blocks(): Iterable<RowBlock> {
      if (content.kind === 'dense') {
        yield* denseBlocks(matrix, content.values, { placement, isByGene });
        return;
      }
      for (const { major, minor, values } of orderedEntries(content.entries, target)) {
        yield {
          rowCount: major.length,
          columns: [
            { kind: 'numbers', numbers: minor },
            { kind: 'numbers', numbers: major },
            withMissing(values, hasMissing),
          ],
        };
      }
    },
    describe: () => ({
      kind: content.kind === 'sparse' ? 'csr' : 'dense',
      dtype,
      shape: [cellCount, geneCount],
      nnz: content.kind === 'sparse' ? count : null,
      ...target.describeOrder,
    }),
  };
}

/** Every entry, row by row of R's matrix, which is gene by gene, or column by column, in the order of the whole. */
function* denseBlocks(
  matrix: RMatrix,
  values: NumberArray,
  { placement, isByGene }: { readonly placement: Placement; readonly isByGene: boolean },
): Iterable<RowBlock> {
  const { rowCount, columnCount, type, hasMissing } = matrix;
  const genes = { places: placement.rows, order: sortedPlaces(placement.rows, rowCount), step: 1 };
  const cells = { places: placement.columns, order: sortedPlaces(placement.columns, columnCount), step: rowCount };
  const [outer, inner] = isByGene ? [genes, cells] : [cells, genes];
  const { length } = inner.order;
  if (length === 0) return;
  const inners = Int32Array.from(inner.order, (at) => inner.places?.[at] ?? at);
  for (const one of outer.order) {
    yield {
      rowCount: length,
      columns: [
        { kind: 'numbers', numbers: new Int32Array(length).fill(outer.places?.[one] ?? one) },
        { kind: 'numbers', numbers: inners },
        withMissing(
          picked(type, values, (i) => one * outer.step + (inner.order[i] ?? 0) * inner.step, length),
          hasMissing,
        ),
      ],
    };
  }
}

function sortedPlaces(places: Int32Array | undefined, length: number): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  return places === undefined ? order : order.sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
}

function picked(type: WritableType, values: NumberArray, at: (i: number) => number, length: number): NumberArray {
  const pick = (_: unknown, i: number): number => Number(values[at(i)] ?? 0);
  if (type === 'DOUBLE' && values instanceof Float64Array) {
    // By words: R's NA is a NaN of its own, which a detour over numbers may lose.
    const found = new Float64Array(length);
    const from = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    const to = new Uint32Array(found.buffer);
    for (let i = 0; i < length; i++) {
      to[2 * i] = from[2 * at(i)] ?? 0;
      to[2 * i + 1] = from[2 * at(i) + 1] ?? 0;
    }
    return found;
  }
  return type === 'INTEGER' ? Int32Array.from({ length }, pick) : Uint8Array.from({ length }, pick);
}

function withMissing(values: NumberArray, hasMissing: boolean): ColumnValues {
  if (!hasMissing) return { kind: 'numbers', numbers: values };
  if (values instanceof Float64Array) {
    const isNull = missingDoubles(values);
    return { kind: 'numbers', numbers: values, ...(isNull === undefined ? {} : { isNull }) };
  }
  if (values instanceof Int32Array) {
    const isNull = missingIntegers(values);
    return { kind: 'numbers', numbers: values, ...(isNull === undefined ? {} : { isNull }) };
  }
  const { length } = values;
  const isNull = Uint8Array.from({ length }, (_, i) => (Number(values[i]) === MISSING_LOGICAL ? 1 : 0));
  return { kind: 'numbers', numbers: Uint8Array.from({ length }, (_, i) => (Number(values[i]) === 1 ? 1 : 0)), isNull };
}

export interface EmbeddingTarget {
  readonly path: string;
  readonly table: string;
  readonly key: 'cell_idx' | 'gene_idx';
  readonly rowPlaces: Int32Array | undefined;
}

/** A dense matrix whose rows lie along an axis, with a column for each of its own. */
export function embeddingElement(matrix: RMatrix, values: NumberArray, target: EmbeddingTarget): PlannedElement {
  const { rowCount, columnCount, type, dtype } = matrix;
  const order = sortedPlaces(target.rowPlaces, rowCount);
  const keys = Int32Array.from(order, (row) => target.rowPlaces?.[row] ?? row);
  const column = (c: number): ColumnValues =>
    withMissing(
      picked(type, values, (i) => (order[i] ?? 0) + c * rowCount, rowCount),
      matrix.hasMissing,
    );
  return {
    ...memoryTable({
      path: target.path,
      table: target.table,
      kind: 'embedding',
      rowCount,
      keys: [
        { column: { name: target.key, type: 'INTEGER' }, values: { kind: 'numbers', numbers: keys } },
        ...Array.from({ length: columnCount }, (_, c) => ({ column: { name: `d${c}`, type }, values: column(c) })),
      ],
      columns: [],
      description: {},
    }),
    describe: () => ({
      kind: 'array',
      dtype,
      shape: [rowCount, columnCount],
      nnz: null,
      ...(matrix.columnNames === null ? {} : { column_names: matrix.columnNames }),
    }),
  };
}

/** A leaf that is no table: a scalar, a vector, what cannot be converted. */
export interface Leaf {
  readonly path: string;
  readonly kind: string;
  readonly dtype: string | null;
  readonly shape: readonly number[] | null;
  readonly json: () => Parameters<typeof jsonText>[0];
}

/** All leaves as one table of JSON, as `uns` of AnnData is. */
export function leavesElement(leaves: readonly Leaf[], path: string, table: string): PlannedElement {
  const texts = (of: (leaf: Leaf) => string | null): ColumnValues => ({ kind: 'texts', texts: leaves.map(of) });
  const column = (name: string, values: ColumnValues) => ({ column: { name, type: 'VARCHAR' as const }, values });
  return {
    ...memoryTable({
      path,
      table,
      kind: 'uns',
      rowCount: leaves.length,
      keys: [
        column(
          'path',
          texts((leaf) => leaf.path),
        ),
        column(
          'kind',
          texts((leaf) => leaf.kind),
        ),
        column(
          'dtype',
          texts((leaf) => leaf.dtype),
        ),
        column(
          'shape',
          texts((leaf) => (leaf.shape === null ? null : jsonText(leaf.shape))),
        ),
        column(
          'json',
          texts((leaf) => jsonText(leaf.json())),
        ),
      ],
      columns: [],
      description: {},
    }),
    describe: () => ({ kind: 'uns' }),
  };
}
