import { macroDefinitions } from '../domain/anndata-macros.js';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import { messageOf } from '../domain/diagnostic.js';
import { floorTo, type Interval, shift } from '../domain/interval.js';
import type { JsonValue } from '../domain/kind.js';
import { ident, literal, qualified, tableKey } from '../domain/names.js';
import { endOf, parseInstant } from '../domain/time.js';
import type { TestRow, TestRows, UnitTest } from '../domain/unit-test.js';
import type { Database, DuckDb } from '../effects/duckdb.js';
import { modelPrograms } from '../load/programs.js';

const MAX_SHOWN = 5;

/** How one unit test ended. */
export type TestOutcome =
  | { readonly test: UnitTest; readonly status: 'passed'; readonly elapsedMs: number }
  | {
      readonly test: UnitTest;
      readonly status: 'failed';
      readonly elapsedMs: number;
      readonly missing: readonly string[];
      readonly unexpected: readonly string[];
    }
  | { readonly test: UnitTest; readonly status: 'error'; readonly elapsedMs: number; readonly message: string };

export interface TestEffects {
  readonly duckdb: DuckDb;
  readonly elapsedMs: () => number;
  readonly projectFolder: string;
  /** ms UTC; stands for `now` where a test does not freeze its time. */
  readonly executionTime: number;
}

/** Runs unit tests in memory: each gets a catalog of its own with its input tables, and the model's text runs in it as written. */
export async function runUnitTests(
  tests: readonly UnitTest[],
  project: BoundProject,
  effects: TestEffects,
): Promise<readonly TestOutcome[]> {
  const database = await effects.duckdb.open({ settings: { threads: '1' } });
  try {
    await database.run(`SET file_search_path = ${literal(effects.projectFolder)}`);
    const outcomes: TestOutcome[] = [];
    for (const [index, test] of tests.entries()) {
      const start = effects.elapsedMs();
      const catalog = `test_${index}`;
      await database.run(`ATTACH ':memory:' AS ${catalog}; USE ${catalog}`);
      for (const definition of macroDefinitions()) await database.run(definition);
      try {
        const ended = await runTest(test, { project, database, effects });
        outcomes.push({ ...ended, test, elapsedMs: effects.elapsedMs() - start });
      } catch (thrown) {
        outcomes.push({ test, status: 'error', elapsedMs: effects.elapsedMs() - start, message: messageOf(thrown) });
      } finally {
        await database.run(`USE memory; DETACH ${catalog}`);
      }
    }
    return outcomes;
  } finally {
    database.close();
  }
}

interface TestContext {
  readonly project: BoundProject;
  readonly database: Database;
  readonly effects: TestEffects;
}

type Ended =
  | { readonly status: 'passed' }
  | { readonly status: 'failed'; readonly missing: readonly string[]; readonly unexpected: readonly string[] };

async function runTest(test: UnitTest, { project, database, effects }: TestContext): Promise<Ended> {
  const bound = project.models.find((candidate) => candidate.model.key === test.model);
  if (bound === undefined) throw new Error(`there is no model ${test.model}`);
  const executionTime = instantOf(test.variables.execution_time, effects.executionTime) ?? effects.executionTime;
  const withVariables: BoundProject = {
    ...project,
    project: {
      ...project.project,
      config: { ...project.project.config, variables: { ...project.project.config.variables, ...test.variables } },
    },
  };
  const programs = modelPrograms({
    project: withVariables,
    projectFolder: effects.projectFolder,
    executionTime,
    environment: 'test',
  });
  const interval = intervalOf(test, executionTime);
  const unknownInputs = Object.keys(test.inputs).filter(
    (table) => !inputTables(bound, project).some((input) => input.key === table),
  );
  if (unknownInputs.length > 0) throw new Error(`${test.model} does not read ${unknownInputs.join(', ')}`);
  for (const input of inputTables(bound, project))
    await makeInput(input, test.inputs[input.key], { database, query: inlineQuery(input, programs, interval) });
  const program = programs.get(test.model);
  const query = program?.query(interval);
  if (query === undefined || !query.ok)
    throw new Error(query?.errors.map((error) => error.message).join('; ') ?? `${test.model} has no query`);
  await database.run(`CREATE TABLE actual AS SELECT * FROM (${query.value}\n) AS tested`);
  return compare(test, database);
}

