import { digest } from '../domain/digest.js';
import { columnKey, type Lineage, type PartPrint } from '../domain/query-print.js';
import type { DataPrint } from '../domain/snapshot.js';

/**
 * Content hashes of a model's data: the hashes of its query, with each leaf replaced by the hash of the data that it
 * stands for. A parent's change reaches a column or the row set only through the leaves that it depends on; what does
 * not read the change keeps its hash, and with it its table.
 *
 * @param lineage    the model's own print
 * @param semantics  hash of what else decides its rows (its kind, its unique key, …)
 * @param parentOf   data of a table that it reads; undefined for itself and for tables outside the project
 */
export function dataPrint(
  lineage: Lineage,
  semantics: string,
  parentOf: (table: string) => DataPrint | undefined,
): DataPrint {
  if (!lineage.known) {
    const parents = lineage.tables.map((table) => wholeTable(table, parentOf(table)));
    const rows = digest('unknown', lineage.textHash, semantics, ...parents);
    return {
      rows,
      columns: Object.fromEntries(
        lineage.columns.map((column) => [
          column.name.toLowerCase(),
          digest(rows, column.name.toLowerCase(), column.type),
        ]),
      ),
    };
  }
  const { print } = lineage;
  // Leaves are named by their place in the plan, not by their table: a renamed parent with the same data gives the same hash.
  const leaves = new Map<string, string>();
  for (const [place, table] of print.leaves.entries()) {
    const data = parentOf(table);
    leaves.set(table, `${place} rows ${data?.rows ?? `outside ${table}`}`);
    for (const [column, hash] of Object.entries(data?.columns ?? {}))
      leaves.set(columnKey(table, column), `${place} ${column} ${hash}`);
  }
  const resolved = (part: PartPrint): readonly string[] =>
    [...part.rowSets, ...part.columns].map((leaf) => leaves.get(leaf) ?? `outside ${leaf}`).sort();
  const rows = digest('rows', semantics, print.rows.hash, ...resolved(print.rows));
  const columns = print.columns.map(
    (column) => [column.name.toLowerCase(), digest('column', column.type, column.hash, ...resolved(column))] as const,
  );
  return { rows, columns: Object.fromEntries(columns) };
}

/** Data of a table whose content is named by a version: a source's, or a seed's. */
export function versionedData(
  table: string,
  version: string,
  columns: readonly { readonly name: string }[],
): DataPrint {
  return {
    rows: digest('rows of', table, version),
    columns: Object.fromEntries(
      columns.map((column) => [
        column.name.toLowerCase(),
        digest('column of', table, column.name.toLowerCase(), version),
      ]),
    ),
  };
}

/** One hash of everything in a table, for readers that may read anything. */
export function wholeTable(table: string, data: DataPrint | undefined): string {
  if (data === undefined) return `outside ${table}`;
  return digest(
    data.rows,
    ...Object.entries(data.columns)
      .map(([column, hash]) => `${column}=${hash}`)
      .sort(),
  );
}
