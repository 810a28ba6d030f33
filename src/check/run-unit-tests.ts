import { macroDefinitions } from '../domain/anndata-macros.js';
import type { BoundProject } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import { fail, messageOf, type Result, succeed } from '../domain/diagnostic.js';
import { floorTo, type Interval, shift } from '../domain/interval.js';
import type { JsonValue } from '../domain/kind.js';
import { ident, literal } from '../domain/names.js';
import type { ModelProgram } from '../domain/program.js';
import { endOf, parseInstant } from '../domain/time.js';
import type { ExpectedRows, UnitTest } from '../domain/unit-test.js';
import type { Database, DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { modelPrograms } from '../load/programs.js';
import { withClause } from '../parse/with-clause.js';
import { compareRows, type RowDifferences } from './compare-rows.js';
import { frozenTime } from './frozen-time.js';
import { inputTables, insertRows, makeInput, rowsOf } from './test-tables.js';

/** What one test asks of one result: the whole query's, or that of a CTE. */
export interface FailedPart extends RowDifferences {
  /** Undefined for the query itself. */
  readonly cte?: string;
}

/** How one unit test ended. */
export type TestOutcome = { readonly test: UnitTest; readonly elapsedMs: number } & Ended;

type Ended =
  /** `kept`: neither the test nor what it tests has changed since it passed. */
  | { readonly status: 'passed'; readonly kept?: true }
  | { readonly status: 'failed'; readonly parts: readonly FailedPart[] }
  | { readonly status: 'error'; readonly message: string };

export interface TestEffects {
  readonly duckdb: DuckDb;
  readonly files: Files;
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
  const outcomes: TestOutcome[] = [];
  if (tests.length === 0) return outcomes;
  await inTestDatabase(effects, async (database) => {
    for (const test of tests) {
      const start = effects.elapsedMs();
      let ended: Ended;
      try {
        ended = await inTestCatalog(database, () => runTest(test, { project, database, effects }));
      } catch (thrown) {
        ended = { status: 'error', message: messageOf(thrown) };
      }
      outcomes.push({ ...ended, test, elapsedMs: effects.elapsedMs() - start });
    }
  });
  return outcomes;
}

/** What a model's query and its CTEs give on the inputs of a test */
export async function outputsOf(
  test: UnitTest,
  project: BoundProject,
  effects: TestEffects,
): Promise<Result<{ readonly query: TestTable; readonly ctes: Readonly<Record<string, TestTable>> }>> {
  try {
    return await inTestDatabase(effects, (database) =>
      inTestCatalog(database, async () => {
        const subject = await prepare(test, { project, database, effects });
        const query = await database.table(orThrow(subject.program.query(subject.interval)));
        const ctes: Record<string, TestTable> = {};
        for (const name of withClause(orThrow(subject.program.written(subject.interval)))?.names ?? [])
          ctes[name] = await database.table(cteQuery(name, subject));
        return succeed({ query, ctes });
      }),
    );
  } catch (thrown) {
    const { model, location } = test;
    const message = `${model} gives nothing on these rows: ${messageOf(thrown).split('\n')[0]}`;
    return fail({ code: 'SL0806', severity: 'error', message, location });
  }
}

export type TestTable = Awaited<ReturnType<Database['table']>>;

async function inTestDatabase<T>(effects: TestEffects, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await effects.duckdb.open({ settings: { threads: '1' } });
  try {
    await database.run(`SET file_search_path = ${literal(effects.projectFolder)}`);
    return await work(database);
  } finally {
    database.close();
  }
}

async function inTestCatalog<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.run("ATTACH ':memory:' AS test_catalog; USE test_catalog");
  try {
    for (const definition of macroDefinitions()) await database.run(definition);
    return await work();
  } finally {
    await database.run('USE memory; DETACH test_catalog');
  }
}

interface TestContext {
  readonly project: BoundProject;
  readonly database: Database;
  readonly effects: TestEffects;
}

/** What a test tests, with all that it needs in place. */
export interface TestSubject {
  readonly program: ModelProgram;
  readonly programs: ReadonlyMap<string, ModelProgram>;
  readonly interval: Interval;
  /** Set where the test freezes the time. */
  readonly frozenAt: number | undefined;
}

/** The SQL that a test runs, macros filled in by the test's variables and times. @throws Error when there is no such model */
export function testSubject(test: UnitTest, project: BoundProject, effects: TestEffects): TestSubject {
  const bound = project.models.find((candidate) => candidate.model.key === test.model);
  if (bound === undefined) throw new Error(`there is no model ${test.model}`);
  const frozenAt = instantOf(test.variables.execution_time, effects.executionTime);
  const executionTime = frozenAt ?? effects.executionTime;
  const { config } = project.project;
  const variables = { ...config.variables, ...test.variables };
  const programs = modelPrograms({
    project: { ...project, project: { ...project.project, config: { ...config, variables } } },
    executionTime,
    environment: 'test',
  });
  const program = programs.get(test.model);
  if (program === undefined) throw new Error(`${test.model} has no query`);
  return { program, programs, interval: intervalOf(test, executionTime), frozenAt };
}

