import { describe, expect, test } from 'vitest';
import { parseAuditFile } from '../../src/parse/audit-file.js';
import { attachAudits, auditCallProblems, auditQuery } from '../../src/parse/audit-query.js';
import { builtInAudits } from '../../src/parse/built-in-audits.js';
import { scopeOf } from '../../src/parse/macros/index.js';
import { useDatabase } from '../support/database.js';
import { errorsOf, modelWith, succeeded, textFile } from '../support/project-text.js';
import recorded from './sqlmesh/audits.json' with { type: 'json' };

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

describe('beside SQLMesh 0.236.4', () => {
  const sqlmesh = useDatabase(recorded.setup);
  const countOf = async (call: string, table: string): Promise<number> => {
    const [attached] = attachAudits(modelWith(`audits (${call})`).audits, [], known);
    if (attached === undefined) throw new Error(`no audit ${call}`);
    const sql = succeeded(auditQuery(attached, table, scopeOf(new Map())));
    return (await sqlmesh().rows(sql)).length;
  };

  test('it has every audit, and relationships', () => {
    const own = ['relationships', 'relationships_non_blocking'];
    expect(builtInAudits.map((audit) => audit.name).sort()).toEqual([...recorded.names, ...own].sort());
  });

  test('every audit has a case, but for those that SQLMesh cannot run', () => {
    const cased = new Set(recorded.cases.map(({ call }) => call.split('(')[0]));
    const without = recorded.names.filter((name) => !name.endsWith('_non_blocking') && !cased.has(name));
    expect(without).toEqual(['kl_divergence']);
  });

  test.each(recorded.cases)('$call finds as many rows', async ({ call, rows }) => {
    const found = await countOf(call, 't');
    // Each of the rows that share a value is shown, not all but one.
    if (call.startsWith('unique_values')) expect(found > 0).toBe(rows > 0);
    else expect(found).toBe(rows);
  });

  test.each(recorded.cases)('$call finds as many rows in an empty table', async ({ call, ofEmpty }) => {
    // No rows have no share of NULLs.
    expect(await countOf(call, 'empty')).toBe(call.startsWith('not_null_proportion') ? 0 : ofEmpty);
  });
});

describe('where SQLMesh cannot answer', () => {
  const found = useDatabase([
    'CREATE TABLE r AS SELECT * FROM (VALUES (1, 1, 2, 1, 1), (1, 2, 3, 1, 2), (2, 1, 5, 2, 1), (2, 4, 6, 2, NULL), (3, 9, 9, 2, 7)) AS v(grp, lo, hi, p, q)',
    'CREATE TABLE referenced AS SELECT * FROM (VALUES (1), (2), (NULL)) AS v(id)',
  ]);
  const rowsFor = async (call: string): Promise<readonly unknown[]> => {
    const [attached] = attachAudits(modelWith(`audits (${call})`).audits, [], known);
    if (attached === undefined) throw new Error(`no audit ${call}`);
    return found().rows(succeeded(auditQuery(attached, 'r', scopeOf(new Map()))));
  };

  test('ranges are compared within a partition', async () => {
    const ranges = 'mutually_exclusive_ranges(lower_bound_column := lo, upper_bound_column := hi, partition_clause';
    expect(await rowsFor(`${ranges} := PARTITION BY grp)`)).toEqual([
      { lower_bound: 1, upper_bound: 5, next_lower_bound: 4 },
    ]);
    expect(await rowsFor(`${ranges} := 'PARTITION BY grp')`)).toHaveLength(1);
  });

  test('the divergence of a distribution from itself is nothing, from one that lacks a value infinite', async () => {
    expect(await rowsFor('kl_divergence(source_column := p, target_column := p, threshold := 0)')).toEqual([]);
    expect(await rowsFor('kl_divergence(source_column := grp, target_column := p, threshold := 1000)')).toHaveLength(1);
    // p = (2/5, 3/5), grp = (2/5, 2/5, 1/5): 2/5 ln 1 + 3/5 ln 3/2 nats.
    const [row] = await rowsFor('kl_divergence(source_column := p, target_column := grp, threshold := 0.2)');
    expect(row).toMatchObject({ kl_divergence: expect.closeTo(0.6 * Math.log(1.5), 12) });
  });

  test('chi-square counts the pairs that never occur', async () => {
    // Two independent-looking groups that never mix: n (ad - bc)^2 / (r1 r2 c1 c2) = 4 for four rows.
    await found().run(
      'CREATE TABLE IF NOT EXISTS pairs AS SELECT * FROM (VALUES (1, 1), (1, 1), (2, 2), (2, 2)) AS v(a, b)',
    );
    const [attached] = attachAudits(
      modelWith('audits (chi_square(column_a := a, column_b := b, critical_value := 9))').audits,
      [],
      known,
    );
    if (attached === undefined) throw new Error('no audit');
    expect(await found().rows(succeeded(auditQuery(attached, 'pairs', scopeOf(new Map()))))).toMatchObject([
      { chi_square: 4 },
    ]);
  });

  test('a reference to nothing is found, NULL refers to nothing', async () => {
    expect(await rowsFor('relationships(column := q, to := referenced, field := id)')).toMatchObject([{ q: 7 }]);
    expect(await rowsFor('relationships(column := q, to := referenced, field := id, condition := lo < 5)')).toEqual([]);
  });
});

