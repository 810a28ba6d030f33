import type { ElementKind } from '../domain/convert.js';
import type { ColumnValues, WritableColumn, WritableType } from '../effects/parquet-writer.js';
import type { PlannedElement } from './element.js';
import type { JsonObject } from './json.js';
import { columnNames } from './names.js';

/** A column whose values are in memory, all of them. */
export interface MemoryColumn {
  /** As the file calls it. */
  readonly original: string;
  readonly type: WritableType;
  readonly values: ColumnValues;
  /** Its dtype and the like, for the manifest. */
  readonly description: JsonObject;
}

export interface MemoryTable {
  readonly path: string;
  readonly table: string;
  readonly kind: ElementKind;
  readonly rowCount: number;
  /** Columns that the convention names; they are not renamed and not described. */
  readonly keys: readonly { readonly column: WritableColumn; readonly values: ColumnValues }[];
  readonly columns: readonly MemoryColumn[];
  /** The element's entry in the manifest, beside its columns. */
  readonly description: JsonObject;
  /** A key column whose values ought to differ. */
  readonly nameColumn?: string;
}

/** A table in memory: keys first, then its columns, renamed where names clash. */
export function memoryTable(table: MemoryTable): PlannedElement {
  const names = columnNames(
    table.columns.map(({ original }) => original),
    table.keys.map(({ column }) => column.name),
  );
  const nameOf = (i: number): string => names[i] ?? '';
  return {
    schema: {
      path: table.path,
      table: table.table,
      kind: table.kind,
      columns: [
        ...table.keys.map(({ column }) => column),
        ...table.columns.map(({ type }, i) => ({ name: nameOf(i), type })),
      ],
    },
    rowCount: table.rowCount,
    ...(table.nameColumn === undefined ? {} : { nameColumn: table.nameColumn }),
    blocks: () =>
      table.rowCount === 0
        ? []
        : [
            {
              rowCount: table.rowCount,
              columns: [...table.keys.map(({ values }) => values), ...table.columns.map(({ values }) => values)],
            },
          ],
    describe: () => ({
      ...table.description,
      columns: table.columns.map(({ original, description }, i) => ({
        name: original,
        col: nameOf(i),
        ...description,
      })),
    }),
  };
}

export interface AxisFrame {
  readonly path: string;
  readonly table: string;
  readonly key: 'cell_idx' | 'gene_idx';
  /** The rows' names; NULL where there is none. */
  readonly names: readonly (string | null)[];
  readonly columns: readonly MemoryColumn[];
  readonly indexName: string | null;
  readonly warnsOfDuplicates: boolean;
}

/** `obs`, `var` or a data frame along one of them: 0-based index, name, columns. */
export function axisFrame(frame: AxisFrame): PlannedElement {
  const nameColumn = frame.key === 'cell_idx' ? 'obs_name' : 'var_name';
  const rowCount = frame.names.length;
  return memoryTable({
    path: frame.path,
    table: frame.table,
    kind: 'dataframe',
    rowCount,
    keys: [
      { column: { name: frame.key, type: 'INTEGER' }, values: rowNumbers(rowCount) },
      { column: { name: nameColumn, type: 'VARCHAR' }, values: { kind: 'texts', texts: frame.names } },
    ],
    columns: frame.columns,
    description: { kind: 'dataframe', n: rowCount, index_name: frame.indexName },
    ...(frame.warnsOfDuplicates ? { nameColumn } : {}),
  });
}

/** 0, 1, 2 … */
export function rowNumbers(count: number): ColumnValues {
  return { kind: 'numbers', numbers: Int32Array.from({ length: count }, (_, i) => i) };
}
