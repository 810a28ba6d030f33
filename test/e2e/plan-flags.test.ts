import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
beforeEach(() => {
  rig = makeRig({
    'models/days.sql': `MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), start '2024-01-01');
SELECT @start_date AS ds, 1 AS x`,
    'models/weeks.sql': `MODEL (name s.weeks, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), cron '@weekly', interval_unit day, start '2023-12-01');
SELECT ds, x FROM s.days WHERE ds BETWEEN @start_date AND @end_date`,
    'models/apart.sql': "MODEL (name s.apart, kind FULL, start '2024-01-01');\nSELECT 1 AS y",
  });
});
afterEach(() => rig.dispose());

interface PlanDocument {
  readonly missing: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}
const missing = async (...argv: readonly string[]): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    Object.entries((await rig.ok(...argv, '--json')).json<PlanDocument>().missing).map(([model, intervals]) => [
      model,
      intervals.map(([start, end]) => `${start.slice(0, 10)} ${end.slice(0, 10)}`).join(', '),
    ]),
  );

describe('a plan', () => {
  test('covers a minimum of intervals, and what the readers of a model need', async () => {
    await rig.ok('apply');
    rig.write({
      'models/days.sql': rig.read('models/days.sql').replace('1 AS x', '2 AS x'),
      'models/apart.sql': rig.read('models/apart.sql').replace('1 AS y', '2 AS y'),
    });
    expect(await missing('plan', 'dev', '--start', '2024-01-09')).toEqual({
      's.days': '2024-01-09 2024-01-10',
      's.apart': '2024-01-09 2024-01-10',
    });
    expect(
      await missing('plan', 'dev', '-s', '2024-01-09', '--min-intervals', '2', '--select-model', '+s.apart'),
    ).toEqual({ 's.apart': '2024-01-08 2024-01-10' });
    // Its reader is due on Sundays: two of its intervals are two weeks of days. The model itself starts in January.
    expect(await missing('plan', 'dev', '-s', '2024-01-09', '--min-intervals', '2')).toEqual({
      's.days': '2024-01-01 2024-01-10',
      's.weeks': '2023-12-24 2024-01-07',
      's.apart': '2024-01-08 2024-01-10',
    });
    expect(await rig.run('plan', 'dev', '--min-intervals', '0')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--min-intervals takes a whole number of at least 1'),
    });
  });

  test('is explained step by step, and nothing is applied', async () => {
    const { out } = await rig.ok('plan', '--explain');
    expect(out).toContain('Steps\n  1. create s.apart\n  2. build s.apart 2024-01-01 to 2024-01-09\n');
    expect((await rig.ok('apply', '--explain')).out).toContain('promote prod');
    expect((await rig.run('query', 'FROM s.days')).code).toBe(1);
  });

  test('is applied where it says so, as SQLMesh does', async () => {
    await rig.ok('plan', '--auto-apply', '--no-prompts', '--test-changed-only', '--enable-preview');
    expect(await rig.rows('FROM s.apart')).toEqual([{ y: 1 }]);
    rig.write({ 'models/apart.sql': rig.read('models/apart.sql').replace('1 AS y', '2 AS y') });
    expect(await missing('plan', 'dev', '--dry-run')).toEqual({ 's.apart': '2024-01-01 2024-01-10' });
    expect((await rig.ok('apply', 'dev', '--dry-run')).err).not.toContain('build s.apart');
  });
});

describe('a run', () => {
  const later = ['--execution-time', '2024-01-12 12:00:00'] as const;

  test('takes only what is selected, with what that reads or without', async () => {
    await rig.ok('apply');
    const alone = await rig.ok('run', '--select-model', 's.weeks', '--ignore-cron', '--no-auto-upstream', ...later);
    expect(alone.err).toContain('build s.weeks 2024-01-07 to 2024-01-11');
    expect(alone.err).not.toContain('build s.days');
    expect(await missing('check_intervals', ...later)).toEqual({
      's.days': '2024-01-10 2024-01-12',
      's.apart': '2024-01-10 2024-01-12',
    });
    const { err } = await rig.ok('run', '--select-model', 's.days', '--skip-janitor', ...later);
    expect(err).toContain('build s.days 2024-01-10 to 2024-01-11');
    expect(err).not.toContain('build s.apart');
    expect(await missing('check-intervals', '--select-model', 's.days', ...later)).toEqual({});
    expect((await rig.ok('check_intervals', ...later)).out).toBe('s.apart  2024-01-10 to 2024-01-11\n');
    await rig.ok('run', ...later);
    expect((await rig.ok('check_intervals', ...later)).out).toBe('prod has all intervals that are due.\n');
  });
});

test('the table behind a model is named, and read', async () => {
  await rig.ok('apply');
  const { table } = (await rig.ok('table_name', 's.apart', '--json')).json<{ table: string }>();
  expect((await rig.ok('table_name', 'S.Apart')).out).toBe(`${table}\n`);
  expect((await rig.ok('fetchdf', `FROM ${table}`, '--json')).json()).toEqual([{ y: 1 }]);
  rig.write({ 'models/apart.sql': rig.read('models/apart.sql').replace('1 AS y', '2 AS y') });
  await rig.ok('apply', 'dev');
  const dev = (await rig.ok('table_name', 's.apart', '--env', 'dev')).out;
  expect(dev).not.toBe(`${table}\n`);
  expect(await rig.run('table_name', 's.apar')).toMatchObject({ code: 1, err: expect.stringContaining('s.apart') });
});

test('clean removes what can be computed again', async () => {
  await rig.ok('apply');
  expect(existsSync(path.join(rig.folder, '.scilake/cache'))).toBe(true);
  await rig.ok('clean');
  expect(existsSync(path.join(rig.folder, '.scilake/cache'))).toBe(false);
  expect((await rig.ok('plan')).out).toContain('Nothing to do');
});
