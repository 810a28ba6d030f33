import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { type Diagnostic, fail, messageOf, type Result, succeed } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import { locate, type TextFile } from '../domain/location.js';
import { didYouMean } from '../domain/near-miss.js';
import { type ExpectedRows, rowFormats, type TestInput, type TestRows, type UnitTest } from '../domain/unit-test.js';
import { isJson, parseRowText, readRowList } from './test-rows.js';

const known = ['model', 'description', 'inputs', 'outputs', 'vars', 'schema', 'gateway'] as const;
const knownOutputs = ['query', 'partial', 'ctes'] as const;

/** Reads one file of unit tests, in SQLMesh's format. */
export function parseUnitTests(file: TextFile): Result<readonly UnitTest[]> {
  const document = parseDocument(file.text, { lineCounter: new LineCounter() });
  const errors: Diagnostic[] = document.errors.map((error) => ({
    code: 'SL0101',
    severity: 'error',
    message: error.message.split('\n')[0] ?? '',
    location: locate(file, { start: error.pos[0], end: error.pos[1] }),
  }));
  if (errors.length > 0) return fail(...errors);
  const report = (node: Node | null | undefined, message: string, hint?: string): void => {
    const [start, end] = node?.range ?? [0, 1];
    errors.push({
      code: 'SL0806',
      severity: 'error',
      message,
      location: locate(file, { start, end }),
      ...(hint === undefined ? {} : { hint }),
    });
  };
  const tests: UnitTest[] = [];
  if (document.contents !== null && !isMap(document.contents))
    report(document.contents, 'a file of unit tests holds tests by name', 'test_my_model:\n  model: schema.table');
  for (const pair of isMap(document.contents) ? document.contents.items : []) {
    if (!isScalar(pair.key)) continue;
    if (isMap(pair.value)) {
      const test = readTest({ file, document, report }, pair.key, pair.value);
      if (test !== undefined) tests.push(test);
    } else report(pair.key, `test "${String(pair.key.value)}" holds model, inputs and outputs`);
  }
  return errors.length > 0 ? fail(...errors) : succeed(tests);
}

type Report = (node: Node | null | undefined, message: string, hint?: string) => void;

function readTest(
  context: { readonly file: TextFile; readonly document: Document; readonly report: Report },
  key: Node & { readonly value: unknown },
  body: YAMLMap,
): UnitTest | undefined {
  const { file, document, report } = context;
  const name = String(key.value);
  checkKeys(body, known, name, report);
  const value: unknown = body.toJS(document);
  if (!isRecord(value) || typeof value.model !== 'string') {
    report(key, `test "${name}" does not say which model it tests`, 'model: schema.table');
    return undefined;
  }
  const outputs = isRecord(value.outputs) ? value.outputs : {};
  const outputNode = body.get('outputs', true);
  if (isMap(outputNode)) checkKeys(outputNode, knownOutputs, `${name}, outputs`, report);
  const problem =
    (what: string) =>
    (why: string): void =>
      report(key, `${what} of test "${name}": ${why}`);
  const isPartial = outputs.partial === true;
  const expected = readExpected(outputs.query, isPartial, problem('the expected rows'));
  const ctes = Object.entries(isRecord(outputs.ctes) ? outputs.ctes : {}).flatMap(([cte, given]) => {
    const rows = readExpected(given, isPartial, problem(`the expected rows of CTE ${cte}`));
    return rows === undefined ? [] : [[cte, rows] as const];
  });
  if (expected === undefined && ctes.length === 0) {
    report(key, `test "${name}" has no expected rows`, 'outputs:\n  query:\n    rows:\n      - {a: 1}');
    return undefined;
  }
  const inputs: Record<string, TestInput> = {};
  for (const [table, given] of Object.entries(isRecord(value.inputs) ? value.inputs : {})) {
    const rows = readRows(given, problem(`input ${table}`));
    if (rows === undefined) report(key, `input ${table} of test "${name}" has neither rows nor a query`);
    else inputs[logicalName(table)] = { rows, columns: readTypes(given) };
  }
  const [start, end] = key.range ?? [0, 1];
  return {
    name,
    location: locate(file, { start, end }),
    model: logicalName(value.model),
    description: typeof value.description === 'string' ? value.description : '',
    inputs,
    expected,
    ctes: Object.fromEntries(ctes),
    variables: Object.fromEntries(
      Object.entries(isRecord(value.vars) ? value.vars : {}).flatMap(([variable, one]) =>
        isJson(one) ? [[variable.toLowerCase(), one] as const] : [],
      ),
    ),
  };
}

/** `"catalog"."schema"."table"` is `schema.table`: a project has one lake. */
function logicalName(written: string): string {
  const parts = [...written.matchAll(/"([^"]*)"|([^".]+)/g)].map(([, quoted, plain]) => (quoted ?? plain ?? '').trim());
  return parts.slice(-2).join('.').toLowerCase();
}

type Problem = (why: string) => void;

/** Rows, or a mapping with rows and `partial`. A mapping that says only `partial` expects nothing. */
function readExpected(given: unknown, isPartial: boolean, problem: Problem): ExpectedRows | undefined {
  const rows = readRows(given, problem);
  if (rows === undefined) return undefined;
  return { rows, isPartial: isPartial || (isRecord(given) && given.partial === true) };
}

/** A list of rows, or a mapping with `rows`, `query` or `path`, whose `format` may be CSV. */
function readRows(given: unknown, problem: Problem): TestRows | undefined {
  if (!isRecord(given)) {
    const rows = readRowList(given);
    return rows === undefined ? undefined : { type: 'rows', rows };
  }
  const named = rowFormats.find((format) => format === given.format);
  if (given.format !== undefined && named === undefined)
    problem(`format is ${rowFormats.join(' or ')}, not ${String(given.format)}`);
  if (typeof given.query === 'string') return { type: 'query', sql: given.query };
  if (typeof given.path === 'string') {
    const { path } = given;
    const byName = rowFormats.find((format) => path.toLowerCase().endsWith(`.${format}`));
    return { type: 'stored', path, format: named ?? byName ?? 'yaml' };
  }
  if (typeof given.rows !== 'string') return readRows(given.rows, problem);
  try {
    return { type: 'rows', rows: parseRowText(given.rows, named ?? 'yaml') };
  } catch (thrown) {
    problem(messageOf(thrown));
    return { type: 'rows', rows: [] };
  }
}

function readTypes(given: unknown): Readonly<Record<string, string>> {
  const types = isRecord(given) && isRecord(given.columns) ? given.columns : {};
  return Object.fromEntries(Object.entries(types).map(([column, type]) => [column, String(type)]));
}

function checkKeys(map: YAMLMap, allowed: readonly string[], where: string, report: Report): void {
  for (const pair of map.items) {
    if (!isScalar(pair.key) || allowed.includes(String(pair.key.value))) continue;
    report(
      pair.key,
      `unknown property "${String(pair.key.value)}" in ${where}`,
      didYouMean(String(pair.key.value), allowed) ?? `known are ${allowed.join(', ')}`,
    );
  }
}
