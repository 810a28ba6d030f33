import { describe, expect, test } from 'vitest';
import { timeGuard } from '../../src/kinds/incremental-by-time-range.js';
import { useDatabase } from '../support/database.js';
import { between } from '../support/project-text.js';
import { content, emptyTable, fill, kindOf } from './kind-rig.js';

const database = useDatabase(["SET TimeZone = 'America/New_York'"]);
const third = between('2024-01-03', '2024-01-04');

/** A type of time column, how the header names its format, and values of the days 2 to 5 of January with the hour. */
const columns: readonly {
  readonly type: string;
  readonly header: string;
  readonly value: (moment: string) => string;
}[] = [
  { type: 'DATE', header: 'time_column ts', value: (moment) => `DATE '${moment.slice(0, 10)}'` },
  { type: 'TIMESTAMP', header: 'time_column ts', value: (moment) => `TIMESTAMP '${moment}'` },
  { type: 'TIMESTAMP_S', header: 'time_column ts', value: (moment) => `TIMESTAMP_S '${moment}'` },
  { type: 'TIMESTAMP_NS', header: 'time_column ts', value: (moment) => `TIMESTAMP_NS '${moment}'` },
  { type: 'TIMESTAMPTZ', header: 'time_column ts', value: (moment) => `TIMESTAMPTZ '${moment}+00'` },
  { type: 'VARCHAR', header: 'time_column ts', value: (moment) => `'${moment.slice(0, 10)}'` },
  {
    type: 'VARCHAR',
    header: "time_column (ts, '%d.%m.%Y %H:%M:%S')",
    value: (moment) => `strftime(TIMESTAMP '${moment}', '%d.%m.%Y %H:%M:%S')`,
  },
  { type: 'INTEGER', header: "time_column (ts, '%Y%m%d')", value: (moment) => moment.slice(0, 10).replaceAll('-', '') },
];
const rowsQuery = (value: (moment: string) => string, moments: readonly string[], from: number): string =>
  `SELECT ${from} + i AS id, ts FROM (VALUES ${moments.map((moment, i) => `(${i}, ${value(moment)})`).join(', ')}) AS v(i, ts)`;
const ids = async (): Promise<readonly number[]> =>
  (await content(database())).map((row) => Number(row.split('|')[0])).sort((a, b) => a - b);

describe.each(columns)('a time column of type $type, $header,', ({ type, header, value }) => {
  const kind = kindOf(`INCREMENTAL_BY_TIME_RANGE (${header})`);
  const old = ['2024-01-02 23:59:59', '2024-01-03 00:00:00', '2024-01-03 23:59:59', '2024-01-04 00:00:00'];

  test('has its interval replaced, and nothing else', async () => {
    await emptyTable(database(), `id INT, ts ${type}`);
    await database().run(`INSERT INTO t ${rowsQuery(value, old, 1)}`);
    await fill(database(), kind, rowsQuery(value, ['2024-01-03 12:00:00'], 10), { interval: third });
    expect(await ids()).toEqual([1, 4, 10]);
  });

  test('drops rows that the query gives outside the interval', async () => {
    await emptyTable(database(), `id INT, ts ${type}`);
    await fill(database(), kind, rowsQuery(value, old, 1), { interval: third, isEmpty: true });
    expect(await ids()).toEqual([2, 3]);
  });

  test('has day after day filled without gap or overlap', async () => {
    await emptyTable(database(), `id INT, ts ${type}`);
    for (const day of [2, 3, 4, 3])
      await fill(database(), kind, rowsQuery(value, old, 1), {
        interval: between(`2024-01-0${day}`, `2024-01-0${day + 1}`),
      });
    expect(await ids()).toEqual([1, 2, 3, 4]);
  });
});

describe('an hour', () => {
  test('is replaced to the second', async () => {
    await emptyTable(database(), 'id INT, ts TIMESTAMP');
    const value = (moment: string): string => `TIMESTAMP '${moment}'`;
    await database().run(
      `INSERT INTO t ${rowsQuery(value, ['2024-01-03 09:59:59.999999', '2024-01-03 10:00:00', '2024-01-03 10:59:59.999999', '2024-01-03 11:00:00'], 1)}`,
    );
    await fill(
      database(),
      kindOf('INCREMENTAL_BY_TIME_RANGE (time_column ts)'),
      rowsQuery(value, ['2024-01-03 10:30:00'], 10),
      { interval: between('2024-01-03 10:00', '2024-01-03 11:00') },
    );
    expect(await ids()).toEqual([1, 4, 10]);
  });
});

test('a row without a time belongs to no interval', async () => {
  await emptyTable(database(), 'id INT, ts DATE');
  await fill(database(), kindOf('INCREMENTAL_BY_TIME_RANGE (time_column ts)'), 'SELECT 1 AS id, NULL::DATE AS ts', {
    interval: third,
  });
  expect(await content(database())).toEqual([]);
});

describe('the condition of an interval', () => {
  test.each([
    'date',
    'Timestamp',
    'timestamptz',
    'DATETIME',
    'timestamp with time zone',
    'TIMESTAMP WITHOUT TIME ZONE',
  ])('compares a column declared as %s in its own type', async (type) => {
    const guard = timeGuard('ts', '%Y-%m-%d', [{ name: 'TS', type }], third);
    expect(guard).not.toContain('strptime');
    expect(
      await database().rows(
        `SELECT count(*)::INT AS n FROM (SELECT CAST('2024-01-03 05:30:00' AS ${type}) AS ts) WHERE ${guard}`,
      ),
    ).toEqual([{ n: 1 }]);
  });

  test('lets DuckDB prune by the column itself', () => {
    expect(timeGuard('ds', '%Y-%m-%d', [{ name: 'ds', type: 'DATE' }], third)).toBe(
      `"ds" >= CAST(TIMESTAMP '2024-01-03 00:00:00.000' AS DATE) AND "ds" < CAST(TIMESTAMP '2024-01-04 00:00:00.000' AS DATE)`,
    );
  });
});
