import { macroDefinitions } from '../domain/anndata-macros.js';
import type { Column } from '../domain/column.js';
import { messageOf } from '../domain/diagnostic.js';
import { countAt, isRecord, items, type Json, textAt } from '../domain/json.js';
import { ident, literal, qualified, type TableName } from '../domain/names.js';
import { type AttachedFile, attachFiles } from './attached-files.js';
import type { Database, DuckDb } from './duckdb.js';
import { columnsOfCreateTable } from './plan-columns.js';

/** An error of DuckDB's parser or binder, as it describes it itself. */
export interface EngineError {
  readonly type: 'syntax' | 'table' | 'column' | 'other';
  readonly message: string;
  /** UTF-8 bytes from the start of the text. */
  readonly byteOffset: number | undefined;
  /** What was not found, where something was not found. */
  readonly name: string;
  readonly candidates: readonly string[];
}

export type Parsed =
  | { readonly type: 'tree'; readonly tree: Json }
  /** DuckDB's parser takes it, but has no tree for it (dynamic PIVOT, anything that is no SELECT). */
  | { readonly type: 'opaque'; readonly reason: string }
  | { readonly type: 'error'; readonly error: EngineError };

export type Bound =
  | { readonly type: 'bound'; readonly columns: readonly Column[]; readonly plan: Json }
  /** It binds, but its plan cannot be shown. */
  | { readonly type: 'opaque'; readonly columns: readonly Column[]; readonly reason: string }
  | { readonly type: 'error'; readonly error: EngineError };

/**
 * An in-memory database with empty tables in place of all that the project has: what DuckDB's own parser and binder are
 * asked of. Nothing that is asked here touches the lake.
 */
export interface ShadowCatalog {
  /** Syntax trees of many queries in one statement: half the cost of one by one. */
  parse(queries: readonly string[]): Promise<readonly Parsed[]>;
  /** Resolves a query against what has been declared. */
  bind(query: string): Promise<Bound>;
  /** The same for many queries that do not read each other, in one statement: a third of the cost of one by one. */
  bindAll(queries: readonly string[]): Promise<readonly Bound[]>;
  declareTables(tables: readonly { readonly name: TableName; readonly columns: readonly Column[] }[]): Promise<void>;
  declareView(name: TableName, query: string): Promise<void>;
  /** DuckDB's version: its answers may differ from version to version. */
  engineVersion(): Promise<string>;
  readonly database: Database;
  close(): void;
}

/** Names with a catalog in front of the schema. */
export interface ShadowCatalogs {
  /** Files that are attached under their own names. */
  readonly attached: readonly AttachedFile[];
  /** A second name for the catalog of the project's own tables. */
  readonly mirror?: string;
}

