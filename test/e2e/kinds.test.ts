import { afterEach, describe, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const events = (rows: string): string =>
  `MODEL (name s.events, kind FULL);\nSELECT * FROM (VALUES ${rows}) AS t(id, ds, v)`;

describe('INCREMENTAL_BY_TIME_RANGE', () => {
  const daily = `MODEL (name s.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, batch_size 3));
SELECT id, ds, v FROM s.events WHERE ds BETWEEN @start_date AND @end_date`;

  test('builds in batches, and a run on a later day builds only what is new', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-02', 1), (2, DATE '2024-01-09', 2), (3, DATE '2024-01-11', 3)"),
      'models/daily.sql': daily,
    });
    const first = (await rig.ok('apply', '--json')).json<{
      steps: { type: string; model?: string; interval?: string[]; rows: number }[];
    }>();
    const batches = first.steps.filter((step) => step.type === 'backfill' && step.model === 's.daily');
    expect(batches.map((step) => [step.interval?.[0]?.slice(0, 10), step.rows])).toEqual([
      ['2024-01-01', 1],
      ['2024-01-04', 0],
      ['2024-01-07', 1],
    ]);
    const later = await rig.ok('run', '--json', '--execution-time', '2024-01-12 06:00:00');
    const built = later
      .json<{ steps: { type: string; model?: string; interval?: string[] }[] }>()
      .steps.filter((step) => step.model === 's.daily');
    expect(built.map((step) => step.interval)).toEqual([['2024-01-10T00:00:00Z', '2024-01-12T00:00:00Z']]);
    expect(await rig.rows('SELECT id FROM s.daily ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test('drops rows that a query without bounds gives outside the interval', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2023-12-31', 1), (2, DATE '2024-01-05', 2), (3, DATE '2024-02-01', 3)"),
      'models/daily.sql':
        'MODEL (name s.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column ds));\nSELECT id, ds FROM s.events',
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT id FROM s.daily')).toEqual([{ id: 2 }]);
  });

  test('is restated for the days that are named, and so is what reads it', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-05', 1)"),
      'models/daily.sql': daily,
      'models/total.sql': 'MODEL (name s.total, kind FULL);\nSELECT sum(v) AS v FROM s.daily',
    });
    await rig.ok('apply');
    const plan = (
      await rig.ok('plan', '--restate-model', 's.daily', '--start', '2024-01-04', '--end', '2024-01-05', '--json')
    ).json<{ missing: Record<string, string[][]> }>();
    expect(plan.missing).toEqual({
      's.daily': [['2024-01-04T00:00:00Z', '2024-01-06T00:00:00Z']],
      's.total': [['2024-01-01T00:00:00Z', '2024-01-10T00:00:00Z']],
    });
    await rig.ok('apply', '--restate-model', 's.daily', '--start', '2024-01-04', '--end', '2024-01-05');
    expect(await rig.rows('SELECT id FROM s.daily')).toEqual([{ id: 1 }]);
  });

  test('is not restated by another environment while its table is the one of prod', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-05', 1)"),
      'models/daily.sql': daily,
      'models/total.sql': 'MODEL (name s.total, kind FULL);\nSELECT sum(v) AS v FROM s.daily',
      'models/days.sql': 'MODEL (name s.days, kind FULL);\nSELECT DISTINCT ds FROM s.daily',
    });
    await rig.ok('apply');
    const refused = await rig.run('apply', 'dev', '--restate-model', 's.daily');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('s.daily cannot be restated here: its table is the one of prod');
    rig.write({ 'models/total.sql': 'MODEL (name s.total, kind FULL);\nSELECT max(v) AS v FROM s.daily' });
    await rig.ok('apply', 'dev');
    const plan = (await rig.ok('plan', 'dev', '--restate-model', 's.total', '--json')).json<{ missing: object }>();
    expect(Object.keys(plan.missing)).toEqual(['s.total']);
  });

  test('keeps its table through a forward-only change, and fills the new column from then on', async () => {
    const model = (columns: string): string =>
      `MODEL (name s.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, forward_only true));\nSELECT id, ds${columns} FROM s.events WHERE ds BETWEEN @start_date AND @end_date`;
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-05', 1), (2, DATE '2024-01-11', 2)"),
      'models/daily.sql': model(''),
    });
    await rig.ok('apply');
    rig.write({ 'models/daily.sql': model(', v') });
    await rig.ok('apply', 'dev');
    expect(await rig.rows('SELECT * FROM s.daily')).toEqual([{ id: 1, ds: '2024-01-05' }]);
    const promoted = (await rig.ok('apply', '--json')).json<{ steps: { type: string }[] }>();
    expect(promoted.steps.map((step) => step.type)).toEqual(['alter', 'promote']);
    await rig.ok('run', '--execution-time', '2024-01-12 06:00:00');
    expect(await rig.rows('SELECT id, v FROM s.daily ORDER BY id')).toEqual([
      { id: 1, v: null },
      { id: 2, v: 2 },
    ]);
  });
});