async function prepare(test: UnitTest, { project, database, effects }: TestContext): Promise<TestSubject> {
  const subject = testSubject(test, project, effects);
  const bound = project.models.find((candidate) => candidate.model.key === test.model);
  const tables = bound === undefined ? [] : inputTables(bound, project);
  const unknown = Object.keys(test.inputs).filter((table) => !tables.some((input) => input.key === table));
  if (unknown.length > 0) throw new Error(`${test.model} does not read ${unknown.join(', ')}`);
  if (subject.frozenAt !== undefined) for (const macro of frozenTime(subject.frozenAt)) await database.run(macro);
  for (const input of tables) {
    const inline = input.isInline ? subject.programs.get(input.key)?.query(subject.interval) : undefined;
    const query = inline?.ok === true ? inline.value : undefined;
    await makeInput(input, test.inputs[input.key], { database, query, effects });
  }
  return subject;
}

async function runTest(test: UnitTest, context: TestContext): Promise<Ended> {
  const subject = await prepare(test, context);
  const parts: FailedPart[] = [];
  for (const [cte, expected] of Object.entries(test.ctes)) {
    const found = await compare(cteQuery(cte, subject), expected, context);
    if (found !== undefined) parts.push({ cte, ...found });
  }
  const found =
    test.expected === undefined
      ? undefined
      : await compare(orThrow(subject.program.query(subject.interval)), test.expected, context);
  if (found !== undefined) parts.push(found);
  return parts.length === 0 ? { status: 'passed' } : { status: 'failed', parts };
}

/** The author's own WITH clause with another query behind it. @throws Error when there is no such CTE */
function cteQuery(name: string, { program, interval }: TestSubject): string {
  const sql = orThrow(program.written(interval));
  const clause = withClause(sql);
  const written = clause?.names.find((one) => one.toLowerCase() === name.toLowerCase());
  if (clause === undefined || written === undefined)
    throw new Error(`the query has no CTE "${name}"; it has ${clause?.names.join(', ') || 'none'}`);
  return `${sql.slice(0, clause.end)}\nSELECT * FROM ${ident(written)}`;
}

async function compare(
  query: string,
  expected: ExpectedRows,
  { database, effects }: TestContext,
): Promise<RowDifferences | undefined> {
  await database.run(`CREATE OR REPLACE TABLE actual AS SELECT * FROM (${query}\n) AS tested`);
  const columns = await database.describe('FROM actual');
  await database.run('CREATE OR REPLACE TABLE expected AS FROM actual LIMIT 0');
  const given = rowsOf(expected.rows, effects);
  if (given.type === 'query') await database.run(`INSERT INTO expected BY NAME (${given.sql})`);
  else await insertRows('expected', columns, given.rows, database);
  const named =
    given.type === 'rows' && expected.isPartial
      ? new Set(given.rows.flatMap((row) => Object.keys(row).map((name) => name.toLowerCase())))
      : undefined;
  const asked = columns.filter((column) => named?.has(column.name.toLowerCase()) ?? true);
  const read = async (table: string): Promise<TestTable['rows']> =>
    (await database.table(`SELECT ${asked.map(compared).join(', ') || '1'} FROM ${table} ORDER BY rowid`)).rows;
  return compareRows({ columns: asked, expected: await read('expected'), actual: await read('actual') });
}

/** Floating point results are compared to ten digits: the last bits depend on the order of additions. */
function compared(column: Column): string {
  const name = ident(column.name);
  return column.type === 'DOUBLE' || column.type === 'FLOAT'
    ? `CASE WHEN isfinite(${name}) THEN CAST(printf('%.${column.type === 'FLOAT' ? 6 : 10}g', ${name}) AS ${column.type}) ELSE ${name} END AS ${name}`
    : name;
}

function orThrow<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.errors.map((error) => error.message).join('; '));
  return result.value;
}

function intervalOf(test: UnitTest, executionTime: number): Interval {
  const today = floorTo('day', executionTime);
  const start = instantOf(test.variables.start, executionTime) ?? shift('day', today, -1);
  const endText = test.variables.end;
  const end = endText === undefined ? undefined : parseInstant(String(endText), executionTime);
  return { start, end: end === undefined ? Math.max(today, start + 86_400_000) : endOf(end) };
}

function instantOf(value: JsonValue | undefined, now: number): number | undefined {
  return value === undefined || value === null ? undefined : parseInstant(String(value), now)?.instant;
}
