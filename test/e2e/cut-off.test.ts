import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

interface AppliedDocument {
  readonly steps: readonly { readonly type: string; readonly model?: string; readonly status: string }[];
}

let rig: Rig;
afterEach(() => rig.dispose());

const model = (name: string, kind: string, query: string): Readonly<Record<string, string>> => ({
  [`models/${name}.sql`]: `MODEL (name s.${name}, kind ${kind});\n${query}`,
});
const built = (applied: AppliedDocument): readonly string[] =>
  applied.steps.filter((step) => step.type === 'backfill').map((step) => `${step.model} ${step.status}`);
const apply = async (...options: readonly string[]): Promise<AppliedDocument> =>
  (await rig.ok('apply', ...options, '--json')).json<AppliedDocument>();

const base = {
  ...model('a', 'FULL', 'SELECT x, x % 2 AS odd FROM range(10) AS t(x)'),
  ...model('b', 'FULL', 'SELECT odd, count(*) AS n FROM s.a GROUP BY odd'),
  ...model('c', 'FULL', 'SELECT max(n) AS most FROM s.b'),
};

describe('early cut-off', () => {
  test('a table that comes out equal gives its readers no reason to be built again', async () => {
    rig = makeRig(base);
    await apply();
    rig.write(model('a', 'FULL', 'SELECT x, x & 1 AS odd FROM range(10) AS t(x)'));
    const applied = await apply();
    expect(built(applied)).toEqual(['s.a done', 's.b unchanged', 's.c unchanged']);
    expect(await rig.rows('SELECT most FROM s.c')).toEqual([{ most: 5 }]);
    expect((await rig.ok('plan', '--json')).json<{ readonly steps: readonly object[] }>().steps).toEqual([]);
  });

  test('stops half way down, where the rows become equal again', async () => {
    rig = makeRig(base);
    await apply();
    rig.write(model('a', 'FULL', 'SELECT x + 2 AS x, x % 2 AS odd FROM range(10) AS t(x)'));
    expect(built(await apply())).toEqual(['s.a done']);
    rig.write(model('a', 'FULL', 'SELECT x, (x + 1) % 2 AS odd FROM range(10) AS t(x)'));
    expect(built(await apply())).toEqual(['s.a done', 's.b done', 's.c unchanged']);
  });

  test('does not stop what really changed', async () => {
    rig = makeRig(base);
    await apply();
    rig.write(model('a', 'FULL', 'SELECT x, x % 2 AS odd FROM range(11) AS t(x)'));
    expect(built(await apply())).toEqual(['s.a done', 's.b done', 's.c done']);
    expect(await rig.rows('SELECT most FROM s.c')).toEqual([{ most: 6 }]);
  });

  test('passes through views, and leaves a table alone that a view reads', async () => {
    rig = makeRig({
      ...base,
      ...model('v', 'VIEW', 'SELECT odd, n FROM s.b'),
      ...model('w', 'FULL', 'SELECT sum(n)::INT AS total FROM s.v'),
    });
    await apply();
    rig.write(model('a', 'FULL', 'SELECT x, x & 1 AS odd FROM range(10) AS t(x)'));
    expect(built(await apply())).toEqual(['s.a done', 's.b done', 's.c unchanged', 's.v done', 's.w unchanged']);
    expect(await rig.rows('SELECT total FROM s.w')).toEqual([{ total: 10 }]);
    expect((await rig.ok('plan', '--json')).json<{ readonly steps: readonly object[] }>().steps).toEqual([]);
  });

  test('in another environment reads what prod has', async () => {
    rig = makeRig(base);
    await apply();
    rig.write(model('a', 'FULL', 'SELECT x, x & 1 AS odd FROM range(10) AS t(x)'));
    expect(built(await apply('dev'))).toEqual(['s.a done', 's.b unchanged', 's.c unchanged']);
    expect(await rig.rows('SELECT most FROM s.c', 'dev')).toEqual([{ most: 5 }]);
    expect(built(await apply())).toEqual([]);
  });
});
