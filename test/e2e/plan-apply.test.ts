import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

interface PlanDocument {
  readonly id: string;
  readonly lakeSnapshot: number;
  readonly basedOn: string | null;
  readonly changes: readonly {
    readonly model: string;
    readonly type: string;
    readonly category: string;
    readonly reused: boolean;
    readonly reason: string;
    readonly because: readonly string[];
  }[];
  readonly missing: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly steps: readonly { readonly type: string; readonly model?: string; readonly version?: string }[];
}

interface AppliedDocument {
  readonly status: string;
  readonly lakeSnapshot: number;
  readonly steps: readonly {
    readonly type: string;
    readonly model?: string;
    readonly status: string;
    readonly rows: number | null;
  }[];
  readonly failed: readonly { readonly model?: string }[];
  readonly skipped: readonly { readonly model?: string }[];
}

const chain = {
  'models/src.sql': SOURCE_MODEL,
  'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id, mag, cls, ds FROM s.src',
  'models/b.sql': 'MODEL (name s.b, kind VIEW);\nSELECT id, mag FROM s.a',
  'models/c.sql': 'MODEL (name s.c, kind FULL);\nSELECT id FROM s.b',
};

let rig: Rig;
afterEach(() => rig.dispose());

describe('the change loop', () => {
  test('a plan after an apply is empty, and a second apply writes nothing', async () => {
    rig = makeRig(chain);
    const first = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect(first.status).toBe('applied');
    const plan = (await rig.ok('plan', '--json')).json<PlanDocument>();
    expect({ changes: plan.changes, steps: plan.steps, missing: plan.missing }).toEqual({
      changes: [],
      steps: [],
      missing: {},
    });
    const second = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect({ status: second.status, lakeSnapshot: second.lakeSnapshot }).toEqual({
      status: 'nothing to do',
      lakeSnapshot: first.lakeSnapshot,
    });
  });

  test('a change is built once in dev and promoted to prod without building it again', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.write({ 'models/c.sql': 'MODEL (name s.c, kind FULL);\nSELECT id, id + 1 AS next_id FROM s.b' });
    const dev = (await rig.ok('plan', 'dev', '--json')).json<PlanDocument>();
    expect(dev.changes.map((change) => change.model)).toEqual(['s.c']);
    const built = (await rig.ok('apply', 'dev', '--json')).json<AppliedDocument>();
    expect(built.steps.filter((step) => step.type === 'backfill').map((step) => step.model)).toEqual(['s.c']);
    expect(Object.keys((await rig.rows<object>('FROM s.c'))[0] ?? {})).toEqual(['id']);
    const prod = (await rig.ok('plan', '--json')).json<PlanDocument>();
    expect(prod.changes[0]).toMatchObject({ model: 's.c', reused: true });
    const promoted = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect(promoted.steps.map((step) => step.type)).toEqual(['promote']);
    expect(promoted.lakeSnapshot).toBe(built.lakeSnapshot + 1);
    expect(await rig.rows('FROM s.c')).toEqual([{ id: 1, next_id: 2 }]);
  });

  test('going back to an earlier text finds the earlier table again', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.write({ 'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id + 1 AS id, mag, cls, ds FROM s.src' });
    await rig.ok('apply');
    rig.write({ 'models/a.sql': chain['models/a.sql'] });
    const plan = (await rig.ok('plan', '--json')).json<PlanDocument>();
    expect(plan.steps.map((step) => step.type)).toEqual(['promote']);
  });

  test('a changed filter rebuilds everything below, through views', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.write({ 'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id, mag, cls, ds FROM s.src WHERE mag > 100' });
    await rig.ok('apply');
    expect(await rig.rows('SELECT count(*) AS n FROM s.c')).toEqual([{ n: 0 }]);
  });

  test('a column that nobody below reads rebuilds its own model alone', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.write({ 'models/a.sql': "MODEL (name s.a, kind FULL);\nSELECT id, mag, cls || '!' AS cls, ds FROM s.src" });
    const applied = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect(applied.steps.filter((step) => step.type === 'backfill').map((step) => step.model)).toEqual(['s.a']);
    expect(await rig.rows('SELECT a.cls, b.mag FROM s.a AS a JOIN s.b AS b USING (id)')).toEqual([
      { cls: 'x!', mag: 10 },
    ]);
  });

  test('a renamed model takes its table along, and what reads it is not built again', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.remove('models/a.sql');
    rig.write({
      'models/a2.sql': 'MODEL (name s.a2, kind FULL);\nSELECT id, mag, cls, ds FROM s.src',
      'models/b.sql': 'MODEL (name s.b, kind VIEW);\nSELECT id, mag FROM s.a2',
    });
    const applied = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect(applied.steps.filter((step) => step.type === 'backfill')).toEqual([]);
    expect(await rig.rows('SELECT a2.mag, b.id FROM s.a2 JOIN s.b USING (id)')).toEqual([{ mag: 10, id: 1 }]);
    rig.write({ 'models/a2.sql': 'MODEL (name s.a2, kind FULL, owner alice);\nSELECT id, mag, cls, ds FROM s.src' });
    await rig.ok('apply');
    expect(await rig.rows('SELECT mag FROM s.a2')).toEqual([{ mag: 10 }]);
    expect((await rig.ok('plan', '--json')).json<PlanDocument>().steps).toEqual([]);
  });

  test('a removed model leaves the environment, and its text with it', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.remove('models/c.sql');
    const plan = (await rig.ok('plan', '--json')).json<PlanDocument>();
    expect(plan.changes).toMatchObject([{ model: 's.c', type: 'removed' }]);
    await rig.ok('apply');
    expect((await rig.run('query', 'FROM s.c')).err).toContain('does not exist');
  });
});

