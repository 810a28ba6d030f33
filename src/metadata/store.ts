import * as path from 'node:path';
import type { Column } from '../domain/column.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { records, textAt } from '../domain/json.js';
import type { RunFacts, SchemaRecord } from '../domain/provenance.js';
import { schemaDiff } from '../domain/schema-diff.js';
import type { SqliteDatabase, SqliteRow, SqliteValue } from '../effects/sqlite.js';
import { type CanonicalEffects, writeCanonical } from './canonical.js';
import { type Contents, keyOf, readContents, readContentsOf } from './contents.js';
import { isFirst } from './merge.js';
import { addedColumns, createTable, insertInto, metadataTables } from './tables.js';

export interface MetadataPlaces {
  /** The database that runs write to, outside git. */
  readonly live: string;
  /** The file that git tracks. */
  readonly tracked: string;
}

/**
 * Provenance: what was ingested and built, when, from where and by what. Runs write to a live database; what git tracks
 * is made from it anew. What the tracked file holds and the live one does not (a fresh clone, a pull) is taken over first.
 */
export class MetadataStore {
  readonly #database: SqliteDatabase;
  readonly #places: MetadataPlaces;
  readonly #effects: CanonicalEffects;

  private constructor(database: SqliteDatabase, places: MetadataPlaces, effects: CanonicalEffects) {
    this.#database = database;
    this.#places = places;
    this.#effects = effects;
  }

  static open(places: MetadataPlaces, effects: CanonicalEffects): MetadataStore {
    effects.files.makeFolder(path.dirname(places.live));
    const database = effects.openSqlite(places.live, 'write');
    database.rows('PRAGMA journal_mode = WAL');
    const store = new MetadataStore(database, places, effects);
    database.transaction(() => {
      for (const table of metadataTables) {
        database.run(createTable(table));
        // A database that an older version began lacks what has been added since.
        for (const statement of addedColumns(table, columnNames(database, table.name))) database.run(statement);
      }
    });
    store.#takeOver();
    return store;
  }

