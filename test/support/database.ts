import { afterAll, beforeAll } from 'vitest';
import type { Column } from '../../src/domain/column.js';
import type { Lineage, QueryPrint } from '../../src/domain/query-print.js';
import type { References } from '../../src/domain/references.js';
import { type Database, duckdb, type Row } from '../../src/effects/duckdb.js';
import { openShadowCatalog, type ShadowCatalog } from '../../src/effects/shadow-catalog.js';
import { readPlan, unknownLineage } from '../../src/lineage/read-plan.js';
import { tableReferences } from '../../src/parse/references.js';

/** An in-memory database for all tests of a file; `()` gives it once the tests run. */
export function useDatabase(setup: readonly string[] = []): () => Database {
  let database: Database | undefined;
  beforeAll(async () => {
    database = await duckdb.open({ settings: { threads: '1' } });
    for (const sql of setup) await database.run(sql);
  });
  afterAll(() => database?.close());
  return () => {
    if (database === undefined) throw new Error('the database is open only while tests run');
    return database;
  };
}

/** A shadow catalog with the given statements run in it. The caller closes it. */
export async function shadow(setup: readonly string[] = []): Promise<ShadowCatalog> {
  const catalog = await openShadowCatalog(duckdb, '.');
  for (const sql of setup) await catalog.database.run(sql);
  return catalog;
}

/** A shadow catalog for all tests of a file. */
export function useShadow(setup: readonly string[] = []): () => ShadowCatalog {
  let catalog: ShadowCatalog | undefined;
  beforeAll(async () => {
    catalog = await shadow(setup);
  });
  afterAll(() => catalog?.close());
  return () => {
    if (catalog === undefined) throw new Error('the shadow catalog is open only while tests run');
    return catalog;
  };
}

/** What a query says of itself, or why it says nothing. */
export async function lineageOf(catalog: ShadowCatalog, sql: string): Promise<Lineage> {
  const bound = await catalog.bind(sql);
  if (bound.type === 'error') throw new Error(`does not bind: ${bound.error.message}\n${sql}`);
  if (bound.type === 'bound') return readPlan(bound.plan, bound.columns, sql);
  return unknownLineage(bound.reason, { tables: [], columns: bound.columns, text: sql });
}

/** The print of a query whose lineage must be known. */
export async function printOf(catalog: ShadowCatalog, sql: string): Promise<QueryPrint> {
  const lineage = await lineageOf(catalog, sql);
  if (!lineage.known) throw new Error(`lineage unknown: ${lineage.reason}\n${sql}`);
  return lineage.print;
}

/** The tables and qualified columns that a query names. */
export async function referencesOf(catalog: ShadowCatalog, sql: string): Promise<References> {
  const [parsed] = await catalog.parse([sql]);
  if (parsed?.type !== 'tree') throw new Error(`no syntax tree: ${JSON.stringify(parsed)}`);
  return tableReferences(parsed.tree);
}

/** The values of a query's only column. */
export async function valuesOf(database: Database, sql: string): Promise<readonly unknown[]> {
  return (await database.rows(sql)).map((row: Row) => Object.values(row)[0]);
}

/** The columns of a table, as a fill needs them. */
export function columnsOf(database: Database, table: string): Promise<readonly Column[]> {
  return database.describe(`SELECT * FROM ${table}`);
}
