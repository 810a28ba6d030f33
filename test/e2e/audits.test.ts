import { utimesSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LAKE, STATE_SCHEMA } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig | undefined;
afterEach(() => rig?.dispose());

function project(files: Readonly<Record<string, string>>): Rig {
  rig = makeRig({ 'models/s/src.sql': SOURCE_MODEL, ...files });
  return rig;
}

const visits = (audits: string, rows = '(1, 1), (2, 2), (3, NULL), (4, NULL)') =>
  `MODEL (name s.visits, kind FULL, audits (${audits}));\nSELECT * FROM (VALUES ${rows}) AS v(id, patient)`;

interface Results {
  readonly results: readonly {
    readonly audit: string;
    readonly model: string | null;
    readonly status: string;
    readonly count: number;
    readonly rows: readonly unknown[];
  }[];
}
const inShort = ({ results }: Results): readonly string[] =>
  results.map(({ model, audit, status, count }) => `${model ?? '-'} ${audit} ${status} ${count}`);

describe('the number of rows decides', () => {
  const threshold = (limits: string) =>
    project({ 'models/s/visits.sql': visits(`not_null(columns := (patient), ${limits})`) });

  test('whether a blocking audit blocks', async () => {
    const lake = threshold("error_if := '>1'");
    const { code, err } = await lake.run('apply', '-y');
    expect(code).toBe(1);
    expect(err).toContain('SL0801  audit not_null of s.visits found 2 rows: id = 3, patient = NULL; id = 4');
  });

  test('whether it only warns', async () => {
    const lake = threshold("error_if := '>2'");
    expect((await lake.ok('apply', '-y')).err).toContain('SL0802  audit not_null of s.visits found 2 rows');
    expect(await lake.rows('SELECT count(*) AS n FROM s.visits')).toEqual([{ n: 4 }]);
  });

  test('whether it says anything', async () => {
    const lake = threshold("warn_if := '>2'");
    expect((await lake.ok('apply', '-y')).err).not.toContain('SL080');
  });
});

describe('rows that break an audit', () => {
  test('are kept with a load that goes through', async () => {
    const lake = project({
      'models/s/visits.sql': visits('not_null_non_blocking(columns := (patient)), not_null(columns := (id))'),
    });
    await lake.ok('apply', '-y');
    const last = (await lake.ok('audit', '--last', '--json')).json<Results>();
    expect(inShort(last)).toEqual(['s.visits not_null passed 0', 's.visits not_null_non_blocking warned 2']);
    expect(last.results[1]?.rows).toEqual([
      { id: 3, patient: null },
      { id: 4, patient: null },
    ]);
  });

  test('outlive the load that they took back', async () => {
    const lake = project({
      'models/s/visits.sql': visits('not_null(columns := (patient)), accepted_range(column := id, max_v := 3)'),
    });
    const { code, err } = await lake.run('apply', '-y');
    expect(code).toBe(1);
    // Both are said, not the first alone.
    expect(err).toContain('audit not_null of s.visits found 2 rows');
    expect(err).toContain('audit accepted_range of s.visits found 1 row: id = 4');
    const last = (await lake.ok('audit', '--last', '--json')).json<Results>();
    expect(inShort(last)).toEqual(['s.visits accepted_range failed 1', 's.visits not_null failed 2']);
    expect((await lake.run('query', 'FROM s.visits')).code).toBe(1);
  });

  test('are as many as the setting says', async () => {
    const lake = project({
      'scilake.yaml': "model_defaults: {start: '2024-01-01'}\naudits: {store_rows: 1}\n",
      'models/s/visits.sql': visits('not_null_non_blocking(columns := (patient))'),
    });
    await lake.ok('apply', '-y');
    const { results } = (await lake.ok('audit', '--last', 's.visits', '--json')).json<Results>();
    expect(results).toMatchObject([{ count: 2, rows: [{ id: 3, patient: null }] }]);
  });

  test('are kept in a lake that was made before there was a table for them', async () => {
    const lake = project({ 'models/s/visits.sql': visits('not_null_non_blocking(columns := (id))') });
    await lake.ok('apply', '-y');
    const database = await duckdb.open();
    const catalog = path.join(lake.folder, '.scilake/lake/catalog.ducklake');
    const data = path.join(lake.folder, '.scilake/lake/data/');
    await database.run(
      `LOAD ducklake; ATTACH 'ducklake:${catalog}' AS ${LAKE} (DATA_PATH '${data}', OVERRIDE_DATA_PATH true)`,
    );
    await database.run(`DROP TABLE ${LAKE}.${STATE_SCHEMA}.audit_results; DETACH ${LAKE}`);
    database.close();
    expect((await lake.ok('audit', '--last', '--json')).json<Results>().results).toEqual([]);
    expect((await lake.ok('plan')).err).toBe('');
    lake.write({ 'models/s/visits.sql': visits('not_null_non_blocking(columns := (patient))') });
    await lake.ok('apply', '-y');
    expect(inShort((await lake.ok('audit', '--last', '--json')).json<Results>())).toEqual([
      's.visits not_null_non_blocking warned 2',
    ]);
  });
});