describe('INCREMENTAL_BY_UNIQUE_KEY', () => {
  const latest = (extra = ''): string =>
    `MODEL (name s.latest, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id${extra}));\nSELECT id, ds, v FROM s.events`;

  test('refuses two rows of one key in a load, and says which', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-01', 1), (1, DATE '2024-01-02', 2)"),
      'models/latest.sql': latest(),
    });
    const failed = await rig.run('apply');
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('SL0803');
    expect(failed.err).toContain('id = 1');
  });

  test('resolves them as declared', async () => {
    rig = makeRig({
      'models/events.sql': events("(1, DATE '2024-01-01', 1), (1, DATE '2024-01-02', 2)"),
      'models/latest.sql': latest(', on_duplicate_key last, duplicate_order ds'),
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT id, v FROM s.latest')).toEqual([{ id: 1, v: 2 }]);
  });

  test('updates rows by key on the next run', async () => {
    rig = makeRig({
      'sources/raw.sql': "SOURCE (name raw, uri 'events.csv');",
      'sources/events.csv': 'id,v\n1,10\n2,20\n',
      'models/latest.sql':
        'MODEL (name s.latest, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id));\nSELECT id, @execution_ds AS seen FROM raw.events',
    });
    await rig.ok('apply');
    await rig.ok('run', '--execution-time', '2024-01-11 06:00:00');
    expect(await rig.rows('FROM s.latest ORDER BY id')).toEqual([
      { id: 1, seen: '2024-01-11' },
      { id: 2, seen: '2024-01-11' },
    ]);
  });
});

