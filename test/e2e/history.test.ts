import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
beforeEach(() => {
  rig = makeRig({
    'sources/a.sql': "SOURCE (name a, uri 'a.csv', license 'CC0-1.0');",
    'sources/a.csv': 'id,x\n1,10\n2,20\n',
    'models/m.sql': 'MODEL (name s.m, kind FULL, grain id);\nSELECT id, x FROM a.a',
    'models/v.sql': 'MODEL (name s.v, kind VIEW);\nSELECT sum(x)::BIGINT AS total FROM s.m',
    'models/days.sql': `MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column day), start '2024-01-01', cron '@daily');
SELECT day::DATE AS day FROM generate_series(@start_ds::DATE, @end_ds::DATE, INTERVAL 1 DAY) AS days(day)`,
    'models/over.sql': 'MODEL (name s.over, kind VIEW);\nSELECT count(*)::INT AS n FROM s.days',
  });
});
afterEach(() => rig.dispose());

interface Promotion {
  readonly plan: string;
  readonly sequence: number;
  readonly type: string;
  readonly snapshot: number;
  readonly author: string;
  readonly rows: number;
  readonly changes: readonly { readonly model: string }[];
}
const at = (day: number): readonly string[] => ['--execution-time', `2024-01-0${day} 00:00:00`];
const log = async (...more: readonly string[]): Promise<readonly Promotion[]> =>
  (await rig.ok('log', '--json', ...more)).json<{ readonly promotions: readonly Promotion[] }>().promotions;
const rows = async (sql: string, ...more: readonly string[]): Promise<unknown> =>
  (await rig.ok('query', sql, '--json', ...more)).json();

/** Three promotions: the first, another model text, and two days more. */
async function threePromotions(): Promise<readonly Promotion[]> {
  await rig.ok('apply', ...at(3));
  rig.write({ 'models/m.sql': 'MODEL (name s.m, kind FULL, grain id);\nSELECT id, x * 2 AS x FROM a.a' });
  await rig.ok('apply', ...at(3));
  await rig.ok('run', ...at(5));
  return [...(await log())].reverse();
}

