import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

const config = `gateways:
  local:
    connection:
      type: duckdb
      database: warehouse.db
default_gateway: local
model_defaults:
  dialect: duckdb
  start: 2024-01-01
  cron: '@daily'
linter:
  enabled: true
  rules: [ambiguousorinvalidcolumn]
`;

/** Of the shape that SQLMesh's scaffold has, in our own words. */
const project = {
  'config.yaml': config,
  'seeds/visits.csv': 'visit,site,day\n1,a,2024-01-02\n2,a,2024-01-03\n3,b,2024-01-04\n',
  'models/seed_visits.sql':
    "MODEL (name lab.seed_visits, kind SEED (path '../seeds/visits.csv'), columns (visit INT, site TEXT, day DATE), grain (visit));",
  'models/daily.sql': `MODEL (name lab.daily, kind INCREMENTAL_BY_TIME_RANGE (time_column day), grain (visit));
SELECT visit, site, day, FROM lab.seed_visits WHERE day BETWEEN @start_date AND @end_date`,
  'models/sites.sql': `MODEL (name lab.sites, kind FULL, cron '@daily', grain site, audits (assert_known_site),);
SELECT site, COUNT(DISTINCT visit) AS visits, FROM lab.daily GROUP BY site`,
  'audits/assert_known_site.sql':
    "AUDIT (name assert_known_site,);\nSELECT * FROM @this_model WHERE site NOT IN ('a', 'b')",
  'tests/test_sites.yaml': `test_sites:
  model: lab.sites
  inputs:
    lab.daily:
      rows: [{visit: 1, site: a}, {visit: 2, site: a}]
  outputs:
    query:
      rows: [{site: a, visits: 2}]
`,
  'macros/__init__.py': '',
};

function sqlmeshRig(files: Readonly<Record<string, string>> = {}): Rig {
  const made = makeRig({ ...project, ...files });
  made.remove('scilake.yaml');
  return made;
}

async function makeWarehouse(file: string, statements: readonly string[]): Promise<void> {
  const database = await duckdb.open({ path: file });
  for (const statement of statements) await database.run(statement);
  database.close();
}