describe('other kinds', () => {
  test('a SEED reads as NULL what pandas does, unless it says otherwise', async () => {
    const model = (settings: string): string => `MODEL (name s.g, kind SEED (path '../seeds/g.csv'${settings}));`;
    rig = makeRig({ 'seeds/g.csv': 'id,t,n\n1,NA,1.5\n2,None,NaN\n3,-,\n4,x,2\n', 'models/g.sql': model('') });
    const texts = () => rig.rows('SELECT t FROM s.g ORDER BY id');
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT t, n FROM s.g ORDER BY id')).toEqual([
      { t: null, n: 1.5 },
      { t: null, n: null },
      { t: '-', n: null },
      { t: 'x', n: 2 },
    ]);
    rig.write({ 'models/g.sql': model(", csv_settings (na_values = '-', keep_default_na = false)") });
    await rig.ok('apply', '-y');
    expect(await texts()).toEqual([{ t: 'NA' }, { t: 'None' }, { t: null }, { t: 'x' }]);
    rig.write({ 'models/g.sql': model(', csv_settings (keep_default_na = false)') });
    await rig.ok('apply', '-y');
    expect(await texts()).toEqual([{ t: 'NA' }, { t: 'None' }, { t: '-' }, { t: 'x' }]);
  });

  test('a SEED is read as its settings say, where DuckDB has no such option', async () => {
    const model = (settings: string): string =>
      `MODEL (name s.g, kind SEED (path '../seeds/g.csv', csv_settings (${settings})));`;
    rig = makeRig({
      'seeds/g.csv': 'id; name;n~1; "a;~b"; -~2; x\ny;  7~3;-; 8~',
      'models/g.sql': model("delimiter = ';', skipinitialspace = true, lineterminator = '~', na_values = (n = '-')"),
      'models/h.sql': 'MODEL (name s.h, kind FULL);\nSELECT n FROM s.g',
    });
    await rig.ok('apply', '-y');
    expect(await rig.rows('FROM s.g ORDER BY id')).toEqual([
      { id: 1, name: 'a;~b', n: null },
      { id: 2, name: 'x\ny', n: 7 },
      { id: 3, name: '-', n: 8 },
    ]);
    expect((await rig.ok('plan')).out).not.toContain('s.g');
    rig.write({ 'models/g.sql': model("delimiter = ';', skipinitialspace = true, lineterminator = '~'") });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT n FROM s.h ORDER BY n')).toEqual([{ n: '-' }, { n: '7' }, { n: '8' }]);
  });

  test('a SEED holds the rows of its file and changes with it, column by column', async () => {
    rig = makeRig({
      'seeds/g.csv': 'gene,weight\nCD3D,1.5\n',
      'models/g.sql': "MODEL (name s.g, kind SEED (path '../seeds/g.csv'));",
      'models/reader.sql': 'MODEL (name s.reader, kind FULL);\nSELECT gene FROM s.g',
    });
    await rig.ok('apply');
    rig.write({ 'seeds/g.csv': 'gene,weight\nCD3D,2.5\n' });
    const plan = (await rig.ok('plan', '--json')).json<{
      changes: { model: string; reused: boolean; columns: { changed: string[] } }[];
    }>();
    expect(plan.changes.map(({ model, reused, columns }) => [model, reused, columns.changed])).toEqual([
      ['s.g', false, ['weight']],
      ['s.reader', true, []],
    ]);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.g')).toEqual([{ gene: 'CD3D', weight: 2.5 }]);
  });

  test('an EMBEDDED model serves inside tables and inside views, and has no view of its own', async () => {
    rig = makeRig({
      'models/base.sql': 'MODEL (name s.base, kind FULL);\nSELECT unnest([1, 2, 3]) AS x',
      'models/odd.sql': 'MODEL (name s.odd, kind EMBEDDED);\nSELECT x FROM s.base WHERE x % 2 = 1',
      'models/t.sql': 'MODEL (name s.t, kind FULL);\nSELECT sum(x) AS total FROM s.odd',
      'models/v.sql':
        'MODEL (name s.v, kind VIEW);\nSELECT o.x, s.base.x AS y FROM s.odd AS o JOIN s.base ON s.base.x = o.x',
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT (SELECT total FROM s.t)::INT AS total, count(*) AS n FROM s.v')).toEqual([
      { total: 4, n: 2 },
    ]);
    expect((await rig.run('query', 'FROM s.odd')).code).toBe(1);
  });

  test('a VIEW keeps the names of columns that were given none, and refuses tables that are named in a string', async () => {
    rig = makeRig({
      'models/base.sql': 'MODEL (name s.base, kind FULL);\nSELECT unnest([1, 2, 3]) AS x',
      'models/v.sql': 'MODEL (name s.v, kind VIEW);\nSELECT max(s.base.x), min(x) AS least FROM s.base',
      'models/r.sql': 'MODEL (name s.r, kind FULL);\nSELECT * FROM s.v',
    });
    await rig.ok('apply');
    expect(await rig.rows('FROM s.v')).toEqual([{ 'max(s.base.x)': 3, least: 1 }]);
    rig.write({ 'models/q.sql': "MODEL (name s.q, kind VIEW);\nSELECT x FROM query_table('s.base')" });
    const refused = await rig.run('apply');
    expect({ code: refused.code, isNamed: refused.err.includes('SL0706') }).toEqual({ code: 1, isNamed: true });
  });

  test('an EXTERNAL table is read where somebody else keeps it, and named when it is not there', async () => {
    rig = makeRig({ 'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT 1 AS x' });
    await rig.ok('apply');
    rig.write({
      'models/n.sql': 'MODEL (name s.n, kind FULL);\nSELECT count(*) AS n FROM other.orders',
      'external_models.yaml': '- name: other.orders\n  columns: {id: INTEGER}\n',
    });
    const failed = await rig.run('apply');
    expect(failed.err).toContain('SL0711');
    const database = await duckdb.open();
    await database.run(
      `LOAD ducklake; ATTACH 'ducklake:${rig.folder}/.scilake/lake/catalog.ducklake' AS lake; CREATE SCHEMA lake.other; CREATE TABLE lake.other.orders AS FROM range(3) AS t(id); DETACH lake`,
    );
    database.close();
    await rig.ok('apply');
    expect(await rig.rows('FROM s.n')).toEqual([{ n: 3 }]);
  });

  test('sum of integers is stored exactly, not as DOUBLE', async () => {
    rig = makeRig({
      'models/n.sql': 'MODEL (name s.n, kind FULL);\nSELECT sum(x) AS n FROM (VALUES (9007199254740993), (1)) AS t(x)',
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT n, typeof(n) AS type FROM s.n')).toEqual([
      { n: '9007199254740994', type: 'DECIMAL(38,0)' },
    ]);
  });

  test('partitions, order, descriptions and comments behind columns reach the table', async () => {
    rig = makeRig({
      'models/n.sql': `MODEL (name s.n, kind FULL, partitioned_by (cls, year(ds)), clustered_by (id), description 'numbers', column_descriptions (id = 'declared'));
SELECT
  id,                 -- not this one
  'a' AS cls,         -- class, a letter
  DATE '2024-01-02' AS ds /* day */
FROM range(3) AS t(id)`,
    });
    await rig.ok('apply');
    const metadata = '"__ducklake_metadata___scilake".main';
    expect(await rig.rows(`SELECT count(*) AS n FROM ${metadata}.ducklake_partition_column`)).toEqual([{ n: 2 }]);
    expect(await rig.rows(`SELECT count(*) AS n FROM ${metadata}.ducklake_sort_expression`)).toEqual([{ n: 1 }]);
    const comments = await rig.rows<{ readonly value: string }>(
      `SELECT value FROM ${metadata}.ducklake_column_tag UNION ALL SELECT value FROM ${metadata}.ducklake_tag ORDER BY value`,
    );
    expect(comments.map((row) => row.value)).toEqual(['class, a letter', 'day', 'declared', 'numbers']);
  });
});

