import * as path from 'node:path';
import type { BoundProject } from '../domain/bound-project.js';
import { type Diagnostic, gather, messageOf, type Result } from '../domain/diagnostic.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { isRecord } from '../domain/json.js';
import type { TestRows, UnitTest } from '../domain/unit-test.js';
import { parseUnitTests } from '../parse/unit-test-file.js';
import { runUnitTests, type TestEffects, type TestOutcome, testSubject } from './run-unit-tests.js';
import { inputTables, rowsOf } from './test-tables.js';

/** Raised whenever the same test could end otherwise than before. */
const RUNNER_VERSION = '1';

/** Reads the unit tests of a project. Folders named `fixtures` hold rows, not tests. */
export function readUnitTests(
  project: BoundProject,
  { files, projectFolder }: Pick<TestEffects, 'files' | 'projectFolder'>,
): Result<readonly UnitTest[]> {
  const folder = project.project.config.tests;
  const parsed = gather(
    files
      .list(path.join(projectFolder, folder))
      .filter((name) => /\.ya?ml$/.test(name) && !/(?:^|\/)fixtures\//.test(name))
      .map((name) =>
        parseUnitTests({ path: `${folder}/${name}`, text: files.readText(path.join(projectFolder, folder, name)) }),
      ),
  );
  return parsed.ok ? { ...parsed, value: parsed.value.flat() } : parsed;
}

/** Runs tests, but for those that have passed before and of which nothing has changed since. */
export async function runChangedTests(
  tests: readonly UnitTest[],
  project: BoundProject,
  effects: TestEffects & { readonly cacheFolder: string },
): Promise<readonly TestOutcome[]> {
  const file = path.join(effects.cacheFolder, 'tests.json');
  const passed = readPassed(file, effects);
  const hashes = new Map(tests.map((test) => [test, hashOf(test, project, effects)]));
  const isKept = (test: UnitTest): boolean => passed.has(hashes.get(test) ?? '');
  const ran = await runUnitTests(
    tests.filter((test) => !isKept(test)),
    project,
    effects,
  );
  const byTest = new Map(ran.map((outcome) => [outcome.test, outcome]));
  const outcomes = tests.map(
    (test): TestOutcome => byTest.get(test) ?? { test, status: 'passed', kept: true, elapsedMs: 0 },
  );
  const now = outcomes.filter(({ status }) => status === 'passed').map(({ test }) => hashes.get(test) ?? '');
  if (ran.length > 0 || now.length < passed.size) effects.files.writeCache(file, JSON.stringify({ passed: now }));
  return outcomes;
}

function readPassed(file: string, { files }: TestEffects): ReadonlySet<string> {
  if (files.facts(file) === undefined) return new Set();
  try {
    const kept: unknown = JSON.parse(files.readText(file));
    return new Set(isRecord(kept) && Array.isArray(kept.passed) ? kept.passed.map(String) : []);
  } catch {
    // A file that is damaged holds nothing: the tests run again.
    return new Set();
  }
}

/** Of all that decides how a test ends: what it says, the SQL that it runs, the tables that this reads. */
function hashOf(test: UnitTest, project: BoundProject, effects: TestEffects): string {
  const { location: _, ...said } = test;
  try {
    const { program, programs, interval, frozenAt } = testSubject(test, project, effects);
    const bound = project.models.find((candidate) => candidate.model.key === test.model);
    const tables = bound === undefined ? [] : inputTables(bound, project);
    const queries = tables.filter((table) => table.isInline).map((table) => programs.get(table.key)?.query(interval));
    const files = [...Object.values(test.inputs).map((input) => input.rows), ...expectedRows(test)]
      .filter((rows) => rows.type === 'stored')
      .map((rows) => rowsOf(rows, effects));
    const parts = [said, program.query(interval), queries, tables, files, frozenAt ?? null];
    return digest(RUNNER_VERSION, canonicalJson(JSON.parse(JSON.stringify(parts)))).slice(0, 20);
  } catch (thrown) {
    // It will say so itself when it runs.
    return digest('cannot run', messageOf(thrown), test.name);
  }
}

function expectedRows(test: UnitTest): readonly TestRows[] {
  return [...(test.expected === undefined ? [] : [test.expected]), ...Object.values(test.ctes)].map(({ rows }) => rows);
}

/** Failed tests as what is wrong with a project, one for each. */
export function testDiagnostics(outcomes: readonly TestOutcome[]): readonly Diagnostic[] {
  return outcomes.flatMap((outcome): readonly Diagnostic[] => {
    if (outcome.status === 'passed') return [];
    const { name, model, location } = outcome.test;
    const why =
      outcome.status === 'error' ? outcome.message : outcome.parts.flatMap((part) => differencesOf(part)).join('; ');
    return [
      {
        code: 'SL0808',
        severity: 'error',
        message: `test ${name} of ${model} ${outcome.status === 'error' ? 'cannot run' : 'fails'}: ${why}`,
        location,
        hint: 'scilake test shows all of it; --skip-tests goes on without tests',
      },
    ];
  });
}

const MAX_SHOWN = 5;

/** What differs, a line each, the first of each sort. */
export function differencesOf(part: Extract<TestOutcome, { status: 'failed' }>['parts'][number]): readonly string[] {
  const of = part.cte === undefined ? '' : `CTE ${part.cte}, `;
  const lines = [
    ...part.cells.map(
      ({ row, column, expected, actual }) => `${of}row ${row}, ${column}: expected ${expected}, given ${actual}`,
    ),
    ...part.missing.map((row) => `${of}expected, not given: ${row}`),
    ...part.unexpected.map((row) => `${of}given, not expected: ${row}`),
  ];
  return lines.length > MAX_SHOWN * 2
    ? [...lines.slice(0, MAX_SHOWN * 2), `${of}and ${lines.length - MAX_SHOWN * 2} more`]
    : lines;
}
