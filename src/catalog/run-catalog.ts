import { ident, inLake, qualified, type TableName } from '../domain/names.js';
import type { Database } from '../effects/duckdb.js';
import type { LakeSession } from './lake-session.js';

const RUN = 'scilake_run';

/**
 * Logical names for one environment: an in-memory catalog with a view for each model and source table, in which authors'
 * SQL runs as it was written. Made once for a run; views are added as tables come to be.
 */
export interface RunCatalog {
  /** Points a logical name at a physical table or view. */
  pointAt(name: TableName, physical: TableName): Promise<void>;
  /** Points a logical name at a table of its own name in the lake, which somebody else keeps. */
  pointOutside(name: TableName): Promise<void>;
  /** Gives an EMBEDDED model's query its name. */
  inline(name: TableName, query: string): Promise<void>;
  close(): Promise<void>;
}

export async function openRunCatalog(session: LakeSession): Promise<RunCatalog> {
  await session.exclusively(async (database) => {
    await database.run('USE memory');
    await database.run(`DETACH DATABASE IF EXISTS ${RUN}`);
    await database.run(`ATTACH ':memory:' AS ${RUN}`);
    await database.run(`USE ${RUN}`);
  });
  const schemas = new Set<string>();
  const define = (name: TableName, body: string): Promise<void> =>
    session.exclusively(async (database: Database) => {
      if (!schemas.has(name.schema)) await database.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(RUN, name.schema)}`);
      schemas.add(name.schema);
      await database.run(`CREATE OR REPLACE VIEW ${qualified(RUN, name.schema, name.table)} AS ${body}`);
    });
  return {
    pointAt: (name, physical) => define(name, `FROM ${inLake(physical)}`),
    pointOutside: (name) => define(name, `FROM ${inLake(name)}`),
    inline: (name, query) => define(name, `\n${query}`),
    close: () =>
      session.exclusively(async (database) => {
        await database.run('USE memory');
        await database.run(`DETACH DATABASE IF EXISTS ${ident(RUN)}`);
      }),
  };
}