describe('relationships', () => {
  const files = {
    'models/s/a_visits.sql': visits('relationships(column := patient, to := s.patients, field := id)'),
    'models/s/patients.sql': 'MODEL (name s.patients, kind FULL);\nSELECT 1 AS id UNION ALL SELECT 2',
  };

  test('have the table that they refer to built first', async () => {
    const lake = project(files);
    const { nodes, edges } = (await lake.ok('graph', '--json')).json<{
      nodes: readonly { id: string }[];
      edges: readonly { from: string; to: string; type: string }[];
    }>();
    expect(nodes.map((node) => node.id)).toContain('s.patients');
    expect(edges).toContainEqual({ from: 's.patients', to: 's.visits', type: 'reads' });
    await lake.ok('apply', '-y');
  });

  test('block what refers to nothing', async () => {
    const lake = project({ ...files, 'models/s/patients.sql': 'MODEL (name s.patients, kind FULL);\nSELECT 1 AS id' });
    const { code, err } = await lake.run('apply', '-y');
    expect(code).toBe(1);
    expect(err).toContain('audit relationships of s.visits found 1 row: id = 2, patient = 2');
  });

  test('to a table that is not there are an error before anything runs', async () => {
    const lake = project({
      'models/s/visits.sql': visits('relationships(column := patient, to := s.patiens, field := id)'),
    });
    const { code, err } = await lake.run('plan');
    expect(code).toBe(1);
    expect(err).toContain(
      'models/s/visits.sql:1:42  error SL0302  audit relationships reads s.patiens, which is not in the project',
    );
  });
});

test('arguments are checked before anything runs', async () => {
  const lake = project({
    'models/s/visits.sql': visits(
      'not_null(colums := (id)), accepted_values(column := id, is_in := (1), conditon := TRUE)',
    ),
  });
  const { code, err } = await lake.run('plan');
  expect(code).toBe(1);
  expect(err).toContain('SL0805  audit not_null lacks an argument: columns');
  lake.write({ 'models/s/visits.sql': visits('not_null(columns := (id), conditon := TRUE)') });
  const warned = await lake.ok('plan');
  expect(warned.err).toContain('SL0807  audit not_null does nothing with "conditon"');
  expect(warned.err).toContain('did you mean "condition"?');
});

