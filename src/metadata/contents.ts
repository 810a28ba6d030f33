import type { OpenSqlite, SqliteDatabase, SqliteRow, SqliteValue } from '../effects/sqlite.js';
import { METADATA_VERSION, type MetadataTable, metadataTables } from './tables.js';

/** All rows of a provenance file, by table, in the order of their keys. */
export type Contents = ReadonlyMap<string, readonly SqliteRow[]>;

export function keyOf(table: MetadataTable, row: SqliteRow): string {
  return JSON.stringify(table.key.map((column) => row[column] ?? null));
}

/** Tables and columns that the file does not have (an older one, or none of ours) count as empty. */
export function readContents(database: SqliteDatabase): Contents {
  const [version] = database.rows('PRAGMA user_version');
  // What it holds beyond our columns would be lost with the next rebuild.
  if (Number(version?.user_version) > METADATA_VERSION)
    throw new Error(
      `the provenance file has version ${version?.user_version}, this Scilake knows version ${METADATA_VERSION}: install a newer Scilake`,
    );
  const present = new Set(
    database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'").map((row) => String(row.name)),
  );
  return new Map(
    metadataTables.map((table) => {
      if (!present.has(table.name)) return [table.name, []];
      const order = table.key.join(', ');
      const rows = database.rows(`SELECT * FROM ${table.name} ORDER BY ${order}`);
      return [table.name, rows.map((row) => fitted(table, row))];
    }),
  );
}

function fitted(table: MetadataTable, row: SqliteRow): SqliteRow {
  return Object.fromEntries(
    Object.entries(table.columns).map(([column, type]): [string, SqliteValue] => [
      column,
      row[column] ?? (type === 'TEXT' ? '' : null),
    ]),
  );
}

/** @throws Error with SQLite's own words where the file is no database */
export function readContentsOf(file: string, open: OpenSqlite): Contents {
  const database = open(file, 'read');
  try {
    return readContents(database);
  } finally {
    database.close();
  }
}

export function isSameContents(a: Contents, b: Contents): boolean {
  return metadataTables.every(({ name }) => JSON.stringify(a.get(name) ?? []) === JSON.stringify(b.get(name) ?? []));
}
