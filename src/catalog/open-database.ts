import { LAKE, literal, qualified } from '../domain/names.js';
import { attachFiles } from '../effects/attached-files.js';
import type { Database } from '../effects/duckdb.js';
import { type LoadedExtension, loadExtension } from '../effects/extensions.js';
import type { LakeEffects, LakeLocation, LakeOptions } from './lake.js';
import { METADATA, METADATA_TABLES } from './metadata-names.js';

/** A database with a lake attached. */
export interface Opened {
  readonly database: Database;
  readonly extension: LoadedExtension;
}

/** Opens an instance and attaches a lake under its alias. */
export async function openDatabase(
  location: LakeLocation,
  options: LakeOptions,
  effects: LakeEffects,
): Promise<Opened> {
  const database = await effects.duckdb.open({ settings: options.settings });
  try {
    const extension = await loadExtension(database, 'ducklake', effects);
    const isFile = location.type === 'duckdb';
    if (!isFile) await loadExtension(database, 'postgres_scanner', effects);
    const source = isFile ? `ducklake:${location.catalog}` : `ducklake:postgres:${connectionText(location.catalog)}`;
    const settings = [
      ...(options.mode === 'read' ? ['READ_ONLY'] : []),
      ...(options.at === undefined ? [] : [`SNAPSHOT_VERSION ${options.at}`]),
      // Rows that are kept in the catalog have been seen to be lost where several write to PostgreSQL.
      ...(isFile ? [] : [`METADATA_SCHEMA ${literal(location.schema)}`, 'DATA_INLINING_ROW_LIMIT 0']),
      // Stored data paths are absolute; a lake that was moved would silently read from where it used to be.
      `DATA_PATH ${literal(`${location.data}/`)}`,
      'OVERRIDE_DATA_PATH true',
    ];
    await database.run(`ATTACH ${literal(source)} AS ${LAKE} (${settings.join(', ')})`);
    if (!isFile) await database.run(CONFLICT_SETTINGS);
    await nameMetadata(database, isFile ? 'main' : location.schema);
    await attachFiles(database, options.attached ?? []);
    await database.run(`SET file_search_path = ${literal(options.projectFolder)}`);
    return { database, extension };
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Two writers that take the same next number try again, with others' work in between; what they did stays as it is. */
const CONFLICT_SETTINGS =
  'SET ducklake_max_retry_count = 100; SET ducklake_retry_wait_ms = 50; SET ducklake_retry_backoff = 1.2';

/** DuckLake's own tables, under a name that is the same wherever they are kept. */
async function nameMetadata(database: Database, schema: string): Promise<void> {
  const views = METADATA_TABLES.map(
    (table) => `CREATE VIEW ${METADATA}.${table} AS FROM ${qualified(`__ducklake_metadata_${LAKE}`, schema, table)};`,
  );
  await database.run(`CREATE SCHEMA ${METADATA}; ${views.join(' ')}`);
}

/** `postgres://user@host:port/database` as libpq's list of words: DuckLake takes no address. */
export function connectionText(address: string): string {
  const url = new URL(address);
  const word = (key: string, value: string): readonly string[] =>
    value === '' ? [] : [`${key}='${value.replaceAll(/['\\]/g, (one) => `\\${one}`)}'`];
  return [
    ...word('host', decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1'))),
    ...word('port', url.port),
    ...word('user', decodeURIComponent(url.username)),
    ...word('dbname', decodeURIComponent(url.pathname.slice(1))),
    ...[...url.searchParams].flatMap(([key, value]) => word(key, value)),
  ].join(' ');
}
