import { describe, expect, test } from 'vitest';
import { parseAuditFile } from '../../src/parse/audit-file.js';
import { attachAudits, auditQuery } from '../../src/parse/audit-query.js';
import { builtInAudits } from '../../src/parse/built-in-audits.js';
import { scopeOf } from '../../src/parse/macros/index.js';
import { useDatabase } from '../support/database.js';
import { errorsOf, modelWith, succeeded, textFile } from '../support/project-text.js';

const database = useDatabase([
  `CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a', 1, 'x'), (2, 'a', NULL, ''), (3, 'b', 5, 'x'), (NULL, 'c', 9, 'x')) AS v(id, cls, mag, same)`,
  'CREATE TABLE empty AS FROM t LIMIT 0',
]);
const known = new Map(builtInAudits.map((audit) => [audit.name, audit]));

async function rowsOf(
  call: string,
  table = 't',
  values: ReadonlyMap<string, string> = new Map(),
): Promise<readonly unknown[]> {
  const [attached] = attachAudits(modelWith(`audits (${call})`).audits, [], known);
  if (attached === undefined) throw new Error(`no audit ${call}`);
  const sql = succeeded(auditQuery(attached, table, scopeOf(values)));
  return (await database().rows(sql)).map((row) => Object.values(row).map(String).join('|')).sort();
}

describe('a built-in audit finds exactly the bad rows:', () => {
  const second = '2|a|null|';
  const last = 'null|c|9|x';
  test.each([
    ['not_null(columns := (id))', [last]],
    ['not_null(columns := (id, mag))', [second, last]],
    ['not_null(columns := id)', [last]],
    ["not_null(columns := (id, mag), condition := cls = 'a')", [second]],
    ['at_least_one(column := id)', []],
    ['at_least_one(column := mag, condition := id = 2)', ['1']],
    ['unique_values(columns := (id))', []],
    ['unique_values(columns := (cls))', ['1|a|1|x', second]],
    ["unique_values(columns := (id, same), condition := cls <> 'a')", ['3|b|5|x', last]],
    ['unique_combination_of_columns(columns := (cls, same))', []],
    ['unique_combination_of_columns(columns := (same))', ['x|3']],
    ["accepted_values(column := cls, is_in := ('a', 'b'))", [last]],
    ['accepted_values(column := id, is_in := (1, 2, 3))', []],
    ["not_accepted_values(column := cls, is_in := ('b', 'z'))", ['3|b|5|x']],
    ['accepted_range(column := mag, min_v := 1, max_v := 9)', []],
    ['accepted_range(column := mag, min_v := 1, max_v := 9, inclusive := false)', ['1|a|1|x', last]],
    ['accepted_range(column := mag, max_v := 5)', [last]],
    ['accepted_range(column := mag, min_v := 2)', ['1|a|1|x']],
    ['number_of_rows(threshold := 3)', []],
    ['number_of_rows(threshold := 4)', ['4']],
    ['forall(criteria := (id < 3, mag > 0))', ['3|b|5|x']],
    ["forall(criteria := [length(cls) = 1, upper(same) IN ('X', 'Y')])", [second]],
    ['not_constant(column := cls)', []],
    ['not_constant(column := same, condition := id <> 2)', ['1']],
    ['not_empty_string(column := same)', [second]],
    ['not_null_proportion(column := mag, threshold := 0.75)', ['0.75']],
    ['not_null_proportion(column := mag, threshold := 0.7)', []],
  ])('%s', async (call, expected) => {
    expect(await rowsOf(call)).toEqual([...expected].sort());
  });

  test('each has a case above', () => {
    expect(builtInAudits.filter((audit) => audit.blocking).length).toBe(12);
  });

  test('an empty table breaks no promise but that of a number of rows', async () => {
    expect(await rowsOf('not_null_proportion(column := id, threshold := 0.5)', 'empty')).toEqual([]);
    expect(await rowsOf('number_of_rows(threshold := 0)', 'empty')).toEqual(['0']);
  });

  test('rows may come from a query instead of a table', async () => {
    expect(await rowsOf('not_null(columns := (id))', '(SELECT * FROM t WHERE mag < 9)')).toEqual([]);
  });

  test('arguments may hold text that looks like a pattern', async () => {
    expect(await rowsOf("forall(criteria := (cls || '$&' <> 'a@item'))")).toEqual([]);
  });

  test('arguments may use variables of time', async () => {
    expect(
      await rowsOf('not_null(columns := (id), condition := mag < @limit)', 't', new Map([['limit', '5']])),
    ).toEqual([]);
    expect(await rowsOf('number_of_rows(threshold := @limit)', 't', new Map([['limit', '5']]))).toEqual(['4']);
  });
});

describe('whether an audit blocks', () => {
  const blocks = (call: string): readonly boolean[] =>
    attachAudits(modelWith(`audits (${call})`).audits, [], known).map((attached) => attached.isBlocking);

  test('is what it says itself', () => {
    expect(blocks('not_null(columns := (a))')).toEqual([true]);
    expect(blocks('not_null_non_blocking(columns := (a))')).toEqual([false]);
  });

  test('is overruled by the call', () => {
    expect(blocks('not_null(columns := (a), blocking := false)')).toEqual([false]);
    expect(blocks('not_null_non_blocking(columns := (a), blocking := true)')).toEqual([true]);
  });
});

describe('an audit that a project writes', () => {
  const own = (text: string) => new Map(succeeded(parseAuditFile(textFile(text))).map((audit) => [audit.name, audit]));

  test('takes its defaults where the call gives nothing', () => {
    const audits = own(
      'AUDIT (name small, defaults (lim = 3, col = a));\nSELECT * FROM @this_model WHERE @col >= @lim',
    );
    const [attached] = attachAudits(modelWith('audits (small(lim := 5))').audits, [], audits);
    expect(attached && succeeded(auditQuery(attached, 't', scopeOf(new Map())))).toBe('SELECT * FROM t WHERE a >= 5');
  });

  test('is left out when it says so', () => {
    expect(attachAudits(modelWith('audits (a)').audits, [], own('AUDIT (name a, skip true);\nSELECT 1'))).toEqual([]);
  });

  test('gives way to one of the same name in the model’s file', () => {
    const inline = [...own('AUDIT (name a);\nSELECT 2').values()];
    expect(
      attachAudits(modelWith('audits (a)').audits, inline, own('AUDIT (name a);\nSELECT 1'))[0]?.audit.query.text,
    ).toBe('SELECT 2');
  });
});

test('an argument that is missing is reported at the call', () => {
  const [attached] = attachAudits(modelWith('audits (accepted_values(column := a))').audits, [], known);
  const [error] = attached === undefined ? [] : errorsOf(auditQuery(attached, 't', scopeOf(new Map())));
  expect(error).toMatchObject({
    code: 'SL0805',
    message: 'audit accepted_values lacks an argument: is_in',
    hint: 'write accepted_values(is_in := …)',
    location: { line: 1, length: 'accepted_values'.length },
  });
});
