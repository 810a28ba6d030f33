import { describe, expect, test } from 'vitest';
import { defaultConfig, parseConfig } from '../../src/parse/config.js';
import { parseExternalModels } from '../../src/parse/external-models.js';
import { parseUnitTests } from '../../src/parse/unit-test-file.js';
import { errorsOf, inShort, modelDefaults, succeeded, textFile } from '../support/project-text.js';

describe('the configuration', () => {
  const config = (text: string) => succeeded(parseConfig(textFile(text, 'scilake.yaml')));
  const problems = (text: string): readonly string[] =>
    errorsOf(parseConfig(textFile(text, 'scilake.yaml'))).map(inShort);

  test.each(['', '# nothing\n', '{}'])('of %j is the defaults', (text) => {
    expect(config(text)).toEqual(defaultConfig);
  });

  test('overrules the defaults one by one', () => {
    const text =
      "name: mine\nmodel_defaults:\n  start: '2024-01-01'\n  kind: FULL\n  cron: '@hourly'\n  owner: me\nlake:\n  data: /data\ntests: checks\ndefault_target_environment: dev\nvariables:\n  n: 3\n  on: true\n  who: x\nconvert:\n  sort_memory_mb: 256\n  memory_mb: 2000\n  at_once: 2\ningest:\n  at_once: 3\n  bandwidth_mb: 20\nsettings:\n  threads: 2\n";
    expect(config(text)).toEqual({
      ...defaultConfig,
      name: 'mine',
      modelDefaults: {
        ...defaultConfig.modelDefaults,
        start: '2024-01-01',
        kind: 'FULL',
        cron: '@hourly',
        owner: 'me',
      },
      lake: { ...defaultConfig.lake, data: '/data' },
      ingest: { atOnce: 3, bandwidthMb: 20 },
      tests: 'checks',
      defaultTargetEnvironment: 'dev',
      variables: { n: 3, on: true, who: 'x' },
      convert: { sortMemoryMb: 256, memoryMb: 2000, atOnce: 2 },
      settings: { threads: '2' },
    });
  });

  test.each([
    ['an unknown setting', 'name: a\nmodel_default:\n  start: x\n', ['2:1+13 SL0108 unknown setting "model_default"']],
    [
      'an unknown setting of a section',
      'model_defaults:\n  strat: x\n',
      ['2:3+5 SL0108 unknown setting "model_defaults.strat"'],
    ],
    ['a section that is a value', 'lake: x\n', ['1:1+4 SL0108 "lake" holds settings, one to a line']],
    ['a value that is a section', 'name:\n  a: 1\n', ['1:1+4 SL0108 "name" is a single value']],
    ['a setting of DuckDB that is a list', 'settings:\n  a: [1]\n', ['2:3+1 SL0108 "settings.a" is a single value']],
    [
      'a cron that is none',
      "model_defaults:\n  cron: 'x'\n",
      ['2:3+4 SL0108 "x" is no cron: a cron has five fields: minute, hour, day of month, month, day of week'],
    ],
    [
      'a SQLite catalog',
      'lake:\n  catalog: sqlite:lake.db\n',
      ['2:3+7 SL0108 a SQLite catalog is refused: a third of concurrent transactions on it fail'],
    ],
    [
      'a catalog that is neither a file nor PostgreSQL',
      'lake:\n  catalog: mysql://host/x\n',
      ['2:3+7 SL0108 the catalog is a file or a PostgreSQL database'],
    ],
    [
      'a database without a name',
      'lake:\n  catalog: postgres://host\n',
      ['2:3+7 SL0108 this is no address of a database'],
    ],
    [
      'a password in the address of the catalog',
      'lake:\n  catalog: postgres://a:b@host/x\n',
      ['2:3+7 SL0108 the address of the catalog holds a password'],
    ],
    [
      'a memory that is no number of megabytes',
      "convert:\n  sort_memory_mb: '1 GB'\n",
      ['2:3+14 SL0108 "convert.sort_memory_mb" is a number of megabytes, at least 1'],
    ],
    ['a list', '- a\n', ['1:1+3 SL0108 scilake.yaml holds settings, one to a line']],
  ])('refuses %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('takes what the environment says first', () => {
    const file = textFile("name: a\nmodel_defaults:\n  start: '2024-01-01'\n", 'scilake.yaml');
    const overruled = succeeded(
      parseConfig(file, {
        SCILAKE__MODEL_DEFAULTS__START: '2025-01-01',
        SCILAKE__LINTER__ENABLED: 'true',
        PATH: '/bin',
      }),
    );
    expect(overruled).toMatchObject({ name: 'a', modelDefaults: { start: '2025-01-01' }, linter: { enabled: true } });
  });

  test('keeps header properties for all models as they would stand in a header', () => {
    const { modelDefaults } = config(
      'model_defaults:\n  audits: [not_null(columns := (id)), forall(criteria := (a))]\n',
    );
    expect(modelDefaults.properties.audits?.tokens.map((token) => token.text).join('')).toBe(
      '(not_null(columns:=(id)),forall(criteria:=(a)))',
    );
  });

  test('finds several errors in one go, each with what was probably meant', () => {
    const errors = errorsOf(parseConfig(textFile('nmae: a\nlake:\n  catalogue: x\n')));
    expect(errors.map((error) => error.hint)).toEqual(
      expect.arrayContaining(['did you mean "name"?', 'did you mean "catalog"?']),
    );
  });

  test('that is no YAML is located', () => {
    expect(problems('name: a\nlake: [1\n')[0]).toMatch(/^[23]:\d+\+\d+ SL0108 /);
  });

  test.each(['C:\\lake\\x.ducklake', 'lake/x.ducklake', '/abs/x.db'])('takes the path %s as a catalog', (catalog) => {
    expect(config(`lake:\n  catalog: '${catalog}'\n`).lake.catalog).toBe(catalog);
  });
});

