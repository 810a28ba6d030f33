import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());
const days = (header: string, query: string): string =>
  `MODEL (name s.d, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, forward_only true), start '2024-01-08'${header});\n${query}`;
const generated = (columns: string): string =>
  `SELECT d::DATE AS ds, ${columns} FROM generate_series(DATE '2024-01-01', DATE '2024-01-31', INTERVAL 1 DAY) AS g(d), range(20) WHERE d::DATE BETWEEN @start_date AND @end_date`;

describe('a table that is kept', () => {
  test('renames a column, widens another and gives a struct a field, without a copy', async () => {
    rig = makeRig({ 'models/d.sql': days('', generated("1 AS v, 7::INTEGER AS n, {'a': 1} AS st")) });
    await rig.ok('apply', '-y');
    const filesOf = async (): Promise<unknown> =>
      rig.rows(
        'SELECT path FROM "__ducklake_metadata___scilake".main.ducklake_data_file WHERE end_snapshot IS NULL ORDER BY path',
      );
    const before = await filesOf();
    expect(before).toHaveLength(1);
    rig.write({
      'models/d.sql': days(
        ', renamed_columns (value = v)',
        generated("1 AS value, 7::BIGINT AS n, {'a': 1, 'b': 'new'} AS st"),
      ),
    });
    const applied = await rig.ok('apply', '-y');
    expect(applied.err).toContain('renames v to value');
    expect(await rig.rows("SELECT DISTINCT value, typeof(n) AS t, st FROM s.d WHERE ds = DATE '2024-01-09'")).toEqual([
      { value: 1, t: 'BIGINT', st: { a: 1, b: null } },
    ]);
    expect(await filesOf()).toEqual(before);
    await rig.ok('run', '--execution-time', '2024-01-11 01:00:00');
    expect(await rig.rows("SELECT DISTINCT value, st FROM s.d WHERE ds = DATE '2024-01-10'")).toEqual([
      { value: 1, st: { a: 1, b: 'new' } },
    ]);
  });

  test('is not changed where what looks like a rename is not said to be one', async () => {
    rig = makeRig({ 'models/d.sql': days('', generated('1 AS v')) });
    await rig.ok('apply', '-y');
    rig.write({ 'models/d.sql': days('', generated('1 AS value')) });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('loses v');
  });
});

test('a model restates its last intervals whenever its own cron has ticked, and so does what reads it', async () => {
  rig = makeRig({
    'models/counter.sql':
      "MODEL (name s.d, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, auto_restatement_cron '@weekly', auto_restatement_intervals 2), start '2024-01-08');\nSELECT d::DATE AS ds, @execution_ds AS built_on FROM generate_series(DATE '2024-01-01', DATE '2024-01-31', INTERVAL 1 DAY) AS g(d) WHERE d::DATE BETWEEN @start_date AND @end_date",
    'models/reader.sql':
      "MODEL (name s.r, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), start '2024-01-08');\nSELECT ds, built_on FROM s.d WHERE ds BETWEEN @start_date AND @end_date",
  });
  await rig.ok('apply', '-y', '--execution-time', '2024-01-13 01:00:00');
  const builtOn = async (table: string): Promise<readonly unknown[]> =>
    (await rig.rows<{ readonly b: string }>(`SELECT built_on AS b FROM ${table} ORDER BY ds`)).map((row) =>
      row.b.slice(8),
    );
  expect(await builtOn('s.d')).toEqual(['13', '13', '13', '13', '13']);
  // Sunday the 14th is the tick.
  await rig.ok('run', '--execution-time', '2024-01-14 01:00:00');
  expect(await builtOn('s.d')).toEqual(['13', '13', '13', '14', '14', '14']);
  expect(await builtOn('s.r')).toEqual(['13', '13', '13', '14', '14', '14']);
  await rig.ok('run', '--execution-time', '2024-01-15 01:00:00');
  expect(await builtOn('s.d')).toEqual(['13', '13', '13', '14', '14', '14', '15']);
});
