import { afterEach, describe, expect, test } from 'vitest';
import { LAKE } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { lintRules } from '../../src/lint/index.js';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig | undefined;
afterEach(() => rig?.dispose());

const config = (linter: string) => `model_defaults: {start: '2024-01-01'}\nlinter: ${linter}\n`;

function project(
  model: string,
  linter = '{enabled: true, rules: ALL}',
  files: Readonly<Record<string, string>> = {},
): Rig {
  rig = makeRig({
    'scilake.yaml': config(linter),
    'models/s/src.sql': SOURCE_MODEL.replace('kind FULL', 'kind FULL, ignored_rules ALL'),
    'models/s/m.sql': model,
    ...files,
  });
  return rig;
}

interface Findings {
  readonly findings: readonly {
    readonly rule: string;
    readonly code: string;
    readonly severity: string;
    readonly isFixable: boolean;
    readonly location: { readonly line: number; readonly column: number; readonly length: number };
  }[];
}

const findings = async (lake: Rig, ...argv: readonly string[]): Promise<readonly string[]> =>
  (await lake.run('lint', '--json', ...argv))
    .json<Findings>()
    .findings.map(({ rule, location: { line, column, length } }) => `${rule} ${line}:${column}+${length}`);

const model = (query: string, header = '') => `MODEL (name s.m, kind FULL${header});\n${query}`;
const only = (rule: string) => `{enabled: true, rules: [${rule}]}`;

describe('a rule of the linter', () => {
  test.each([
    ['noselectstar', 'SELECT * FROM s.src', ['noselectstar 2:8+1']],
    ['noselectstar', 'SELECT id, t.* EXCLUDE (id) FROM s.src AS t', ['noselectstar 2:14+1']],
    ['noselectstar', 'FROM s.src', ['noselectstar 2:1+4']],
    ['noselectstar', 'WITH a AS (SELECT * FROM s.src) SELECT id * 2 AS id FROM a', []],
    ['invalidselectstarexpansion', 'SELECT * FROM s.src', []],
    ['nomissingaudits', 'SELECT id FROM s.src', ['nomissingaudits 1:1+5']],
    ['nomissingunittest', 'SELECT id FROM s.src', ['nomissingunittest 1:1+5']],
    [
      'noambiguousprojections',
      'SELECT count(*), max(mag) AS top, min(id) low, id + 1 AS "a b" FROM s.src GROUP BY id',
      ['noambiguousprojections 2:8+8'],
    ],
    ['noambiguousprojections', 'SELECT id, src.mag FROM s.src', []],
    [
      'nofilereaders',
      "SELECT a FROM read_csv('d.csv') UNION ALL SELECT a FROM 'd.csv'",
      ['nofilereaders 2:15+8', 'nofilereaders 2:57+7'],
    ],
    ['novolatilefunctions', 'SELECT id, random() AS r FROM s.src', ['novolatilefunctions 2:12+6']],
    ['novolatilefunctions', 'SELECT id, hash(id) AS r FROM s.src', []],
    ['nomissingexternalmodels, ambiguousorinvalidcolumn', 'SELECT id FROM s.src', []],
  ])('%s: %s', async (rule, query, expected) => {
    expect(await findings(project(model(query), only(rule), { 'd.csv': 'a\n1\n' }))).toEqual(expected);
  });

  test('invalidselectstarexpansion looks at what is known only later', async () => {
    const lake = project(model("SELECT * FROM read_csv('d.csv')"), only('invalidselectstarexpansion'), {
      'd.csv': 'a\n1\n',
    });
    expect(await findings(lake)).toEqual(['invalidselectstarexpansion 2:8+1']);
  });

  test('has a name and a code of its own', () => {
    for (const part of ['name', 'code'] as const)
      expect(new Set(lintRules.map((rule) => rule[part])).size).toBe(lintRules.length);
  });
});

describe('the configuration', () => {
  const query = 'SELECT * FROM s.src';

  test('says what is an error and what a warning', async () => {
    const lake = project(model(query), '{enabled: true, rules: [noselectstar], warn_rules: [nomissingaudits]}');
    const { code, err } = await lake.run('lint');
    expect(code).toBe(1);
    expect(err).toContain('models/s/m.sql:2:8  error SL0901  s.m takes whatever columns there are (noselectstar)');
    expect(err).toContain('warning SL0905  s.m has no audit (nomissingaudits)');
    lake.write({
      'scilake.yaml': config('{enabled: true, rules: ALL, ignored_rules: [noselectstar, nomissingunittest]}'),
    });
    expect(await findings(lake)).toEqual(['nomissingaudits 1:1+5']);
  });

  test('gives way to the model', async () => {
    const lake = project(model(query, ", ignored_rules ('noselectstar', nomissingaudits)"));
    expect(await findings(lake)).toEqual(['nomissingunittest 1:1+5']);
  });

  test('without rules has all of them warn when the linter is asked', async () => {
    const lake = project(model(query), '{}');
    const { code, err } = await lake.run('lint');
    expect(code).toBe(0);
    expect(err).toContain('warning SL0901');
    expect((await lake.ok('plan')).err).toBe('');
  });

  test('cannot name a rule that does not exist', async () => {
    const { code, err } = await project(model(query), only('noselectstars')).run('lint');
    expect(code).toBe(1);
    expect(err).toContain('SL0900  the linter has no rule "noselectstars"');
    expect(err).toContain('did you mean "noselectstar"?');
  });
});

