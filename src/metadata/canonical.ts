import { closeSync, openSync, writeSync } from 'node:fs';
import type { Files } from '../effects/files.js';
import type { OpenSqlite } from '../effects/sqlite.js';
import { type Contents, isSameContents, readContentsOf } from './contents.js';
import { createTable, insertInto, METADATA_VERSION, metadataTables } from './tables.js';

export interface CanonicalEffects {
  readonly files: Files;
  readonly openSqlite: OpenSqlite;
}

/** Where SQLite's header names the library that wrote last. */
const WRITER_VERSION_OFFSET = 96;
/** The oldest that reads STRICT tables. */
const LEAST_SQLITE = 3_037_000;

/**
 * Writes the file that git tracks: rebuilt row by row in the order of the keys into a new file, so that equal contents
 * give equal bytes whatever was written and deleted before. A file that holds the same already is not touched.
 *
 * @returns whether the file is another one now
 * @throws Error where the file that stands there is no database, or one of a newer version: it is left as it is
 */
export function writeCanonical(file: string, contents: Contents, { files, openSqlite }: CanonicalEffects): boolean {
  if (isThere(file, files) && isSameContents(readContentsOf(file, openSqlite), contents)) return false;
  const neighbour = `${file}.part`;
  files.remove(neighbour);
  const database = openSqlite(neighbour, 'write');
  try {
    database.run('PRAGMA page_size = 4096');
    database.run('PRAGMA encoding = "UTF-8"');
    database.rows('PRAGMA journal_mode = DELETE');
    database.run(`PRAGMA user_version = ${METADATA_VERSION}`);
    database.transaction(() => {
      for (const table of metadataTables) {
        database.run(createTable(table));
        const insert = insertInto(table);
        const columns = Object.keys(table.columns);
        for (const row of contents.get(table.name) ?? [])
          database.run(
            insert,
            columns.map((column) => row[column] ?? null),
          );
      }
    });
  } finally {
    database.close();
  }
  // Two releases of SQLite write the same rows alike but for this number, which nothing reads.
  const handle = openSync(neighbour, 'r+');
  try {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(LEAST_SQLITE);
    writeSync(handle, bytes, 0, 4, WRITER_VERSION_OFFSET);
  } finally {
    closeSync(handle);
  }
  files.rename(neighbour, file);
  return true;
}

/** An empty file is what git makes of one that was not there. */
export function isThere(file: string, files: Files): boolean {
  return (files.facts(file)?.sizeBytes ?? 0) > 0;
}