describe('external models', () => {
  const models = (text: string) =>
    succeeded(parseExternalModels(textFile(text, 'external_models.yaml'), modelDefaults));
  const problems = (text: string): readonly string[] =>
    errorsOf(parseExternalModels(textFile(text, 'external_models.yaml'), modelDefaults)).map(inShort);

  test('say what columns a table has', () => {
    const [model] = models(
      '- name: raw.Orders\n  description: theirs\n  columns:\n    id: INTEGER\n    price: DECIMAL(10,2)\n',
    );
    expect(model).toMatchObject({
      key: 'raw.orders',
      kind: { name: 'EXTERNAL', storage: 'outside' },
      description: 'theirs',
      declaredColumns: [
        { name: 'id', type: 'INTEGER' },
        { name: 'price', type: 'DECIMAL(10,2)' },
      ],
    });
  });

  test('may name their catalog and quote their parts', () => {
    expect(models(`- name: '"lake"."raw"."orders"'\n  columns: {id: INTEGER}\n`)[0]?.key).toBe('raw.orders');
  });

  test('of an empty file are none', () => {
    expect(models('')).toEqual([]);
  });

  test.each([
    ['a mapping', 'name: raw.a\n', ['1:1+11 SL0105 expected a list of tables']],
    [
      'an entry that is no table',
      '- name: raw.a\n  columns: {id: INT}\n- raw.b\n',
      ['3:3+5 SL0105 expected name and columns'],
    ],
    ['a table without a name', '- columns: {id: INT}\n', ['1:3+18 SL0105 a table needs its name']],
    ['a name of one part', '- name: orders\n  columns: {id: INT}\n', ['1:3+12 SL0105 a table needs its name']],
    [
      'a column without a type',
      '- name: raw.a\n  columns:\n    id:\n      type: INT\n',
      ['3:5+2 SL0105 column "id" of raw.a needs its type'],
    ],
    [
      'an unknown property',
      '- name: raw.a\n  column: x\n  columns: {id: INT}\n',
      ['2:3+6 SL0105 unknown property "column"'],
    ],
  ])('refuse %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});

describe('unit tests of models', () => {
  const tests = (text: string) => succeeded(parseUnitTests(textFile(text, 'tests/t.yaml')));
  const problems = (text: string): readonly string[] =>
    errorsOf(parseUnitTests(textFile(text, 'tests/t.yaml'))).map(inShort);
  const minimal = 'model: s.m\n  outputs:\n    query:\n      rows:\n      - a: 1\n';

  test('hold rows for each table that is read, and the rows that must come out', () => {
    const [one] = tests(
      'test_it:\n  model: S.M\n  description: why\n  inputs:\n    S.A:\n      rows:\n      - {id: 1, l: [1, 2], s: {x: null}}\n    s.b:\n    - id: 2\n    s.c:\n      query: SELECT 1 AS id\n  outputs:\n    partial: true\n    query:\n      rows:\n      - {id: 1}\n  vars:\n    start: 2024-01-01\n    N: 3\n',
    );
    expect(one).toMatchObject({
      name: 'test_it',
      model: 's.m',
      description: 'why',
      inputs: {
        's.a': { rows: { type: 'rows', rows: [{ id: 1, l: [1, 2], s: { x: null } }] }, columns: {} },
        's.b': { rows: { type: 'rows', rows: [{ id: 2 }] } },
        's.c': { rows: { type: 'query', sql: 'SELECT 1 AS id' } },
      },
      expected: { rows: { type: 'rows', rows: [{ id: 1 }] }, isPartial: true },
      variables: { start: '2024-01-01', n: 3 },
    });
    expect(one?.location).toMatchObject({ line: 1, column: 1, length: 7 });
  });

  test('may expect a query’s rows', () => {
    expect(tests('t:\n  model: s.m\n  outputs:\n    query:\n      query: SELECT 1 AS a\n')[0]?.expected).toEqual({
      rows: { type: 'query', sql: 'SELECT 1 AS a' },
      isPartial: false,
    });
  });

  test('of an empty file are none', () => {
    expect(tests('# later\n')).toEqual([]);
  });

  test.each([
    ['a list', '- model: s.m\n', ['1:1+12 SL0806 a file of unit tests holds tests by name']],
    ['a test that is a value', 't: 1\n', ['1:1+1 SL0806 test "t" holds model, inputs and outputs']],
    [
      'a test without a model',
      't:\n  outputs: {query: {rows: []}}\n',
      ['1:1+1 SL0806 test "t" does not say which model it tests'],
    ],
    ['a test without expected rows', 't:\n  model: s.m\n', ['1:1+1 SL0806 test "t" has no expected rows']],
    [
      'expected rows that are no rows',
      't:\n  model: s.m\n  outputs:\n    query:\n      rows: [1, 2]\n',
      ['1:1+1 SL0806 test "t" has no expected rows'],
    ],
    [
      'an input without rows',
      `t:\n  inputs:\n    s.a: 3\n  ${minimal}`,
      ['1:1+1 SL0806 input s.a of test "t" has neither rows nor a query'],
    ],
    ['an unknown property', `t:\n  input: {}\n  ${minimal}`, ['2:3+5 SL0806 unknown property "input" in t']],
    [
      'rows as text of an unknown form',
      `t:\n  inputs:\n    s.a: {format: json, rows: '[]'}\n  ${minimal}`,
      ['1:1+1 SL0806 input s.a of test "t": format is yaml or csv, not json'],
    ],
  ])('refuse %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
