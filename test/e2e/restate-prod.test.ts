import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const days = (value: string): string =>
  `MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), start '2024-01-01');
SELECT id, ds, ${value} AS v FROM s.raw WHERE ds BETWEEN @start_date AND @end_date`;
const raw = (rows: string): string => `MODEL (name s.raw, kind FULL);\nSELECT * FROM (VALUES ${rows}) AS r(id, ds)`;
const first = "(1, DATE '2024-01-02'), (2, DATE '2024-01-05'), (3, DATE '2024-01-08')";

test('a restatement of prod has other environments build their own versions again, once, when they run', async () => {
  rig = makeRig({
    'models/raw.sql': raw(first),
    'models/days.sql': days('id'),
    'models/all.sql': 'MODEL (name s.all_days, kind FULL);\nSELECT count(*) AS n FROM s.days',
  });
  await rig.ok('apply');
  rig.write({ 'models/days.sql': days('id * 10') });
  await rig.ok('apply', 'dev');
  expect((await rig.ok('check_intervals', 'dev')).out).toContain('has all intervals');

  const part = ['--restate-model', 's.days', '--start', '2024-01-05', '--end', '2024-01-06', '--select-model', 's.raw'];
  const { out } = await rig.ok('plan', ...part);
  expect(out).toContain('Forget   s.days of dev 2024-01-05 to 2024-01-06');
  await rig.ok('apply', ...part);
  expect((await rig.ok('check_intervals', 'dev')).out).toContain('s.days  2024-01-05 to 2024-01-06\n');
  const run = await rig.ok('run', 'dev');
  expect(run.err).toContain('build s.days 2024-01-05 to 2024-01-06');
  expect(await rig.rows('SELECT v FROM s.days ORDER BY v', 'dev')).toEqual([{ v: 10 }, { v: 20 }, { v: 30 }]);
  expect((await rig.ok('check_intervals', 'dev')).out).toContain('has all intervals');

  // All of it: the version has no intervals left, and is made from the start without a row twice.
  await rig.ok('apply', '--restate-model', 's.days', '--select-model', 's.raw');
  await rig.ok('run', 'dev');
  expect(await rig.rows('SELECT v FROM s.days ORDER BY v', 'dev')).toEqual([{ v: 10 }, { v: 20 }, { v: 30 }]);
  expect(await rig.rows('SELECT n FROM s.all_days', 'dev')).toEqual([{ n: 3 }]);
});

test('a restatement of another environment leaves prod alone', async () => {
  rig = makeRig({ 'models/raw.sql': raw(first), 'models/days.sql': days('id') });
  await rig.ok('apply');
  rig.write({ 'models/days.sql': days('id * 10') });
  await rig.ok('apply', 'dev');
  expect((await rig.ok('plan', 'dev', '--restate-model', 's.days')).out).not.toContain('Forget');
  await rig.ok('apply', 'dev', '--restate-model', 's.days');
  expect((await rig.ok('check_intervals')).out).toContain('has all intervals');
});
