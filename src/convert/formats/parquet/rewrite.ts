import { messageOf } from '../../../domain/diagnostic.js';
import { ident, literal } from '../../../domain/names.js';
import type { Database } from '../../../effects/duckdb.js';
import { PARQUET_OPTIONS } from '../../../effects/parquet-writer.js';
import { contentHashes, rowsOf } from './facts.js';
import type { PlannedColumn } from './plan.js';

/** The columns of one file as the lake has them. */
export function storedColumns(columns: readonly PlannedColumn[]): readonly string[] {
  return columns.map(
    ({ read, name, type, stored }) =>
      `${type === stored ? ident(read) : `CAST(${ident(read)} AS ${stored})`} AS ${ident(name)}`,
  );
}

/** Writes the rows of a query; compares what is there with what was read. */
export async function rewrite(
  database: Database,
  table: { readonly query: string; readonly to: string; readonly names: readonly string[] },
): Promise<{ readonly code: 'cast' | 'lost'; readonly message: string } | undefined> {
  const { query, names } = table;
  try {
    // Row groups are cut where the one thread finds them: equal input gives equal bytes.
    await database.run('SET threads = 1');
    await database.run(`COPY (${query}) TO ${literal(table.to)} (${PARQUET_OPTIONS})`);
  } catch (thrown) {
    if (!/Conversion Error|Out of Range/i.test(messageOf(thrown))) throw thrown;
    return { code: 'cast', message: messageOf(thrown).split('\n')[0] ?? '' };
  }
  const wanted = await contentHashes(database, `(${query})`, names);
  const found = await contentHashes(database, rowsOf(table.to), names);
  return wanted.every((hash, i) => hash === found[i]) ? undefined : { code: 'lost', message: '' };
}