/** @param projectFolder what relative paths in SQL (`read_parquet('data/x.parquet')`) start from */
export async function openShadowCatalog(
  duckdb: DuckDb,
  projectFolder: string,
  { attached, mirror }: ShadowCatalogs = { attached: [] },
): Promise<ShadowCatalog> {
  const database = await duckdb.open({ settings: { threads: '1' } });
  await database.run(`SET file_search_path = ${literal(projectFolder)}`);
  for (const definition of macroDefinitions()) await database.run(definition);
  await attachFiles(database, attached);
  if (mirror !== undefined) await database.run(`ATTACH ':memory:' AS ${ident(mirror)}`);
  /** One transaction writes one database only: the second name of a table is made behind it. */
  const mirrored = async (name: TableName): Promise<void> => {
    if (mirror === undefined) return;
    await database.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(mirror, name.schema)}`);
    const own = qualified('memory', name.schema, name.table);
    await database.run(`CREATE OR REPLACE VIEW ${qualified(mirror, name.schema, name.table)} AS FROM ${own}`);
  };
  const schemas = new Set<string>();
  const ensureSchema = async (schema: string): Promise<void> => {
    if (schemas.has(schema)) return;
    await database.run(`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`);
    schemas.add(schema);
  };
  return {
    database,
    async parse(queries) {
      if (queries.length === 0) return [];
      const values = queries.map((query, at) => `(${at}, ${literal(query)})`).join(',\n');
      const rows = await database.rows(
        `SELECT json_serialize_sql(query, ${SHORT}) AS tree\nFROM (VALUES ${values}) AS texts(position, query)\nORDER BY position`,
      );
      return rows.map((row) => readTree(String(row.tree)));
    },
    bind: (query) => bindQuery(database, query),
    bindAll: (queries) => bindQueries(database, queries),
    async declareTables(tables) {
      for (const { name } of tables) await ensureSchema(name.schema);
      const statements = tables.map(({ name, columns }) => {
        const definitions = columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ');
        return `CREATE OR REPLACE TABLE ${qualified(name.schema, name.table)} (${definitions})`;
      });
      if (statements.length === 0) return;
      try {
        await database.run(`BEGIN;\n${statements.join(';\n')};\nCOMMIT`);
      } catch (thrown) {
        await database.run('ROLLBACK');
        throw thrown;
      }
      for (const { name } of tables) await mirrored(name);
    },
    async declareView(name, query) {
      await ensureSchema(name.schema);
      await database.run(`CREATE OR REPLACE VIEW ${qualified(name.schema, name.table)} AS\n${query}`);
      await mirrored(name);
    },
    async engineVersion() {
      const [row] = await database.rows('SELECT version() AS version');
      return String(row?.version);
    },
    close: () => database.close(),
  };
}

/** A quarter less to write and to read. Defaults stay: an index of 0 is one. */
const SHORT = 'skip_null := true, skip_empty := true';

/** How many queries one statement asks for: their plans are in memory at once. */
const BATCH_SIZE = 100;

/**
 * `CREATE TABLE … AS` is planned in place of the query itself: that plan carries the names and types of the result, which
 * would otherwise take a `prepare`, and that optimises. What it cannot answer is asked one by one.
 */
async function bindQueries(database: Database, queries: readonly string[]): Promise<readonly Bound[]> {
  const bound: Bound[] = [];
  for (let from = 0; from < queries.length; from += BATCH_SIZE) {
    const batch = queries.slice(from, from + BATCH_SIZE);
    const answers = batch.length > 1 ? await createTablePlans(database, batch) : [];
    for (const [at, query] of batch.entries()) {
      const answer = parseJson(answers[at] ?? '');
      const plan = isRecord(answer) && answer.error === false ? items(answer.plans)[0] : undefined;
      const columns = columnsOfCreateTable(plan);
      const own = isRecord(plan) ? items(plan.children)[0] : undefined;
      bound.push(
        columns === undefined || own === undefined
          ? await bindQuery(database, query)
          : { type: 'bound', columns, plan: own },
      );
    }
  }
  return bound;
}

/** @returns one JSON text for each query; none at all when the statement as a whole fails on one of them */
async function createTablePlans(database: Database, queries: readonly string[]): Promise<readonly string[]> {
  const values = queries.map((query, at) => `(${at}, ${literal(`CREATE TABLE scilake_probe AS\n${query}`)})`);
  try {
    const { rows } = await database.table(
      `SELECT json_serialize_plan(query, ${SHORT}) AS plan\nFROM (VALUES ${values.join(',\n')}) AS texts(position, query)\nORDER BY position`,
    );
    return rows.map(([plan]) => String(plan));
  } catch {
    return [];
  }
}

async function bindQuery(database: Database, query: string): Promise<Bound> {
  // The type must be stated: without it the function sees an untyped constant.
  const [row] = await database.rows(`SELECT json_serialize_plan($1::VARCHAR, ${SHORT}) AS plan`, [query]);
  const answer = parseJson(String(row?.plan));
  const plan = isRecord(answer) && answer.error === false ? items(answer.plans)[0] : undefined;
  if (plan === undefined && isRecord(answer) && isUserError(answer))
    return { type: 'error', error: engineError(answer) };
  try {
    const columns = await database.describe(query);
    if (plan !== undefined) return { type: 'bound', columns, plan };
    return {
      type: 'opaque',
      columns,
      reason: isRecord(answer) ? textAt(answer, 'error_message') : 'its plan is not valid JSON',
    };
  } catch (thrown) {
    // A PIVOT without an IN list is two statements: its columns are known only once there are rows.
    if (messageOf(thrown).includes('multiple statements')) {
      return { type: 'opaque', columns: [], reason: 'its columns depend on the data' };
    }
    return {
      type: 'error',
      error: {
        type: 'other',
        message: plainMessage(messageOf(thrown)),
        byteOffset: undefined,
        name: '',
        candidates: [],
      },
    };
  }
}

function readTree(text: string): Parsed {
  const answer = parseJson(text);
  if (!isRecord(answer)) return { type: 'opaque', reason: 'its syntax tree is not valid JSON' };
  if (answer.error === false) return { type: 'tree', tree: answer.statements };
  if (textAt(answer, 'error_type') === 'parser') return { type: 'error', error: engineError(answer) };
  return { type: 'opaque', reason: textAt(answer, 'error_message') };
}

const hugeInteger = /\d{16}/;
const stringOrHugeInteger = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?=[,\]}])/g;

/** `SELECT 1e1000` makes DuckDB print a bare `Infinity`, which is no JSON. */
function parseJson(text: string): Json {
  // 2^64 - 1 stands for "none", in almost every plan. Other integers of that size are a user's, and JSON would round them.
  const small = text.replaceAll('18446744073709551615', '-1');
  const exact = hugeInteger.test(small)
    ? small.replace(stringOrHugeInteger, (piece) => (piece.startsWith('"') ? piece : `"${piece}"`))
    : small;
  try {
    return JSON.parse(exact);
  } catch {
    return undefined;
  }
}

function isUserError(answer: { readonly [key: string]: Json }): boolean {
  return ['parser', 'binder', 'catalog'].includes(textAt(answer, 'error_type'));
}

function engineError(answer: { readonly [key: string]: Json }): EngineError {
  const subtype = textAt(answer, 'error_subtype');
  const position = Number(textAt(answer, 'position') || Number.NaN);
  const missing = textAt(answer, 'type');
  return {
    type:
      subtype === 'SYNTAX_ERROR' || textAt(answer, 'error_type') === 'parser'
        ? 'syntax'
        : subtype === 'COLUMN_NOT_FOUND'
          ? 'column'
          : subtype === 'MISSING_ENTRY' && missing === 'Table'
            ? 'table'
            : 'other',
    message: plainMessage(textAt(answer, 'error_message')),
    byteOffset: Number.isNaN(position) ? countAt(answer, 'position') : position,
    name: textAt(answer, 'name'),
    candidates: textAt(answer, 'candidates')
      .split(',')
      .map((candidate) => candidate.trim())
      .filter((candidate) => candidate !== ''),
  };
}

/** The first line says what is wrong; candidate lists and source excerpts are drawn by ourselves. */
function plainMessage(message: string): string {
  const [first, second] = message.replace(/^(?:[A-Z][A-Za-z]+ )+Error: /, '').split('\n');
  return (first?.endsWith(':') ? `${first} ${second ?? ''}` : (first ?? ''))
    .replace(/\.? You might need to add explicit type casts\.$/, '')
    .trim();
}