test('errors of the linter block a plan, warnings are shown', async () => {
  const lake = project(
    model('SELECT * FROM s.src'),
    '{enabled: true, rules: [noselectstar], warn_rules: [nomissingaudits]}',
  );
  for (const command of ['plan', 'apply']) {
    const { code, err } = await lake.run(command, '-y');
    expect(code).toBe(1);
    expect(err).toContain('SL0901');
  }
  await lake.ok('apply', '-y', '--skip-linter');
  lake.write({ 'models/s/m.sql': model('SELECT id FROM s.src') });
  expect((await lake.ok('plan')).err).toContain('warning SL0905');
});

test('models are selected by name', async () => {
  const lake = project(model('SELECT id FROM s.src'), only('nomissingaudits'), {
    'models/s/n.sql': 'MODEL (name s.n, kind FULL);\nSELECT 1 AS a',
  });
  expect(await findings(lake, 's.n')).toHaveLength(1);
  expect(await findings(lake)).toHaveLength(2);
  expect((await lake.run('lint', 's.x')).code).toBe(2);
});

describe('--fix', () => {
  test.each([
    ['SELECT * FROM s.src', 'SELECT id, mag, cls, ds FROM s.src'],
    ['SELECT 1 AS a, t.*, 2 AS b FROM s.src AS t', 'SELECT 1 AS a, t.id, t.mag, t.cls, t.ds, 2 AS b FROM s.src AS t'],
    [
      'SELECT * FROM (SELECT 1 AS "Group", 2 AS "select", 3 AS plain)',
      'SELECT "Group", "select", plain FROM (SELECT 1 AS "Group", 2 AS "select", 3 AS plain)',
    ],
    ['/* all */ SELECT\n  *\nFROM s.src', '/* all */ SELECT\n  id, mag, cls, ds\nFROM s.src'],
  ])('names the columns of %s', async (before, after) => {
    const lake = project(model(before), only('noselectstar'));
    await lake.ok('apply', '-y', '--skip-linter');
    const { out } = await lake.ok('lint', '--fix');
    expect(out).toBe('fixed models/s/m.sql\nNothing to find fault with.\n');
    expect(lake.read('models/s/m.sql')).toBe(model(after));
    // It means what it meant.
    const { changes } = (await lake.ok('plan', '--json')).json<{ changes: readonly { category: string }[] }>();
    expect(changes).toMatchObject([{ category: 'metadata', reused: true }]);
  });

  test.each(['SELECT * EXCLUDE (id) FROM s.src', 'SELECT COLUMNS(*) FROM s.src', 'FROM s.src'])(
    'leaves %s alone',
    async (query) => {
      const lake = project(model(query), only('noselectstar'));
      const before = lake.read('models/s/m.sql');
      expect((await lake.run('lint', '--fix')).code).toBe(1);
      expect(lake.read('models/s/m.sql')).toBe(before);
    },
  );

  test('declares tables that the lake has and the project does not', async () => {
    const lake = project(model('SELECT id FROM s.src'), only('noselectstar'));
    await lake.ok('apply', '-y');
    const database = await duckdb.open();
    const folder = `${lake.folder}/.scilake/lake`;
    await database.run(
      `LOAD ducklake; ATTACH 'ducklake:${folder}/catalog.ducklake' AS ${LAKE} (DATA_PATH '${folder}/data/', OVERRIDE_DATA_PATH true)`,
    );
    await database.run(
      `CREATE SCHEMA ${LAKE}.raw; CREATE TABLE ${LAKE}.raw.orders (id INTEGER, day DATE); DETACH ${LAKE}`,
    );
    database.close();
    lake.write({ 'models/s/m.sql': model('SELECT id, day FROM raw.orders') });
    expect((await lake.run('lint')).err).toContain('SL0203');
    expect((await lake.ok('lint', '--fix')).out).toContain('fixed external_models.yaml');
    expect(lake.read('external_models.yaml')).toBe('- name: raw.orders\n  columns:\n    id: INTEGER\n    day: DATE\n');
    await lake.ok('apply', '-y');
  });
});