describe('whether an audit blocks', () => {
  const blocks = (call: string): readonly boolean[] =>
    attachAudits(modelWith(`audits (${call})`).audits, [], known).map((attached) => attached.errorIf !== undefined);

  test('is what it says itself', () => {
    expect(blocks('not_null(columns := (a))')).toEqual([true]);
    expect(blocks('not_null_non_blocking(columns := (a))')).toEqual([false]);
  });

  test('is overruled by the call', () => {
    expect(blocks('not_null(columns := (a), blocking := false)')).toEqual([false]);
    expect(blocks('not_null_non_blocking(columns := (a), blocking := true)')).toEqual([true]);
  });

  test('is decided by the number of rows where the call says so', () => {
    const limits = (call: string): readonly unknown[] =>
      attachAudits(modelWith(`audits (${call})`).audits, [], known).map(({ errorIf, warnIf }) => [errorIf, warnIf]);
    const [anything, ten] = [
      { operator: '>', count: 0 },
      { operator: '>', count: 10 },
    ];
    expect(limits("not_null(columns := (a), error_if := '>10')")).toEqual([[ten, anything]]);
    expect(limits("not_null(columns := (a), warn_if := '> 10')")).toEqual([[undefined, ten]]);
    expect(limits("not_null(columns := (a), warn_if := '>0', error_if := '>10')")).toEqual([[ten, anything]]);
    expect(limits("not_null_non_blocking(columns := (a), error_if := '>10')")).toEqual([[ten, anything]]);
  });

  test('cannot be decided by what is no number of rows', () => {
    const [call] = modelWith("audits (not_null(columns := (a), error_if := 'many'))").audits;
    const audit = known.get('not_null');
    if (call === undefined || audit === undefined) throw new Error('no call');
    expect(errorsOf(auditCallProblems(call, audit, () => scopeOf(new Map())))).toMatchObject([
      { code: 'SL0805', message: "error_if of audit not_null is a number of rows, not 'many'" },
    ]);
  });
});

describe('an audit that a project writes', () => {
  test('may use macros and define its own', async () => {
    const audits = own(
      `AUDIT (name odd, defaults (limits = (3, 4)));
       @DEF(worst, @OR(@EACH(@limits, l -> mag > l)));
       SELECT * FROM @this_model WHERE (@worst) AND @IF(@strict, TRUE, FALSE)`,
    );
    const [attached] = attachAudits(modelWith('audits (odd(strict := 1 = 1))').audits, [], audits);
    expect(attached && succeeded(auditQuery(attached, 't', scopeOf(new Map())))).toBe(
      'SELECT * FROM t WHERE (mag > 3 OR mag > 4) AND TRUE',
    );
  });

  test('in another dialect is refused', () => {
    expect(errorsOf(parseAuditFile(textFile('AUDIT (name a, dialect snowflake);\nSELECT 1')))).toMatchObject([
      { code: 'SL0105', message: "audits are written in DuckDB's dialect, not snowflake" },
    ]);
  });

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
