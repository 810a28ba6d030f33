import * as path from 'node:path';
import type { WrittenElement } from '../domain/convert.js';
import { ident, inLake, LAKE, literal, physicalName, qualified, type TableName } from '../domain/names.js';
import type { Files } from '../effects/files.js';
import type { CommitNote, LakeSession, Transaction } from './lake-session.js';
import { METADATA } from './metadata-names.js';

export interface RegisterRequest {
  readonly source: string;
  readonly version: string;
  /** Absolute path of the folder with the converted parquet. */
  readonly folder: string;
  readonly elements: readonly WrittenElement[];
  readonly note: (what: string) => CommitNote;
  /** Records the dataset in the transaction that makes it whole. */
  readonly record: (transaction: Transaction) => Promise<void>;
}

/**
 * Registers converted parquet in the lake without copying a row. DuckLake takes ownership of what is registered and will
 * delete it one day, so it gets hard links of its own under the data path, where alone it records relative paths. Tables
 * are made in one transaction and their files registered in another: both in one, with a rollback, deletes the files.
 */
export async function registerDataset(session: LakeSession, files: Files, request: RegisterRequest): Promise<number> {
  const tables = request.elements.map((element) => ({
    element,
    name: physicalName({ schema: request.source, table: element.table.toLowerCase() }, request.version),
  }));
  await session.transaction(request.note('create tables'), async (transaction) => {
    await transaction.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(LAKE, `scilake__${request.source}`)}`);
    for (const { element, name } of tables) {
      const columns = element.columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ');
      await transaction.run(`CREATE TABLE IF NOT EXISTS ${inLake(name)} (${columns})`);
    }
  });
  const linked = await linkFiles(session, files, request, tables);
  await session.transaction(request.note('register files'), async (transaction) => {
    for (const { name, file } of linked) {
      const known = await transaction.rows(
        `SELECT data_file FROM ducklake_list_files(${literal(LAKE)}, ${literal(name.table)}, schema => ${literal(name.schema)})`,
      );
      // Registered by an earlier try that was cut off before its record: once more would double every row.
      if (known.length > 0) continue;
      await transaction.run(
        `CALL ducklake_add_data_files(${literal(LAKE)}, ${literal(name.table)}, ${literal(file)}, schema => ${literal(name.schema)})`,
      );
    }
    await request.record(transaction);
  });
  return request.elements.reduce((sum, element) => sum + element.rows, 0);
}

async function linkFiles(
  session: LakeSession,
  files: Files,
  request: RegisterRequest,
  tables: readonly { readonly element: WrittenElement; readonly name: TableName }[],
): Promise<readonly { readonly name: TableName; readonly file: string }[]> {
  const folders = await tableFolders(session, `scilake__${request.source}`);
  return tables.map(({ element, name }) => {
    const folder = folders.get(name.table);
    if (folder === undefined) throw new Error(`the lake has no folder for ${name.schema}.${name.table}`);
    files.makeFolder(folder);
    const target = path.join(files.real(folder), `${request.version}.parquet`);
    if (files.facts(target) === undefined) files.linkOrCopy(path.join(request.folder, element.file), target);
    return { name, file: target };
  });
}

/** Where DuckLake keeps the files of each table of a schema: it chooses the folder names itself. */
async function tableFolders(session: LakeSession, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await session.exclusively((database) =>
    database.rows(
      `SELECT t.table_name, s.path AS schema_path, s.path_is_relative AS schema_relative, t.path AS table_path, t.path_is_relative AS table_relative
       FROM ${METADATA}.ducklake_table AS t JOIN ${METADATA}.ducklake_schema AS s USING (schema_id)
       WHERE s.schema_name = $1 AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL`,
      [schema],
    ),
  );
  return new Map(
    rows.map((row) => {
      const schemaFolder =
        row.schema_relative === false
          ? String(row.schema_path)
          : path.join(session.location.data, String(row.schema_path));
      return [
        String(row.table_name),
        row.table_relative === false ? String(row.table_path) : path.join(schemaFolder, String(row.table_path)),
      ];
    }),
  );
}
