import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';

export type SqliteValue = string | number | null;
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** One SQLite file. Calls return at once; errors are thrown with SQLite's own words. */
export interface SqliteDatabase {
  run(sql: string, values?: readonly SqliteValue[]): void;
  rows(sql: string, values?: readonly SqliteValue[]): readonly SqliteRow[];
  /** All of it, or nothing. Writers wait for each other for ten seconds. */
  transaction(work: () => void): void;
  close(): void;
}

export type OpenSqlite = (file: string, mode: 'read' | 'write') => SqliteDatabase;

/** Loads the native module when the first file is opened: most commands open none. */
export const openSqlite: OpenSqlite = (file, mode) => {
  const load = createRequire(import.meta.url);
  const Database: typeof BetterSqlite = load('better-sqlite3');
  const database = new Database(file, { readonly: mode === 'read', fileMustExist: mode === 'read', timeout: 10_000 });
  return {
    run(sql, values = []) {
      database.prepare(sql).run(...values);
    },
    rows: (sql, values = []) => database.prepare<SqliteValue[], SqliteRow>(sql).all(...values),
    transaction: (work) => database.transaction(work).immediate(),
    close: () => database.close(),
  };
};