describe('a project of SQLMesh', () => {
  test('runs unchanged: config.yaml, seeds, incremental models, audits and unit tests', async () => {
    rig = sqlmeshRig();
    expect((await rig.ok('test')).out).toContain('1');
    await rig.ok('apply');
    expect(await rig.rows('SELECT * FROM lab.sites ORDER BY site')).toEqual([
      { site: 'a', visits: 2 },
      { site: 'b', visits: 1 },
    ]);
  });

  test('says in one warning which settings are not followed, and still knows which do not exist', async () => {
    rig = sqlmeshRig({ 'config.yaml': `${config}users: []\nlog_limit: 5\ncicd_bot: {type: github}\n` });
    const outcome = await rig.ok('plan');
    const warnings = outcome.err.split('\n').filter((line) => line.includes('SL0132'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('change nothing here: users, log_limit; these do not carry over: cicd_bot');
    rig.write({ 'config.yaml': `${config}default_gatewy: local\n` });
    expect(await rig.run('plan')).toMatchObject({
      code: 1,
      err: expect.stringContaining('did you mean "default_gateway"'),
    });
  });

  test('reads variables of the process in config.yaml', async () => {
    const text = config.replace('2024-01-01', "{{ env_var('FIRST_DAY', '2024-01-04') }}");
    rig = sqlmeshRig({ 'config.yaml': text });
    const plan = (await rig.ok('plan', '--json')).json<{ missing: Record<string, readonly string[][]> }>();
    expect(plan.missing['lab.daily']?.[0]?.[0]).toBe('2024-01-04T00:00:00Z');
  });

  test('names each Python file that does not carry over, and runs its SQL', async () => {
    rig = sqlmeshRig({
      'models/py_model.py': "@model('lab.py')\ndef execute(context, **kwargs):\n  pass\n",
      'macros/mine.py': '@macro()\ndef mine(evaluator):\n  return 1\n',
      'signals/ready.py': '@signal()\ndef ready(batch):\n  return True\n',
    });
    const { err } = await rig.ok('apply');
    for (const file of ['models/py_model.py:1:1', 'macros/mine.py:1:1', 'signals/ready.py:1:1'])
      expect(err).toContain(file);
    expect(err).not.toContain('__init__.py');
  });

  test("reads raw tables of the connection's DuckDB file, declared or not, in views too", async () => {
    rig = sqlmeshRig({
      'external_models.yaml': '- name: \'"warehouse"."raw"."sites"\'\n  description: where\n',
      'models/raw_view.sql':
        'MODEL (name lab.raw_view, kind VIEW);\nSELECT o.id, s.label FROM raw.orders AS o JOIN warehouse.raw.sites AS s USING (site)',
      'models/total.sql':
        'MODEL (name warehouse.lab.total, kind FULL);\nSELECT count(*) AS n, max(label) AS last FROM warehouse.lab.raw_view',
    });
    await makeWarehouse(path.join(rig.folder, 'warehouse.db'), [
      'CREATE SCHEMA raw',
      "CREATE TABLE raw.orders AS SELECT 1 AS id, 'a' AS site UNION ALL SELECT 2, 'b'",
      "CREATE TABLE raw.sites AS SELECT 'a' AS site, 'Alpha' AS label UNION ALL SELECT 'b', 'Beta'",
      'CREATE SCHEMA sqlmesh__lab',
    ]);
    await rig.ok('apply');
    expect(await rig.rows('FROM lab.total')).toEqual([{ n: 2, last: 'Beta' }]);
    expect(await rig.rows('FROM lab.raw_view ORDER BY id')).toEqual([
      { id: 1, label: 'Alpha' },
      { id: 2, label: 'Beta' },
    ]);
    expect((await rig.ok('evaluate', 'lab.raw_view', '--json')).json<readonly object[]>()).toHaveLength(2);
    const lineage = (await rig.ok('lineage', 'lab.total.last', '--to-sources', '--json')).json<{
      models: Record<string, { columns: object }>;
    }>();
    expect(lineage.models['lab.total']?.columns).toEqual({ last: ['raw.sites.label'] });
    expect((await rig.ok('plan', '--json')).json<{ changes: readonly object[] }>().changes).toEqual([]);
  });

  test('with a declared table whose columns nobody knows is told which', async () => {
    rig = sqlmeshRig({ 'external_models.yaml': '- name: raw.orders\n' });
    const outcome = await rig.run('plan');
    expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining('external_models.yaml:1:3') });
    expect(outcome.err).toContain('raw.orders needs its columns');
  });

  test('reads tables of several catalogs by their names', async () => {
    rig = sqlmeshRig({
      'config.yaml': config.replace(
        'database: warehouse.db',
        "catalogs:\n        main_db: ':memory:'\n        archive: {path: archive.duckdb, read_only: true}\n        far: {type: postgres, path: 'dbname=x'}",
      ),
      'models/old.sql': 'MODEL (name lab.old, kind FULL);\nSELECT id FROM archive.years.y2020',
    });
    await makeWarehouse(path.join(rig.folder, 'archive.duckdb'), [
      'CREATE SCHEMA years',
      'CREATE TABLE years.y2020 AS SELECT 7 AS id',
    ]);
    const { err } = await rig.ok('apply');
    expect(err).toContain('do not carry over: gateways.local.connection: catalog far');
    expect(await rig.rows('FROM lab.old')).toEqual([{ id: 7 }]);
  });

  test('with a connection that is not DuckDB is told so, and with a broken file, too', async () => {
    rig = sqlmeshRig({ 'config.yaml': config.replace('type: duckdb', 'type: snowflake') });
    expect((await rig.ok('plan')).err).toContain('connection of type snowflake');
    rig.write({ 'config.yaml': config, 'warehouse.db': 'no database' });
    expect(await rig.run('plan')).toMatchObject({ code: 1, err: expect.stringContaining('SL0713') });
  });
});

// Where Python and SQLMesh are, the two are compared.
const sqlmesh = process.env.SCILAKE_SQLMESH ?? '';

test.runIf(existsSync(sqlmesh))(
  "SQLMesh's own scaffold gives the tables that SQLMesh makes of it",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sqlmesh-'));
    try {
      execFileSync(sqlmesh, ['init', 'duckdb'], { cwd: folder, stdio: 'ignore' });
      execFileSync(sqlmesh, ['plan', '--auto-apply', '--no-prompts'], { cwd: folder, stdio: 'ignore' });
      const wanted = await duckdb.open({ path: path.join(folder, 'db.db'), settings: { access_mode: 'READ_ONLY' } });
      const names = ['full_model', 'incremental_model', 'seed_model'];
      const expected = await Promise.all(
        names.map((name) => wanted.table(`FROM sqlmesh_example.${name} ORDER BY ALL`)),
      );
      wanted.close();
      rig = makeRig();
      rig.remove('scilake.yaml');
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
        if (/\.(?:sql|csv|ya?ml|py)$/.test(name) && !name.includes('.cache'))
          rig.write({ [name]: readFileSync(path.join(folder, name), 'utf8') });
      await rig.ok('test');
      await rig.ok('apply', '--execution-time', new Date().toISOString());
      for (const [at, name] of names.entries()) {
        const rows = await rig.rows<Record<string, unknown>>(`FROM sqlmesh_example.${name} ORDER BY ALL`);
        expect(rows.map((row) => Object.values(row).map(String))).toEqual(
          expected[at]?.rows.map((row) => row.map(String)),
        );
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