describe('the log', () => {
  test('tells who moved an environment, when, and what changed; of one model only what touched it', async () => {
    const [first, second, third] = await threePromotions();
    expect([first, second, third].map((one) => one?.changes.map(({ model }) => model))).toEqual([
      ['s.days', 's.m', 's.over', 's.v'],
      ['s.m', 's.v'],
      [],
    ]);
    expect(first).toMatchObject({ sequence: 1, type: 'plan', rows: 6 });
    expect(third).toMatchObject({ sequence: 2, type: 'rows', rows: 4 });
    expect(first?.author).not.toBe('');
    expect((await log('s.m')).map(({ plan }) => plan)).toEqual([third?.plan, second?.plan, first?.plan]);
    expect((await log('s.days')).map(({ plan }) => plan)).toEqual([third?.plan, first?.plan]);
    const { out } = await rig.ok('log');
    expect(out).toMatch(/^prod #2 {2}plan [0-9a-f]{12} {2}\d{4}-\d\d-\d\d/m);
    expect(out).toMatch(/^ {2}~ s\.m {2}breaking/m);
  });

  test('shows one plan with its steps', async () => {
    const [, second] = await threePromotions();
    const { out } = await rig.ok('show', second?.plan.slice(0, 6) ?? '');
    expect(out).toMatch(/build s\.m.*2 rows/);
    expect((await rig.run('show', 'ffffffffffff')).err).toMatch(/SL0422.*no plan/);
  });

  test('blames each version of a model on its plan', async () => {
    const [first, second] = await threePromotions();
    const { versions } = (await rig.ok('blame', 's.m', '--json')).json<{
      readonly versions: readonly { readonly promotion: Promotion; readonly reason: string }[];
    }>();
    expect(versions.map(({ promotion }) => promotion.plan)).toEqual([second?.plan, first?.plan]);
    expect((await rig.run('blame', 's.n')).err).toMatch(/SL0409.*"s\.n"[\s\S]*s\.m/);
  });
});

describe('a query at a moment', () => {
  test('sees definitions and rows as they were: by plan, by snapshot, by time', async () => {
    const [first, second] = await threePromotions();
    expect(await rows('FROM s.m ORDER BY id', '--at', first?.plan ?? '')).toEqual([
      { id: 1, x: 10 },
      { id: 2, x: 20 },
    ]);
    expect(await rows('FROM s.v', '--at', String(second?.snapshot))).toEqual([{ total: 60 }]);
    expect(await rows('FROM s.over', '--at', second?.plan ?? '')).toEqual([{ n: 2 }]);
    expect(await rows('FROM s.over')).toEqual([{ n: 4 }]);
    expect((await rig.run('query', 'FROM s.m', '--at', '2001-01-01')).err).toMatch(/SL0422/);
    expect((await rig.run('query', 'FROM s.m', '--at', 'lately')).code).toBe(2);
  });
});

describe('a rollback', () => {
  test('puts definitions back without building, is in the log, and has a way back', async () => {
    const [first, second] = await threePromotions();
    const done = await rig.ok('rollback', 'prod', '--to', second?.plan ?? '', '-y', '--json');
    // Two days were added to the table since.
    expect(done.json()).toMatchObject({ status: 'rolled back', backTo: 2, copied: ['s.days', 's.m'], rowCount: 4 });
    expect(await rows('FROM s.over')).toEqual([{ n: 2 }]);
    await rig.ok('rollback', 'prod', '--to', first?.plan ?? '', '-y');
    expect(await rows('FROM s.v')).toEqual([{ total: 30 }]);
    const promotions = await log();
    expect(promotions.map(({ type, sequence }) => [sequence, type])).toEqual([
      [4, 'rollback'],
      [3, 'rollback'],
      [2, 'rows'],
      [2, 'plan'],
      [1, 'plan'],
    ]);
    const third = promotions.find(({ type }) => type === 'rows');
    await rig.ok('rollback', 'prod', '--to', third?.plan ?? '', '-y');
    expect(await rows('FROM s.v')).toEqual([{ total: 60 }]);
    expect(await rows('FROM s.over')).toEqual([{ n: 4 }]);
    expect((await rig.ok('plan', ...at(5))).out).toContain('Nothing to do');
  });

  test('makes views over tables of one query right, whichever of them are copied', async () => {
    const days = (name: string, cron: string): string =>
      `MODEL (name ${name}, kind INCREMENTAL_BY_TIME_RANGE (time_column day), start '2024-01-01', cron '${cron}');
SELECT day::DATE AS day FROM generate_series(@start_ds::DATE, @end_ds::DATE, INTERVAL 1 DAY) AS days(day)`;
    rig.write({
      'models/one.sql': days('s.n', '@daily'),
      'models/two.sql': days('t.n', '@daily'),
      'models/three.sql': days('s.mn', '@monthly'),
      'models/all.sql': `MODEL (name "s s".both, kind VIEW);
SELECT (SELECT count(*) FROM s.n) AS a, (SELECT count(*) FROM t.n) AS b, (SELECT count(*) FROM s.mn) AS c`,
    });
    const first = await threePromotions();
    const counts = (): Promise<unknown> => rows('SELECT a::INT AS a, b::INT AS b, c::INT AS c FROM "s s".both');
    expect(await counts()).toEqual([{ a: 4, b: 4, c: 0 }]);
    await rig.ok('rollback', 'prod', '--to', first[1]?.plan ?? '', '-y');
    expect(await counts()).toEqual([{ a: 2, b: 2, c: 0 }]);
  });

  test('goes on from where it went back to: what came since is built again', async () => {
    const [, second] = await threePromotions();
    await rig.ok('rollback', 'prod', '--to', second?.plan ?? '', '-y');
    await rig.ok('run', ...at(6));
    expect(await rows('SELECT count(*)::INT AS n, count(DISTINCT day)::INT AS days FROM s.days')).toEqual([
      { n: 5, days: 5 },
    ]);
    expect(await rows('FROM s.over')).toEqual([{ n: 5 }]);
  });

  test('of what is as it was is an error, and a dry run does nothing', async () => {
    const [, second, third] = await threePromotions();
    expect((await rig.run('rollback', 'prod', '--to', third?.plan ?? '', '-y')).err).toMatch(/SL0715/);
    const planned = await rig.ok('rollback', 'prod', '--to', second?.plan ?? '', '--dry-run');
    expect(planned.err).toMatch(/s\.days.*copied from then/);
    expect(await log()).toHaveLength(3);
  });
});

describe('a difference of moments', () => {
  test('counts rows by the change feed where a table was changed in place, and compares others', async () => {
    const [first] = await threePromotions();
    const { models } = (await rig.ok('diff', `prod@${first?.plan}`, 'prod', '--json')).json<{
      readonly models: readonly unknown[];
    }>();
    expect(models).toEqual([
      {
        model: 's.days',
        status: 'changed',
        schema: [],
        rows: { before: 2, after: 4, detail: { by: 'change feed', inserted: 2, updated: 0, deleted: 0 } },
      },
      {
        model: 's.m',
        status: 'changed',
        schema: [],
        rows: { before: 2, after: 2, detail: { by: 'comparison', onlyBefore: 2, onlyAfter: 2 } },
      },
      expect.objectContaining({ model: 's.over', rows: expect.objectContaining({ before: 1, after: 1 }) }),
      expect.objectContaining({ model: 's.v' }),
    ]);
    expect((await rig.ok('diff', 'prod', 'prod')).out).toContain('Nothing differs');
  });
});