describe('statements around a query', () => {
  test('run before and after it', async () => {
    rig = makeRig({
      'models/a.sql':
        'MODEL (name s.a, kind FULL);\nCREATE OR REPLACE TEMP MACRO twice(x) AS x * 2;\nSELECT twice(21) AS y;',
      'models/b.sql': 'MODEL (name s.b, kind FULL);\nSELECT 1 AS x;\nUPDATE @this_model SET x = 2;',
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT y, x FROM s.a, s.b')).toEqual([{ y: 42, x: 2 }]);
  });

  test('run when the view of an environment is moved, in the same snapshot of the lake', async () => {
    const model = (query: string): string =>
      `MODEL (name s.a, kind FULL);\n${query};\nON_VIRTUAL_UPDATE_BEGIN;\nCOMMENT ON VIEW @this_model IS @'said in @this_env';\nON_VIRTUAL_UPDATE_END;`;
    rig = makeRig({ 'models/a.sql': model('SELECT 1 AS x') });
    await rig.ok('apply');
    const comments = (): Promise<readonly unknown[]> =>
      rig.rows(
        'SELECT value, begin_snapshot = (SELECT max(snapshot_id) FROM "__ducklake_metadata___scilake".main.ducklake_snapshot) AS is_last FROM "__ducklake_metadata___scilake".main.ducklake_tag WHERE end_snapshot IS NULL ORDER BY value',
      );
    expect(await comments()).toEqual([{ value: 'said in prod', is_last: true }]);
    rig.write({ 'models/a.sql': model('SELECT 2 AS x') });
    await rig.ok('apply', 'dev', '-y');
    expect(await comments()).toEqual([
      { value: 'said in dev', is_last: true },
      { value: 'said in prod', is_last: false },
    ]);
  });

  test('of the project run around the whole plan, and know the environment', async () => {
    rig = makeRig({
      'scilake.yaml': [
        'model_defaults:',
        "  start: '2024-01-01'",
        'before_all:',
        '  - CREATE SCHEMA IF NOT EXISTS log',
        '  - CREATE TABLE IF NOT EXISTS log.plans (environment VARCHAR, view_count INTEGER, seen INTEGER)',
        'after_all:',
        '  - INSERT INTO log.plans SELECT @this_env, len([@EACH(@views, v -> v)]), (SELECT count(*) FROM s.a)',
      ].join('\n'),
      'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT 1 AS x UNION ALL SELECT 2',
      'models/b.sql': 'MODEL (name s.b, kind VIEW);\nSELECT x FROM s.a',
    });
    await rig.ok('apply');
    await rig.ok('apply');
    expect(await rig.rows('FROM __scilake.log.plans')).toEqual([{ environment: 'prod', view_count: 2, seen: 2 }]);
  });
});

describe('a plan may leave the building out', () => {
  const model = {
    'models/daily.sql':
      "MODEL (name s.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column ds));\nSELECT DATE '2024-01-05' AS ds",
  };

  test('--empty-backfill records intervals without rows', async () => {
    rig = makeRig(model);
    await rig.ok('apply', '--empty-backfill');
    expect(await rig.rows('SELECT count(*) AS n FROM s.daily')).toEqual([{ n: 0 }]);
    expect((await rig.ok('plan', '--json')).json<{ readonly missing: object }>().missing).toEqual({});
  });

  test('--skip-backfill leaves intervals missing, and a later plan builds them', async () => {
    rig = makeRig(model);
    await rig.ok('apply', '--skip-backfill');
    await rig.ok('apply');
    expect(await rig.rows('SELECT count(*) AS n FROM s.daily')).toEqual([{ n: 1 }]);
  });

  test('--no-gaps refuses a version that covers less than the present one', async () => {
    rig = makeRig(model);
    await rig.ok('apply');
    rig.write({
      'models/daily.sql':
        "MODEL (name s.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), start '2024-01-05');\nSELECT DATE '2024-01-05' AS ds, 1 AS x",
    });
    const refused = await rig.run('plan', '--no-gaps');
    expect({ code: refused.code, isNamed: refused.err.includes('SL0405') }).toEqual({ code: 1, isNamed: true });
    expect((await rig.run('plan')).code).toBe(0);
  });
});
