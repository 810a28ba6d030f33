import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { isRecord, items } from '../domain/json.js';
import type { JsonValue } from '../domain/kind.js';
import { locate, type TextFile } from '../domain/location.js';
import { didYouMean } from '../domain/near-miss.js';
import type { TestRow, TestRows, UnitTest } from '../domain/unit-test.js';

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
  if (outputs.ctes !== undefined) report(key, 'outputs of CTEs are not compared yet', 'test the query’s own output');
  const expected = readRows(outputs.query);
  if (expected === undefined) {
    report(key, `test "${name}" has no expected rows`, 'outputs:\n  query:\n    rows:\n      - {a: 1}');
    return undefined;
  }
  const inputs: Record<string, TestRows> = {};
  for (const [table, given] of Object.entries(isRecord(value.inputs) ? value.inputs : {})) {
    const rows = readRows(given);
    if (rows === undefined) report(key, `input ${table} of test "${name}" has neither rows nor a query`);
    else inputs[table.toLowerCase()] = rows;
  }
  const [start, end] = key.range ?? [0, 1];
  const query = isRecord(outputs.query) ? outputs.query : {};
  return {
    name,
    location: locate(file, { start, end }),
    model: value.model.toLowerCase(),
    description: typeof value.description === 'string' ? value.description : '',
    inputs,
    expected,
    isPartial: outputs.partial === true || query.partial === true,
    variables: readVariables(value.vars),
  };
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

/** A list of rows, or a mapping with `rows` or `query`. */
function readRows(given: unknown): TestRows | undefined {
  if (Array.isArray(given)) {
    const rows = items(given).filter(isRow);
    return rows.length === given.length ? { type: 'rows', rows } : undefined;
  }
  if (!isRecord(given)) return undefined;
  if (typeof given.query === 'string') return { type: 'query', sql: given.query };
  return Array.isArray(given.rows) ? readRows(given.rows) : undefined;
}

function isRow(value: unknown): value is TestRow {
  return isRecord(value) && Object.values(value).every(isJson);
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  return Array.isArray(value) ? value.every(isJson) : isRecord(value) && Object.values(value).every(isJson);
}

function readVariables(given: unknown): UnitTest['variables'] {
  const variables: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(isRecord(given) ? given : {})) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      variables[name.toLowerCase()] = value;
  }
  return variables;
}