interface InputTable {
  readonly key: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly Column[];
  readonly isInline: boolean;
}

/** All tables that a model needs, parents of EMBEDDED parents included and first. */
function inputTables(bound: BoundModel, project: BoundProject): readonly InputTable[] {
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

function inlineQuery(
  input: InputTable,
  programs: ReturnType<typeof modelPrograms>,
  interval: Interval,
): string | undefined {
  if (!input.isInline) return undefined;
  const query = programs.get(input.key)?.query(interval);
  return query?.ok === true ? query.value : undefined;
}

async function makeInput(
  input: InputTable,
  given: TestRows | undefined,
  { database, query }: { readonly database: Database; readonly query: string | undefined },
): Promise<void> {
  await database.run(`CREATE SCHEMA IF NOT EXISTS ${ident(input.schema)}`);
  const name = qualified(input.schema, input.table);
  if (given?.type === 'query') {
    await database.run(`CREATE TABLE ${name} AS ${given.sql}`);
    return;
  }
  if (given === undefined && query !== undefined) {
    await database.run(`CREATE VIEW ${name} AS\n${query}`);
    return;
  }
  await database.run(
    `CREATE TABLE ${name} (${input.columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ')})`,
  );
  if (given !== undefined) await insertRows(name, input.columns, given.rows, database);
}

async function insertRows(
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

async function compare(test: UnitTest, database: Database): Promise<Ended> {
  const actual = await database.describe('FROM actual');
  await database.run('CREATE TABLE expected AS FROM actual LIMIT 0');
  if (test.expected.type === 'query') await database.run(`INSERT INTO expected BY NAME (${test.expected.sql})`);
  else await insertRows('expected', actual, test.expected.rows, database);
  const named =
    test.expected.type === 'rows' && test.isPartial
      ? new Set(test.expected.rows.flatMap((row) => Object.keys(row).map((name) => name.toLowerCase())))
      : undefined;
  const columns = actual
    .filter((column) => named === undefined || named.has(column.name.toLowerCase()))
    .map(compared)
    .join(', ');
  const difference = async (from: string, other: string): Promise<readonly string[]> => {
    const rows = await database.rows(
      `SELECT ${columns} FROM ${from} EXCEPT ALL SELECT ${columns} FROM ${other} LIMIT ${MAX_SHOWN}`,
    );
    return rows.map((row) =>
      Object.entries(row)
        .map(
          ([name, value]) =>
            `${name}: ${value === null ? 'NULL' : typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
        )
        .join(', '),
    );
  };
  const missing = await difference('expected', 'actual');
  const unexpected = await difference('actual', 'expected');
  return missing.length + unexpected.length === 0 ? { status: 'passed' } : { status: 'failed', missing, unexpected };
}

/** Floating point results are compared to ten digits: the last bits depend on the order of additions. */
function compared(column: Column): string {
  const name = ident(column.name);
  return column.type === 'DOUBLE' || column.type === 'FLOAT'
    ? `CASE WHEN isfinite(${name}) THEN CAST(printf('%.${column.type === 'FLOAT' ? 6 : 10}g', ${name}) AS ${column.type}) ELSE ${name} END AS ${name}`
    : name;
}

function intervalOf(test: UnitTest, executionTime: number): Interval {
  const today = floorTo('day', executionTime);
  const start = instantOf(test.variables.start, executionTime) ?? shift('day', today, -1);
  const endText = test.variables.end;
  const end = endText === undefined ? undefined : parseInstant(String(endText), executionTime);
  return { start, end: end === undefined ? Math.max(today, start + 86_400_000) : endOf(end) };
}

function instantOf(value: string | number | boolean | undefined, now: number): number | undefined {
  return value === undefined ? undefined : parseInstant(String(value), now)?.instant;
}
