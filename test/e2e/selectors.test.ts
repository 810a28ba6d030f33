import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

interface PlanDocument {
  readonly changes: readonly { readonly model: string }[];
}

let rig: Rig;
afterEach(() => rig.dispose());
const model = (name: string, query: string): string => `MODEL (name s.${name}, kind FULL);\n${query}`;
const project = {
  'models/src.sql': SOURCE_MODEL,
  'models/a.sql': model('a', 'SELECT id FROM s.src'),
  'models/deep/b.sql': model('b', 'SELECT id FROM s.src'),
};
const changed = async (...argv: readonly string[]): Promise<readonly string[]> =>
  (await rig.ok('plan', 'dev', '--json', ...argv))
    .json<PlanDocument>()
    .changes.map((change) => change.model)
    .sort();

describe('selected models', () => {
  test('are those of a folder, or those that are changed', async () => {
    rig = makeRig(project);
    await rig.ok('apply', '-y');
    rig.write({
      'models/a.sql': model('a', 'SELECT id + 1 AS id FROM s.src'),
      'models/deep/b.sql': model('b', 'SELECT id + 2 AS id FROM s.src'),
    });
    expect(await changed('--select-model', 'path:models/deep')).toEqual(['s.b']);
    expect(await changed('--select-model', 'state:modified & ^s.b')).toEqual(['s.a']);
  });

  test('are those that differ from a branch of git', async () => {
    rig = makeRig(project);
    const git = (...argv: readonly string[]): unknown =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...argv], {
        cwd: rig.folder,
        stdio: 'pipe',
      });
    git('init', '-q', '-b', 'trunk');
    git('add', 'models', 'scilake.yaml');
    git('commit', '-qm', 'first');
    await rig.ok('apply', '-y');
    rig.write({ 'models/a.sql': model('a', 'SELECT id + 1 AS id FROM s.src') });
    git('checkout', '-qb', 'work');
    git('commit', '-qam', 'second');
    rig.write({
      'models/new.sql': model('new', 'SELECT id FROM s.src'),
      'models/deep/b.sql': model('b', 'SELECT 1 AS id FROM s.src'),
    });
    expect(await changed('--select-model', 'git:trunk')).toEqual(['s.a', 's.b', 's.new']);
    expect(await changed('--select-model', 'git:work')).toEqual(['s.b', 's.new']);
    const unknown = await rig.run('plan', 'dev', '--select-model', 'git:nowhere');
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('nowhere');
  });
});

test('--effective-from makes the rows of prod from then on again, with the new columns', async () => {
  const days = (query: string): string =>
    `MODEL (name s.d, kind INCREMENTAL_BY_TIME_RANGE (time_column ds, forward_only true, on_destructive_change allow));\n${query}`;
  rig = makeRig({
    'models/d.sql': days(
      "SELECT d::DATE AS ds, 1 AS v FROM generate_series(DATE '2024-01-01', DATE '2024-01-09', INTERVAL 1 DAY) AS g(d) WHERE d::DATE BETWEEN @start_date AND @end_date",
    ),
  });
  await rig.ok('apply', '-y');
  rig.write({
    'models/d.sql': days(
      "SELECT d::DATE AS ds, 2 AS v, 'new' AS w FROM generate_series(DATE '2024-01-01', DATE '2024-01-09', INTERVAL 1 DAY) AS g(d) WHERE d::DATE BETWEEN @start_date AND @end_date",
    ),
  });
  await rig.ok('apply', '-y', '--forward-only', '--effective-from', '2024-01-08');
  expect(await rig.rows('SELECT v, w, count(*) AS n FROM s.d GROUP BY ALL ORDER BY ALL')).toEqual([
    { v: 1, w: null, n: 7 },
    { v: 2, w: 'new', n: 2 },
  ]);
  expect((await rig.ok('plan', '--json')).json<{ steps: unknown[] }>().steps).toEqual([]);
});
