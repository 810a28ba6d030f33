import { macroDefinitions } from '../domain/anndata-macros.js';
import { ident, inLake, outsideTable, qualified, type TableName } from '../domain/names.js';
import type { Database } from '../effects/duckdb.js';
import type { LakeSession } from './lake-session.js';

/** Name of the in-memory catalog. */
export const RUN_CATALOG = 'scilake_run';

/**
 * Logical names for one environment: an in-memory catalog with a view for each model and source table, in which authors'
 * SQL runs as it was written. Made once for a run; views are added as tables come to be.
 */
export interface RunCatalog {
  /** Points logical names at physical tables or views, all in one transaction of the in-memory catalog. */
  pointAt(names: readonly PointedName[]): Promise<void>;
  /** Points a logical name at a table of its own name in the lake, or in an attached file, which somebody else keeps. */
  pointOutside(name: TableName, catalog?: string): Promise<void>;
  /** Gives an EMBEDDED model's query its name. */
  inline(name: TableName, query: string): Promise<void>;
  close(): Promise<void>;
}

/** A logical name and the table behind it. */
export interface PointedName {
  readonly name: TableName;
  readonly physical: TableName;
}

/** @param mirror a second name for the catalog, for texts that write one in front of the schema */
export async function openRunCatalog(session: LakeSession, mirror?: string): Promise<RunCatalog> {
  await session.exclusively(async (database) => {
    await database.run('USE memory');
    await database.run(`DETACH DATABASE IF EXISTS ${RUN_CATALOG}`);
    await database.run(`ATTACH ':memory:' AS ${RUN_CATALOG}`);
    await database.run(`USE ${RUN_CATALOG}`);
    if (mirror !== undefined) {
      await database.run(`DETACH DATABASE IF EXISTS ${ident(mirror)}`);
      await database.run(`ATTACH ':memory:' AS ${ident(mirror)}`);
    }
    for (const definition of macroDefinitions()) await database.run(definition);
  });
  const schemas = new Set<string>();
  const define = async (database: Database, name: TableName, body: string): Promise<void> => {
    if (!schemas.has(name.schema))
      await database.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(RUN_CATALOG, name.schema)}`);
    schemas.add(name.schema);
    await database.run(`CREATE OR REPLACE VIEW ${qualified(RUN_CATALOG, name.schema, name.table)} AS ${body}`);
  };
  /** One transaction writes one database only: second names come behind the first. */
  const mirrored = async (database: Database, name: TableName): Promise<void> => {
    if (mirror === undefined) return;
    await database.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(mirror, name.schema)}`);
    const own = qualified(RUN_CATALOG, name.schema, name.table);
    await database.run(`CREATE OR REPLACE VIEW ${qualified(mirror, name.schema, name.table)} AS FROM ${own}`);
  };
  return {
    pointAt: (names) =>
      session.exclusively(async (database) => {
        // In a transaction the lake's catalog is looked at once for all views, not once for each.
        await database.run('BEGIN');
        try {
          for (const { name, physical } of names) await define(database, name, `FROM ${inLake(physical)}`);
          await database.run('COMMIT');
        } catch (thrown) {
          await database.run('ROLLBACK');
          schemas.clear();
          throw thrown;
        }
        for (const { name } of names) await mirrored(database, name);
      }),
    pointOutside: (name, catalog) =>
      session.exclusively(async (database) => {
        await define(database, name, `FROM ${outsideTable(name, catalog)}`);
        await mirrored(database, name);
      }),
    inline: (name, query) =>
      session.exclusively(async (database) => {
        await define(database, name, `\n${query}`);
        await mirrored(database, name);
      }),
    close: () =>
      session.exclusively(async (database) => {
        await database.run('USE memory');
        await database.run(`DETACH DATABASE IF EXISTS ${ident(RUN_CATALOG)}`);
        if (mirror !== undefined) await database.run(`DETACH DATABASE IF EXISTS ${ident(mirror)}`);
      }),
  };
}