describe('one promotion is one snapshot', () => {
  test('views, state and the plan arrive together, with author and message', async () => {
    rig = makeRig(chain);
    const applied = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    const [promotion] = await rig.rows<{
      readonly author: string;
      readonly commit_message: string;
      readonly changes: string;
    }>(
      `SELECT author, commit_message, changes::VARCHAR AS changes FROM __scilake.snapshots() WHERE snapshot_id = ${applied.lakeSnapshot}`,
    );
    expect(promotion?.author).toBe('tester');
    expect(promotion?.commit_message).toContain('promote prod');
    for (const view of ['s.a', 's.b', 's.c', 's.src']) expect(promotion?.changes).toContain(view);
  });
});

describe('failure', () => {
  test('leaves the environment as it was, keeps what was built, and skips only what depends on it', async () => {
    rig = makeRig({ ...chain, 'models/other.sql': 'MODEL (name s.other, kind FULL);\nSELECT 1 AS x' });
    await rig.ok('apply');
    rig.write({
      'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id, CAST(cls AS DOUBLE) AS mag, cls, ds FROM s.src',
      'models/other.sql': 'MODEL (name s.other, kind FULL);\nSELECT 2 AS x',
    });
    const failed = await rig.run('apply', '--json');
    expect(failed.code).toBe(1);
    const document = failed.json<AppliedDocument>();
    expect(document.status).toBe('failed');
    expect(document.failed.map((step) => step.model)).toEqual(['s.a']);
    expect(document.steps.find((step) => step.type === 'backfill' && step.model === 's.other')?.status).toBe('done');
    expect(await rig.rows('SELECT mag, x FROM s.a, s.other')).toEqual([{ mag: 10, x: 1 }]);
    rig.write({ 'models/a.sql': chain['models/a.sql'] });
    const next = (await rig.ok('apply', '--json')).json<AppliedDocument>();
    expect(next.steps.map((step) => step.type)).toEqual(['promote']);
    expect(await rig.rows('SELECT x FROM s.other')).toEqual([{ x: 2 }]);
  });

  test('of a blocking audit keeps its rows from every reader', async () => {
    rig = makeRig({
      'models/a.sql': 'MODEL (name s.a, kind FULL, audits (accepted_range(column := x, min_v := 0)));\nSELECT 1 AS x',
    });
    await rig.ok('apply');
    rig.write({
      'models/a.sql':
        'MODEL (name s.a, kind FULL, audits (accepted_range(column := x, min_v := 0)));\nSELECT unnest([2, -3]) AS x',
    });
    const failed = await rig.run('apply');
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('audit accepted_range of s.a found 1 row: x = -3');
    expect(await rig.rows('FROM s.a')).toEqual([{ x: 1 }]);
  });

  test('of an audit that does not block is a warning', async () => {
    rig = makeRig({
      'models/a.sql':
        'MODEL (name s.a, kind FULL, audits (accepted_range_non_blocking(column := x, min_v := 0)));\nSELECT -1 AS x',
    });
    const applied = await rig.ok('apply');
    expect(applied.err).toContain('warning SL0802');
    expect(await rig.rows('FROM s.a')).toEqual([{ x: -1 }]);
  });
});