describe('an audit that stands alone', () => {
  const alone = (properties = '') => ({
    'models/s/visits.sql': visits('not_null(columns := (id))'),
    'audits/few.sql': `AUDIT (name few, standalone true${properties});\nSELECT count(*) AS n FROM s.visits HAVING count(*) > @limit`,
    'scilake.yaml': "model_defaults: {start: '2024-01-01'}\nvariables: {limit: 3}\n",
  });

  test('runs once what it reads is built, and again when that is built again', async () => {
    const lake = project(alone());
    const { err } = await lake.ok('apply', '-y');
    expect(err).toContain('SL0802  audit few found 1 row: n = 4');
    expect(err.indexOf('run audit few')).toBeGreaterThan(err.indexOf('build s.visits'));
    expect(err.indexOf('run audit few')).toBeLessThan(err.indexOf('promote prod'));
    expect((await lake.ok('plan')).out).toContain('Nothing to do');
    lake.write({ 'models/s/visits.sql': visits('not_null(columns := (id))', '(1, 1), (2, 3)') });
    expect((await lake.ok('apply', '-y')).err).toContain('run audit few');
    expect(inShort((await lake.ok('audit', '--last', 'few', '--json')).json<Results>())).toEqual(['- few passed 0']);
  });

  test('runs again when it changes', async () => {
    const lake = project(alone());
    await lake.ok('apply', '-y');
    lake.write({ 'audits/few.sql': 'AUDIT (name few, standalone true);\nSELECT 1 FROM s.visits WHERE id > 100' });
    const { steps } = (await lake.ok('plan', '--json')).json<{ steps: readonly unknown[] }>();
    expect(steps).toEqual([{ type: 'standalone', audit: 'few' }]);
    await lake.ok('apply', '-y');
    expect((await lake.ok('plan')).out).toContain('Nothing to do');
  });

  test('keeps the environment as it was where it blocks', async () => {
    const lake = project(alone(', blocking true'));
    const { code, err } = await lake.run('apply', '-y');
    expect(code).toBe(1);
    expect(err).toContain('audits/few.sql:1:1  error SL0801  audit few found 1 row: n = 4');
    expect((await lake.run('query', 'FROM s.visits')).code).toBe(1);
    lake.write({ 'scilake.yaml': "model_defaults: {start: '2024-01-01'}\nvariables: {limit: 9}\n" });
    await lake.ok('apply', '-y');
    expect(await lake.rows('SELECT count(*) AS n FROM s.visits')).toEqual([{ n: 4 }]);
  });

  test('runs in a run when its cron is due', async () => {
    const lake = project(alone(", cron '@weekly'"));
    await lake.ok('apply', '-y');
    const ran = async (time: string) => (await lake.ok('run', '--execution-time', time)).err.includes('run audit few');
    // The model is by day and is built every day; of the audit's weeks, one ends on Sunday the 14th.
    lake.write({ 'models/s/visits.sql': visits('not_null(columns := (id))') });
    expect(await ran('2024-01-10 13:00:00')).toBe(false);
    expect(await ran('2024-01-14 01:00:00')).toBe(true);
  });

  test('depends on what it declares, and on nothing that is not there', async () => {
    const lake = project({ ...alone(', depends_on (s.sr)') });
    const { code, err } = await lake.run('plan');
    expect(code).toBe(1);
    expect(err).toContain('audits/few.sql:1:47  error SL0302  audit few reads s.sr, which is not in the project');
    expect(err).toContain('did you mean "s.src"?');
  });

  test('is a node of the graph', async () => {
    const lake = project(alone(", cron '@weekly'"));
    const { nodes, edges } = (await lake.ok('graph', '--json')).json<Record<'nodes' | 'edges', readonly unknown[]>>();
    expect(nodes).toContainEqual({
      id: 'few',
      type: 'audit',
      kind: 'warning',
      cron: '@weekly',
      tags: [],
      file: 'audits/few.sql',
    });
    expect(edges).toContainEqual({ from: 's.visits', to: 'few', type: 'reads' });
  });

  test('is nothing that a model can ask for', async () => {
    const lake = project({ ...alone(), 'models/s/visits.sql': visits('few') });
    expect((await lake.run('plan')).err).toContain('SL0804  audit "few" stands alone: s.visits cannot ask for it');
  });
});