  contents(): Contents {
    return readContents(this.#database);
  }

  /** Writes one run, all of it or nothing. */
  record(facts: RunFacts): void {
    const { run } = facts;
    this.#database.transaction(() => {
      this.#insert('runs', {
        run_id: run.runId,
        plan_id: run.planId,
        environment: run.environment,
        status: run.status,
        author: run.author,
        started_at: run.startedAt,
        finished_at: run.finishedAt,
        snapshot_before: run.snapshotBefore,
        snapshot_after: run.snapshotAfter,
        git_commit: run.gitCommit,
        git_dirty: Number(run.isGitDirty),
        config_hash: run.configHash,
        tools: canonicalJson(run.tools),
      });
      for (const dataset of facts.datasets) {
        const [before] = this.#database.rows('SELECT * FROM datasets WHERE source = ?', [dataset.source]);
        const isSameLicense = before?.license_text === dataset.licenseText;
        this.#insert('datasets', {
          source: dataset.source,
          uri: dataset.uri,
          accession: dataset.accession,
          doi: dataset.doi,
          license: dataset.license,
          license_text: dataset.licenseText,
          license_seen_at: isSameLicense ? (before?.license_seen_at ?? '') : run.startedAt,
          citation: dataset.citation,
          homepage: dataset.homepage,
          description: dataset.description,
          concept_doi: dataset.conceptDoi,
          resolved: dataset.resolved,
          title: dataset.title,
          first_run: before?.first_run ?? run.runId,
          last_run: run.runId,
        });
      }
      for (const one of facts.ingestions) {
        // Whoever ingested the same version first has said where it came from.
        for (const file of one.files)
          this.#insertNew('ingestion_files', {
            source: one.source,
            version: one.version,
            name: file.name,
            place_version: file.placeVersion,
            url: file.url,
            fetched_at: file.fetchedAt,
            size_bytes: file.sizeBytes,
            sha256: file.sha256,
          });
        this.#insert('ingestion_runs', {
          run_id: run.runId,
          source: one.source,
          version: one.version,
          status: one.status,
          format: one.format,
          url: one.url,
          final_url: one.finalUrl,
          etag: one.etag,
          last_modified: one.lastModified,
          fetched_at: one.fetchedAt,
          size_bytes: one.sizeBytes,
          checksum_declared: one.checksumDeclared,
          sha256: one.sha256,
          rows: one.rows,
          elapsed_ms: Math.round(one.elapsedMs),
          error: one.error,
          accession: one.dataset.accession,
          doi: one.dataset.doi,
          concept_doi: one.dataset.conceptDoi,
          resolved: one.dataset.resolved,
          title: one.dataset.title,
          license_text: one.dataset.licenseText,
          citation: one.dataset.citation,
        });
      }
      for (const schema of facts.schemas) this.#schema(schema, run.runId);
      for (const one of facts.models)
        this.#insert('model_runs', {
          run_id: run.runId,
          model: one.model,
          fingerprint: one.fingerprint,
          version: one.version,
          status: one.status,
          rows: one.rows,
          elapsed_ms: Math.round(one.elapsedMs),
          error: one.error,
          audits: canonicalJson(one.audits.map((audit) => ({ ...audit }))),
        });
    });
  }

  /** Rebuilds the tracked file. @returns whether it is another one now */
  publish(): boolean {
    return writeCanonical(this.#places.tracked, this.contents(), this.#effects);
  }

  close(): void {
    this.#database.close();
  }

  #schema({ source, table, columns }: SchemaRecord, runId: string): void {
    const list = columns.map(({ name, type }) => ({ name, type }));
    const hash = digest(canonicalJson(list));
    const rows = this.#database.rows(
      'SELECT * FROM schema_versions WHERE source = ? AND table_name = ? ORDER BY last_run DESC, first_run DESC',
      [source, table],
    );
    const own = rows.find((row) => row.schema_hash === hash);
    const [last] = rows;
    this.#insert('schema_versions', {
      source,
      table_name: table,
      schema_hash: hash,
      columns: canonicalJson(list),
      diff: own?.diff ?? (last === undefined ? '' : schemaDiff(columnsOf(last), list).join('\n')),
      first_run: own?.first_run ?? runId,
      last_run: runId,
    });
  }

  #takeOver(): void {
    const { files, openSqlite } = this.#effects;
    if (files.facts(this.#places.tracked) === undefined) return;
    const tracked = readContentsOf(this.#places.tracked, openSqlite);
    const own = this.contents();
    this.#database.transaction(() => {
      for (const table of metadataTables) {
        const here = new Map((own.get(table.name) ?? []).map((row) => [keyOf(table, row), row]));
        for (const row of tracked.get(table.name) ?? []) {
          const mine = here.get(keyOf(table, row));
          if (mine === undefined || isLater(row, mine)) this.#insert(table.name, row);
        }
      }
    });
  }

  #insertNew(name: string, row: SqliteRow): void {
    const table = metadataTables.find((candidate) => candidate.name === name);
    if (table === undefined) throw new Error(`there is no table ${name}`);
    const where = table.key.map((column) => `${column} = ?`).join(' AND ');
    const key = table.key.map((column): SqliteValue => row[column] ?? null);
    if (this.#database.rows(`SELECT 1 AS there FROM ${name} WHERE ${where}`, key).length === 0) this.#insert(name, row);
  }

  #insert(name: string, row: SqliteRow): void {
    const table = metadataTables.find((candidate) => candidate.name === name);
    if (table === undefined) throw new Error(`there is no table ${name}`);
    const values = Object.keys(table.columns).map((column): SqliteValue => row[column] ?? null);
    this.#database.run(insertInto(table), values);
  }
}

/** Runs are told apart by their names, which begin with the time; rows without one never change, or count as they were first. */
function isLater(row: SqliteRow, than: SqliteRow): boolean {
  if (row.fetched_at !== undefined && row.run_id === undefined) return isFirst(row, than);
  return String(row.last_run ?? '') > String(than.last_run ?? '');
}

function columnNames(database: SqliteDatabase, table: string): readonly string[] {
  return database.rows(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => String(name));
}

function columnsOf(row: SqliteRow): readonly Column[] {
  const parsed: unknown = JSON.parse(String(row.columns));
  return records(parsed).map((column) => ({ name: textAt(column, 'name'), type: textAt(column, 'type') }));
}
