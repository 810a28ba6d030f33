import { afterEach, beforeAll, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { openShadowCatalog } from '../../src/effects/shadow-catalog.js';
import { loadSqlPrinter } from '../../src/effects/sql-printer.js';
import { readPlan } from '../../src/lineage/read-plan.js';
import { formatStatement, type SqlPrinter } from '../../src/parse/format/statement.js';
import { lineageCases, setupOf } from '../lineage/cases.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

let print: SqlPrinter;
beforeAll(async () => {
  print = await loadSqlPrinter();
});

const untidy =
  'model(name s.a, kind FULL, audits(not_null(columns:=(id)))); select id, -- the key\n mag*2 as twice from s.src where ds>=@start_ds;';
const tidy = `MODEL (
  name s.a,
  kind FULL,
  audits (not_null(columns := (id)))
);

SELECT
  id, -- the key
  mag * 2 AS twice
FROM
  s.src
WHERE
  ds >= @start_ds;
`;
const source =
  "MODEL (\n  name s.src,\n  kind FULL\n);\n\nSELECT\n  1::INT AS id,\n  10::DOUBLE AS mag,\n  '2024-01-02' AS ds;\n";

test('format lays files out once, and says nothing more afterwards', async () => {
  rig = makeRig({ 'models/a.sql': untidy, 'models/src.sql': source });
  const first = await rig.ok('format', '--json');
  expect(first.json()).toMatchObject({ checked: 2, changed: ['models/a.sql'], written: true, diagnostics: [] });
  expect(rig.read('models/a.sql')).toBe(tidy);
  expect((await rig.ok('format')).out).toBe('2 files looked at, 0 changed\n');
});

test('format --check writes nothing and ends with 1 where a file is not laid out', async () => {
  rig = makeRig({ 'models/a.sql': untidy, 'models/src.sql': source });
  const outcome = await rig.run('format', '--check');
  expect(outcome.code).toBe(1);
  expect(outcome.out).toBe('would change  models/a.sql\n2 files looked at, 1 to change\n');
  expect(rig.read('models/a.sql')).toBe(untidy);
  expect((await rig.run('format', '--check', 'models/src.sql')).code).toBe(0);
});

test('what format changed is no change of meaning: nothing is built again', async () => {
  rig = makeRig({ 'models/a.sql': untidy, 'models/src.sql': source });
  await rig.ok('apply');
  await rig.ok('format');
  const plan = (await rig.ok('plan', '--json')).json<{
    changes: readonly { category: string }[];
    steps: readonly { type: string }[];
  }>();
  expect(plan.changes.map((change) => change.category)).toEqual(['metadata']);
  expect(plan.steps.map((step) => step.type)).toEqual(['promote']);
});

test('format lays out the files of a project that does not bind', async () => {
  rig = makeRig({ 'models/a.sql': untidy });
  await rig.ok('format');
  expect(rig.read('models/a.sql')).toBe(tidy);
});

test('format leaves a file alone that says so, and one that it cannot read', async () => {
  const off = 'MODEL (name s.b, formatting false);   select 1 as x';
  const open = "MODEL (name s.c);\nselect 'x";
  rig = makeRig({ 'models/b.sql': off, 'models/c.sql': open });
  const outcome = await rig.run('format');
  expect(outcome.code).toBe(1);
  expect(outcome.err).toContain('models/c.sql:2:8');
  expect([rig.read('models/b.sql'), rig.read('models/c.sql')]).toEqual([off, open]);
});

test('format takes no file from elsewhere', async () => {
  rig = makeRig({});
  expect((await rig.run('format', 'models/none.sql')).code).toBe(2);
});

test.each(lineageCases)('a formatted query has the bound plan of the one before: $name', async (one) => {
  rig = makeRig({});
  const shadow = await openShadowCatalog(duckdb, rig.folder);
  try {
    for (const statement of setupOf(one)) await shadow.database.run(statement);
    const formatted = formatStatement(one.sql, print);
    if (formatted.type === 'kept') throw new Error(formatted.why);
    const [before, after] = [await shadow.bind(one.sql), await shadow.bind(formatted.sql)];
    expect(after.type).toBe(before.type);
    if (before.type === 'error' || after.type === 'error') throw new Error('the case does not bind');
    expect(after.columns).toEqual(before.columns);
    if (before.type === 'bound' && after.type === 'bound')
      expect(readPlan(after.plan, after.columns, 'q')).toEqual(readPlan(before.plan, before.columns, 'q'));
  } finally {
    shadow.close();
  }
});
