import type { Freshness } from '../domain/freshness.js';
import { ident, inLake, physicalName } from '../domain/names.js';
import type { Dataset } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';

/**
 * The greatest value of the column that says how old a source's rows are.
 *
 * @returns ms UTC; undefined where there is no value
 * @throws Error when the source has no such table or column, or when it holds no time
 */
export async function newestRow(
  database: Database,
  dataset: Dataset,
  { column = '', table }: Pick<Freshness, 'column' | 'table'>,
): Promise<number | undefined> {
  const [only, more] = dataset.elements;
  const element =
    table === undefined
      ? more === undefined
        ? only
        : undefined
      : dataset.elements.find((candidate) => candidate.table.toLowerCase() === table);
  if (element === undefined)
    throw new Error(
      `its freshness names no table of it: write column ${dataset.elements[0]?.table ?? 'table'}.${column}`,
    );
  const name = physicalName({ schema: dataset.source, table: element.table.toLowerCase() }, dataset.version);
  const [row] = await database.rows(
    `SELECT epoch_ms(max(CAST(${ident(column)} AS TIMESTAMP))) AS newest FROM ${inLake(name)}`,
  );
  return row?.newest === null || row?.newest === undefined ? undefined : Number(row.newest);
}
