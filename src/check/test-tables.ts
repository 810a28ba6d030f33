import * as path from 'node:path';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import { messageOf } from '../domain/diagnostic.js';
import type { JsonValue } from '../domain/kind.js';
import { ident, literal, qualified, tableKey } from '../domain/names.js';
import type { TestInput, TestRow, TestRows } from '../domain/unit-test.js';
import type { Database } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { parseRowText } from '../parse/test-rows.js';

/** Where rows that stand in files are found. */
export interface TestEffects {
  readonly files: Files;
  readonly projectFolder: string;
}

/** A table that a tested model reads. */
export interface InputTable {
  readonly key: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly Column[];
  readonly isInline: boolean;
}

/** All tables that a model needs, parents of EMBEDDED parents included and first. */
export function inputTables(bound: BoundModel, project: BoundProject): readonly InputTable[] {
  const tables = new Map<string, InputTable>();
  const add = (key: string): void => {
    if (tables.has(key)) return;
    const parent = project.models.find((candidate) => candidate.model.key === key);
    const isInline = parent?.model.kind.storage === 'inline';
    if (parent !== undefined && isInline) for (const deeper of parent.parents) add(deeper);
    if (parent !== undefined) tables.set(key, { key, ...parent.model.name, columns: parent.columns, isInline });
    for (const source of project.sources) {
      for (const element of source.elements) {
        const name = { schema: source.source.name, table: element.table.toLowerCase() };
        if (tableKey(name) === key) tables.set(key, { key, ...name, columns: element.columns, isInline: false });
      }
    }
  };
  for (const parent of bound.parents) add(parent);
  return [...tables.values()];
}

/** Makes one input table with the rows that a test gives it; without any it is empty, or what its EMBEDDED model gives. */
export async function makeInput(
  input: InputTable,
  given: TestInput | undefined,
  context: {
    readonly database: Database;
    readonly query: string | undefined;
    readonly effects: Pick<TestEffects, 'files' | 'projectFolder'>;
  },
): Promise<void> {
  const { database, query, effects } = context;
  await database.run(`CREATE SCHEMA IF NOT EXISTS ${ident(input.schema)}`);
  const name = qualified(input.schema, input.table);
  if (given === undefined && query !== undefined) {
    await database.run(`CREATE VIEW ${name} AS\n${query}`);
    return;
  }
  const columns = withTypes(input.columns, given?.columns ?? {});
  await database.run(
    `CREATE TABLE ${name} (${columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ')})`,
  );
  if (given === undefined) return;
  const rows = rowsOf(given.rows, effects);
  if (rows.type === 'query') await database.run(`INSERT INTO ${name} BY NAME (${rows.sql}\n)`);
  else await insertRows(name, columns, rows.rows, database);
}

/** The types that a test gives count more than those of the project, and may name columns that the project does not know. */
function withTypes(columns: readonly Column[], types: TestInput['columns']): readonly Column[] {
  const given = new Map(Object.entries(types).map(([name, type]) => [name.toLowerCase(), { name, type }]));
  const known = columns.map((column) => ({
    ...column,
    type: given.get(column.name.toLowerCase())?.type ?? column.type,
  }));
  const names = new Set(columns.map((column) => column.name.toLowerCase()));
  return [...known, ...[...given].filter(([name]) => !names.has(name)).map(([, column]) => column)];
}

/** Rows of a file are read here. @throws Error that names the file */
export function rowsOf(
  rows: TestRows,
  { files, projectFolder }: Pick<TestEffects, 'files' | 'projectFolder'>,
): Exclude<TestRows, { readonly type: 'stored' }> {
  if (rows.type !== 'stored') return rows;
  const file = path.resolve(projectFolder, rows.path);
  if (files.facts(file) === undefined)
    throw new Error(`there is no file ${rows.path}; paths start from the project's folder`);
  try {
    return { type: 'rows', rows: parseRowText(files.readText(file), rows.format) };
  } catch (thrown) {
    throw new Error(`${rows.path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

export async function insertRows(
  table: string,
  columns: readonly Column[],
  rows: readonly TestRow[],
  database: Database,
): Promise<void> {
  const types = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  for (const row of rows) {
    const cells = Object.entries(row).map(([name, value]) => {
      const column = types.get(name.toLowerCase());
      if (column === undefined)
        throw new Error(
          `${table} has no column "${name}"; it has ${columns.map((candidate) => candidate.name).join(', ')}`,
        );
      return { name: ident(column.name), value: sqlValue(value, column.type) };
    });
    const list =
      cells.length === 0
        ? 'DEFAULT VALUES'
        : `(${cells.map((cell) => cell.name).join(', ')}) VALUES (${cells.map((cell) => cell.value).join(', ')})`;
    await database.run(`INSERT INTO ${table} ${list}`);
  }
}

function sqlValue(value: JsonValue, type: string): string {
  if (value === null) return 'NULL';
  if (typeof value === 'object') return `CAST(CAST(${literal(JSON.stringify(value))} AS JSON) AS ${type})`;
  return `CAST(${typeof value === 'string' ? literal(value) : String(value)} AS ${type})`;
}