describe('scilake audit', () => {
  const files = {
    'models/s/visits.sql': visits('not_null_non_blocking(columns := (patient)), unique_values(columns := (id))'),
    'models/s/days.sql': `MODEL (name s.days, kind INCREMENTAL_BY_TIME_RANGE (time_column ds), audits (number_of_rows_non_blocking(threshold := 2)));
SELECT ds FROM (SELECT unnest(range(DATE '2024-01-01', DATE '2024-02-01', INTERVAL 1 DAY))::DATE AS ds) WHERE ds BETWEEN @start_ds AND @end_ds`,
  };

  test('audits what is built and builds nothing', async () => {
    const lake = project(files);
    await lake.ok('apply', '-y');
    const audited = await lake.ok('audit', '--json');
    expect(inShort(audited.json<Results>()).toSorted()).toEqual([
      's.days number_of_rows_non_blocking passed 0',
      's.visits not_null_non_blocking warned 2',
      's.visits unique_values passed 0',
    ]);
    const some = await lake.ok('audit', 's.vis*');
    expect(some.out).toBe(
      '! s.visits  not_null_non_blocking  2 rows\n✓ s.visits  unique_values\n1 passed, 1 warned, 0 failed\n',
    );
    expect(some.err).toContain('SL0802');
  });

  test('looks at the interval that it is given', async () => {
    const lake = project(files);
    await lake.ok('apply', '-y');
    const { results } = (
      await lake.ok('audit', 's.days', '--start', '2024-01-02', '--end', '2024-01-03', '--json')
    ).json<Results & { results: readonly { interval: unknown }[] }>();
    expect(results).toMatchObject([
      { status: 'warned', rows: [{ rows_found: '2' }], interval: ['2024-01-02T00:00:00Z', '2024-01-04T00:00:00Z'] },
    ]);
  });

  test('takes the audits of the files, and ends with 1 where one of them blocks', async () => {
    const lake = project(files);
    await lake.ok('apply', '-y');
    lake.write({
      'models/s/visits.sql': visits('not_null(columns := (patient)), accepted_range(column := age, max_v := 9)'),
    });
    const { code, out, err } = await lake.run('audit', 's.visits');
    expect(code).toBe(1);
    expect(out).toContain('✗ s.visits  not_null  2 rows');
    expect(err).toContain('SL0801');
    expect(err).toContain('SL0803  audit accepted_range cannot run');
    // A reader of the results sees them; who asked for none to be kept changes nothing.
    const before = (await lake.ok('audit', '--last', '--json')).out;
    await lake.run('audit', '--no-store');
    expect((await lake.ok('audit', '--last', '--json')).out).toBe(before);
  });

  test('says what there is when a name is wrong', async () => {
    const lake = project(files);
    const { code, err } = await lake.run('audit', 's.visit');
    expect(code).toBe(2);
    expect(err).toContain('nothing to audit is named "s.visit"; did you mean "s.visits"?');
  });
});

describe('freshness of a source', () => {
  const files = (freshness: string) => ({
    'sources/labs.sql': `SOURCE (name labs, uri 'labs.csv', freshness (${freshness}));`,
    'sources/labs.csv': 'id,taken\n1,2024-01-02 00:00:00\n2,2024-01-05 00:00:00\n',
    'models/s/labs.sql': 'MODEL (name s.labs, kind FULL);\nSELECT * FROM labs.labs',
  });

  test('is judged by a column', async () => {
    const lake = project(files("warn_after '3 days', error_after '7 days', column taken"));
    await lake.ok('apply', '-y');
    const audited = await lake.ok('audit');
    expect(audited.out).toContain('! labs  freshness  1 row');
    expect(audited.err).toContain(
      'warning SL0508  source "labs" is 5 days old: its newest taken is of 2024-01-05T00:00:00Z, and may be 3 days old',
    );
    expect((await lake.ok('plan')).err).toContain('SL0508');
    const late = await lake.run('audit', '--execution-time', '2024-02-01');
    expect(late.code).toBe(1);
    expect(late.err).toContain('error SL0508  source "labs" is 27 days old');
    // A plan is not held up by it.
    expect((await lake.ok('plan', '--execution-time', '2024-02-01')).err).toContain('warning SL0508');
  });

  test('is judged by the time of the file where no column is named', async () => {
    const lake = project(files("error_after '2 hours'"));
    const at = (time: string) => utimesSync(path.join(lake.folder, 'sources/labs.csv'), new Date(time), new Date(time));
    at('2024-01-10T11:00:00Z');
    expect((await lake.ok('apply', '-y')).err).not.toContain('SL0508');
    await lake.ok('audit', 'labs');
    at('2024-01-10T09:00:00Z');
    const stale = await lake.run('audit', 'labs', '--json');
    expect(stale.code).toBe(1);
    expect(stale.json<Results>().results).toMatchObject([
      { audit: 'freshness', model: 'labs', status: 'failed', rows: [{ newest: '2024-01-10T09:00:00Z' }] },
    ]);
  });

  test('is wrong where it says nothing, or no time', async () => {
    const lake = project(files('column taken'));
    expect((await lake.run('plan')).err).toContain('SL0104  freshness needs "warn_after" or "error_after"');
    lake.write(files("warn_after 'a while'"));
    expect((await lake.run('plan')).err).toContain('SL0105  "warn_after" is a time span, not a while');
  });
});
