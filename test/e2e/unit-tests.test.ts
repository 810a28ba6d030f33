import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig | undefined;
afterEach(() => rig?.dispose());

const MODEL = `MODEL (name s.m, kind FULL);
WITH big AS (SELECT id, mag FROM s.src WHERE mag > @VAR('least', 5)), twice AS (SELECT id, mag * 2 AS mag FROM big)
SELECT id, mag::DOUBLE AS mag, current_date AS today FROM twice`;

function project(files: Readonly<Record<string, string>>): Rig {
  rig = makeRig({ 'models/s/src.sql': SOURCE_MODEL, 'models/s/m.sql': MODEL, ...files });
  return rig;
}

const yaml = (body: string, name = 'test_m') => `${name}:\n  model: s.m\n${body.replaceAll(/^/gm, '  ')}\n`;

/** What `scilake test` shows, without the place and the last line. */
async function shown(files: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<readonly string[]> {
  const { out } = await project(files).run('test', ...argv);
  return out.trim().split('\n');
}

describe('a unit test', () => {
  test('compares CTEs and the query, at one frozen time', async () => {
    expect(
      await shown({
        'tests/test_m.yaml': yaml(`inputs:
  s.src: [{id: 1, mag: 6}, {id: 2, mag: 4}]
outputs:
  ctes:
    big: [{id: 1, mag: 6}]
    twice:
      rows: [{id: 1, mag: 12}]
  query: [{id: 1, mag: 12, today: '2020-02-29'}]
vars: {execution_time: '2020-02-29 23:00:00'}`),
      }),
    ).toEqual(['✓ s.m  test_m', '1 passed, 0 failed']);
  });

  test('may compare CTEs alone, and some of their columns', async () => {
    const partial = (where: string) => yaml(`inputs: {s.src: [{id: 1, mag: 6}]}\noutputs:\n${where}`);
    expect(
      await shown({ 'tests/test_m.yaml': partial('  ctes:\n    twice: {partial: true, rows: [{mag: 12}]}') }),
    ).toContain('1 passed, 0 failed');
    expect(
      await shown({ 'tests/test_m.yaml': partial('  partial: true\n  query: [{id: 1}]\n  ctes: {big: [{id: 1}]}') }),
    ).toContain('1 passed, 0 failed');
    expect(await shown({ 'tests/test_m.yaml': partial('  ctes: {small: []}') })).toContain(
      '  the query has no CTE "small"; it has big, twice',
    );
  });

  test('says which cell differs', async () => {
    const lines = await shown({
      'tests/test_m.yaml': yaml(`inputs:
  s.src: [{id: 1, mag: 6}, {id: 2, mag: 7}, {id: 3, mag: 8}]
outputs:
  ctes: {big: [{id: 1, mag: 6}, {id: 2, mag: 7}, {id: 3, mag: 9}]}
  query:
    partial: true
    rows: [{id: 3, mag: 16}, {id: 1, mag: 12.5}, {id: 7, mag: 1}]`),
    });
    expect(lines.slice(2, -1)).toEqual([
      '  CTE big, row 3, mag: expected 9, given 8',
      '  row 2, mag: expected 12.5, given 12',
      '  expected, not given: id: 7, mag: 1',
      '  given, not expected: id: 2, mag: 14',
    ]);
  });

  test.each([
    ['a list', '[{id: 1, mag: 6}]'],
    ['rows with types', "{columns: {mag: 'DECIMAL(10, 2)'}, rows: [{id: 1, mag: 6}]}"],
    ['a query', '{query: "SELECT 1 AS id, 6 AS mag"}'],
    ['CSV', '{format: csv, rows: "id,mag,cls\\n1,6,\\"a,b\\"\\n"}'],
    ['YAML as text', '{format: yaml, rows: "- {id: 1, mag: 6}"}'],
    ['a CSV file', '{path: tests/fixtures/src.csv}'],
    ['a YAML file', '{path: tests/fixtures/src.yaml}'],
  ])('takes its inputs from %s', async (_, input) => {
    expect(
      await shown({
        'tests/fixtures/src.csv': 'id,mag,cls\r\n1,6,\r\n',
        'tests/fixtures/src.yaml': 'rows:\n  - {id: 1, mag: 6}\n',
        'tests/test_m.yaml': yaml(
          `inputs:\n  s.src: ${input}\noutputs: {query: {partial: true, rows: [{id: 1, mag: 12}]}}`,
        ),
      }),
    ).toEqual(['✓ s.m  test_m', '1 passed, 0 failed']);
  });

  test('says what is wrong with the text of its rows', async () => {
    const lake = project({
      'tests/test_m.yaml': yaml('inputs:\n  s.src: {format: csv, rows: "id,mag\\n1"}\noutputs: {query: []}'),
    });
    const { code, err } = await lake.run('test');
    expect(code).toBe(1);
    expect(err).toContain('SL0806  input s.src of test "test_m": row 1 has 1 fields, not 2');
    lake.write({ 'tests/test_m.yaml': yaml('inputs: {s.src: {path: nowhere.csv}}\noutputs: {query: []}') });
    expect((await lake.run('test')).out).toContain('there is no file nowhere.csv');
  });

  test('sets variables and tolerates what only SQLMesh needs', async () => {
    expect(
      await shown({
        'scilake.yaml': "model_defaults: {start: '2024-01-01'}\nvariables: {least: 100}\n",
        'tests/test_m.yaml': `test_m:
  model: '"lake"."s"."m"'
  schema: somewhere
  gateway: duckdb
  inputs: {'"s"."src"': [{id: 1, mag: 6}]}
  outputs: {query: {partial: true, rows: [{id: 1}]}}
  vars: {least: 1}
`,
      }),
    ).toContain('1 passed, 0 failed');
  });

  test('of an incremental model runs on its interval', async () => {
    expect(
      await shown({
        'models/s/m.sql':
          'MODEL (name s.m, kind INCREMENTAL_BY_TIME_RANGE (time_column ds));\nSELECT id, ds FROM s.src WHERE ds BETWEEN @start_ds AND @end_ds',
        'tests/test_m.yaml': yaml(`inputs:
  s.src: [{id: 1, ds: 2024-01-01}, {id: 2, ds: 2024-01-03}, {id: 3, ds: 2024-01-04}]
outputs: {query: [{id: 2, ds: 2024-01-03}]}
vars: {start: 2024-01-02, end: 2024-01-03}`),
      }),
    ).toContain('1 passed, 0 failed');
  });

  test('may give the rows of a seed', async () => {
    expect(
      await shown({
        'models/s/labels.sql': "MODEL (name s.labels, kind SEED (path '../../seeds/labels.csv'));",
        'seeds/labels.csv': 'id,label\n1,one\n',
        'models/s/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT label FROM s.labels',
        'tests/test_m.yaml': yaml('inputs: {s.labels: [{id: 7, label: seven}]}\noutputs: {query: [{label: seven}]}'),
      }),
    ).toContain('1 passed, 0 failed');
  });
});

describe('frozen time', () => {
  test('reaches every way of asking for it, and keeps its type', async () => {
    const names = [
      'now()',
      'current_timestamp',
      'get_current_timestamp()',
      'transaction_timestamp()',
      'current_localtimestamp()',
      'localtimestamp',
      'current_date',
      'today()',
      'current_localtime()',
      'current_time',
      'get_current_time()',
    ];
    const model = `MODEL (name s.m, kind VIEW);\nSELECT ${names.map((name, at) => `CAST(${name} AS VARCHAR) AS c${at}, typeof(${name}) AS t${at}`).join(', ')}`;
    const lake = project({ 'models/s/m.sql': model, 'scilake.yaml': 'settings: {TimeZone: UTC}\n' });
    const rows = (await lake.ok('create_test', 's.m', '-v', 'execution_time', '2024-03-01 10:20:30')).out;
    expect(rows).toBe('tests/test_m.yaml expects 1 row of s.m\n');
    const written = lake.read('tests/test_m.yaml');
    expect(written.match(/c\d+: .*2024-03-01/g)).toHaveLength(8);
    expect(written.match(/c\d+: "?10:20:30/g)).toHaveLength(3);
  });
});

describe('scilake test', () => {
  const two = {
    'tests/test_m.yaml': `${yaml('outputs: {query: []}', 'test_empty')}${yaml('outputs: {query: []}', 'test_none')}`,
    'tests/more/test_src.yaml': 'test_src:\n  model: s.src\n  outputs: {query: {partial: true, rows: [{id: 1}]}}\n',
  };
  test.each([
    [[], 3],
    [['tests/test_m.yaml'], 2],
    [['tests/test_m.yaml::test_none'], 1],
    [['models/s/src.sql'], 1],
    [['-k', 'test_*e'], 2],
    [['tests/test_m.yaml', '-k', 'none'], 1],
  ])('runs those that are named: %j', async (argv, count) => {
    expect(await shown(two, ...argv)).toContain(`${count} passed, 0 failed`);
  });

  test('says what there is when a name is wrong', async () => {
    const { code, err } = await project(two).run('test', 'tests/test_m.yaml::test_non');
    expect(code).toBe(2);
    expect(err).toContain('did you mean "tests/test_m.yaml::test_none"?');
  });
});

describe('before a plan', () => {
  const passing = yaml(
    'inputs: {s.src: [{id: 1, mag: 6}]}\noutputs: {query: {partial: true, rows: [{id: 1, mag: 12}]}}',
  );

  test('unit tests have to pass', async () => {
    const lake = project({ 'tests/test_m.yaml': passing.replace('mag: 12', 'mag: 13') });
    for (const command of ['plan', 'apply']) {
      const { code, err } = await lake.run(command, '-y');
      expect(code).toBe(1);
      expect(err).toContain(
        'tests/test_m.yaml:1:1  error SL0808  test test_m of s.m fails: row 1, mag: expected 13, given 12',
      );
    }
    await lake.ok('apply', '-y', '--skip-tests');
    expect(await lake.rows('SELECT id FROM s.m')).toEqual([{ id: 1 }]);
  });

  test('those of which nothing has changed do not run again', async () => {
    // The test reads a file that nobody watches: it shows whether the test ran.
    const watched = passing.replace('[{id: 1, mag: 6}]', '{query: "FROM read_csv(\'watched.csv\')"}');
    const lake = project({ 'tests/test_m.yaml': watched, 'watched.csv': 'id,mag\n1,6\n' });
    await lake.ok('plan');
    lake.write({ 'watched.csv': 'id,mag\n1,7\n' });
    expect((await lake.run('test')).code).toBe(1);
    await lake.ok('plan');
    lake.write({ 'models/s/m.sql': `${MODEL} WHERE TRUE` });
    expect((await lake.run('plan')).err).toContain('row 1, mag: expected 12, given 14');
    lake.write({ 'models/s/m.sql': MODEL, 'tests/test_m.yaml': watched.replace('mag: 12', 'mag: 11') });
    expect((await lake.run('plan')).err).toContain('row 1, mag: expected 11, given 14');
  });
});

describe('scilake create_test', () => {
  test('writes a test that passes', async () => {
    const lake = project({});
    await lake.ok('apply', '-y');
    await lake.ok(
      'create_test',
      's.m',
      '--query',
      's.src',
      'SELECT id, mag FROM s.src',
      '--include-ctes',
      '--var',
      'execution_time',
      '2024-01-10',
    );
    expect(lake.read('tests/test_m.yaml')).toBe(`test_m:
  model: s.m
  inputs:
    s.src:
      rows:
        - id: 1
          mag: 10
  outputs:
    ctes:
      big:
        rows:
          - id: 1
            mag: 10
      twice:
        rows:
          - id: 1
            mag: 20
    query:
      rows:
        - id: 1
          mag: 20
          today: 2024-01-10
  vars:
    execution_time: 2024-01-10
`);
    expect((await lake.ok('test')).out).toContain('1 passed, 0 failed');
    const again = await lake.run('create_test', 's.m', '--query', 's.src', 'FROM s.src');
    expect(again.code).toBe(2);
    expect(again.err).toContain('tests/test_m.yaml is there already');
    await lake.ok('create_test', 's.m', '--path', 'other', '--name', 'test_other');
    expect(lake.read('tests/other.yaml')).toMatch(/^test_other:\n {2}model: s\.m\n {2}inputs: \{\}/);
  });

  test('says what is wrong with a query, or with what it is for', async () => {
    const lake = project({});
    await lake.ok('apply', '-y');
    expect((await lake.run('create_test', 's.m', '--query', 's.src', 'FROM s.nowhere')).err).toContain(
      'SL0210  s.src: ',
    );
    expect((await lake.run('create_test', 's.m', '--query', 's.other', 'FROM s.src')).err).toContain(
      's.m does not read s.other',
    );
    expect((await lake.run('create_test', 's.m', '--query', 's.src')).code).toBe(2);
  });
});
