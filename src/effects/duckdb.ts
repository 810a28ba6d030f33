import { createRequire } from 'node:module';
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import type { Column } from '../domain/column.js';

/** A cell of a result, lossless: 64-bit integers, decimals and times come as text, as DuckDB prints them. */
export type Cell = null | boolean | number | string | readonly Cell[] | { readonly [key: string]: Cell };
export type Row = Readonly<Record<string, Cell>>;

/** A value bound to a `$1`, `$2` … in a statement. */
export type Parameter = string | number | bigint | boolean | null;

export interface DatabaseOptions {
  /** File of the database; in memory when left out. */
  readonly path?: string;
  /** DuckDB settings given at start, for example `{ threads: '2' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** One DuckDB instance with one connection. Calls are queued by DuckDB in the order in which they are made. */
export interface Database {
  /** Runs one or several statements and drops their rows. */
  run(sql: string, parameters?: readonly Parameter[]): Promise<void>;
  /** Runs one statement and reads all its rows. */
  rows(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>;
  /** Like `rows`, with the result's columns: for results whose names may clash or whose types matter. */
  table(
    sql: string,
    limit?: number,
  ): Promise<{ readonly columns: readonly Column[]; readonly rows: readonly (readonly Cell[])[] }>;
  /** Names and types of a query's result, without running it. */
  describe(sql: string): Promise<readonly Column[]>;
  /** Stops the statement that is running; it rejects with an INTERRUPT error. */
  interrupt(): void;
  close(): void;
  /** The driver's own connection, for what only the driver can do (table functions, appenders). */
  readonly connection: DuckDBConnection;
}

/** Opens DuckDB instances. The module of the driver (40 MB of native code) is loaded at the first call, not before. */
export interface DuckDb {
  open(options?: DatabaseOptions): Promise<Database>;
}

/** Loaded as the CommonJS that it is: `import` would first read its ninety files for the names that they export. */
export function nodeApi(): typeof import('@duckdb/node-api') {
  return createRequire(import.meta.url)('@duckdb/node-api');
}

export const duckdb: DuckDb = {
  async open(options = {}) {
    const { DuckDBInstance: Instance } = nodeApi();
    const instance = await Instance.create(options.path ?? ':memory:', { ...options.settings });
    const connection = await instance.connect();
    return new DriverDatabase(instance, connection);
  },
};

class DriverDatabase implements Database {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.connection = connection;
  }

  async run(sql: string, parameters?: readonly Parameter[]): Promise<void> {
    await this.connection.run(sql, bound(parameters));
  }

  async rows(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]> {
    const reader = await this.connection.runAndReadAll(sql, bound(parameters));
    return reader.getRowObjectsJson() as unknown as readonly Row[];
  }

  async table(sql: string, limit?: number): ReturnType<Database['table']> {
    const reader =
      limit === undefined
        ? await this.connection.runAndReadAll(sql)
        : await this.connection.runAndReadUntil(sql, limit);
    const names = reader.columnNames();
    const types = reader.columnTypes();
    const rows = reader.getRowsJson() as unknown as readonly (readonly Cell[])[];
    return {
      columns: names.map((name, i) => ({ name, type: String(types[i]) })),
      rows: limit === undefined ? rows : rows.slice(0, limit),
    };
  }

  async describe(sql: string): Promise<readonly Column[]> {
    const statement = await this.connection.prepare(sql);
    try {
      return Array.from({ length: statement.columnCount }, (_, i) => ({
        name: statement.columnName(i),
        type: String(statement.columnType(i)),
      }));
    } finally {
      statement.destroySync();
    }
  }

  interrupt(): void {
    this.connection.interrupt();
  }

  close(): void {
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

function bound(parameters: readonly Parameter[] | undefined): DuckDBValue[] | undefined {
  return parameters === undefined ? undefined : [...parameters];
}