describe('a saved plan', () => {
  test('is applied as it was saved', async () => {
    rig = makeRig(chain);
    await rig.ok('plan', '-o', 'plan.json');
    expect((await rig.ok('apply', '--plan', 'plan.json', '--json')).json<AppliedDocument>().status).toBe('applied');
  });

  test('is refused with exit code 3 when the lake has moved since', async () => {
    rig = makeRig(chain);
    await rig.ok('plan', '-o', 'plan.json');
    await rig.ok('apply');
    const refused = await rig.run('apply', '--plan', 'plan.json');
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('SL0709');
  });

  test('is refused when a file has changed since', async () => {
    rig = makeRig(chain);
    await rig.ok('plan', '-o', 'plan.json');
    rig.write({ 'models/c.sql': 'MODEL (name s.c, kind FULL);\nSELECT id * 2 AS id FROM s.b' });
    const refused = await rig.run('apply', '--plan', 'plan.json');
    expect({ code: refused.code, isNamed: refused.err.includes('SL0406') }).toEqual({ code: 1, isNamed: true });
  });
});

describe('environments', () => {
  test('without a change are refused, and made with --include-unmodified', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    expect((await rig.run('plan', 'dev')).code).toBe(1);
    const applied = (await rig.ok('apply', 'dev', '--include-unmodified', '--json')).json<AppliedDocument>();
    expect(applied.steps.map((step) => step.type)).toEqual(['promote']);
    const environments = (await rig.ok('environments', '--json')).json<
      readonly { readonly name: string; readonly views: number }[]
    >();
    expect(environments.map(({ name, views }) => [name, views])).toEqual([
      ['dev', 4],
      ['prod', 4],
    ]);
  });

  test('take only what --select-model names', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    rig.write({
      'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id, mag, cls, ds FROM s.src WHERE mag > 0',
      'models/c.sql': 'MODEL (name s.c, kind FULL);\nSELECT id FROM s.b WHERE id > 0',
    });
    const plan = (await rig.ok('plan', 'dev', '--select-model', 's.c', '--json')).json<PlanDocument>();
    expect(plan.changes.map((change) => change.model)).toEqual(['s.c']);
  });

  test('are readable from plain DuckLake under another name', async () => {
    rig = makeRig(chain);
    await rig.ok('apply');
    const { duckdb } = await import('../../src/effects/duckdb.js');
    const database = await duckdb.open();
    await database.run('LOAD ducklake');
    await database.run(`ATTACH 'ducklake:${rig.folder}/.scilake/lake/catalog.ducklake' AS elsewhere (READ_ONLY)`);
    const rows = await database.rows('SELECT id, mag FROM elsewhere.s.b');
    database.close();
    expect(rows).toEqual([{ id: 1, mag: 10 }]);
  });
});
