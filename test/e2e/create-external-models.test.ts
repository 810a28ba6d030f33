import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

const settings =
  "name: test\nmodel_defaults:\n  start: '2024-01-01'\ngateways:\n  local:\n    connection: {type: duckdb, database: raw.db}\n";

async function makeFile(statements: readonly string[]): Promise<void> {
  const database = await duckdb.open({ path: path.join(rig.folder, 'raw.db') });
  for (const statement of statements) await database.run(statement);
  database.close();
}

test('create_external_models declares what models read from attached files, once', async () => {
  rig = makeRig({
    'scilake.yaml': settings,
    'models/a.sql': 'MODEL (name s.a, kind FULL);\nWITH c AS (SELECT 1 AS one) SELECT * FROM c, shop.orders, s.b',
    'models/b.sql': 'MODEL (name s.b, kind FULL);\nSELECT key FROM shop.customers',
  });
  await makeFile([
    'CREATE SCHEMA shop',
    'CREATE TABLE shop.orders (id INTEGER, "unit price" DECIMAL(10,2), tags VARCHAR[])',
    'CREATE TABLE shop.customers (key VARCHAR)',
    'CREATE TABLE shop.unread (x INTEGER)',
  ]);
  const first = await rig.ok('create_external_models', '--json');
  expect(first.json()).toEqual({
    file: 'external_models.yaml',
    added: ['shop.customers', 'shop.orders'],
    updated: [],
    missing: [],
  });
  expect(rig.read('external_models.yaml')).toBe(`- name: shop.customers
  columns:
    key: VARCHAR
- name: shop.orders
  columns:
    id: INTEGER
    unit price: DECIMAL(10,2)
    tags: VARCHAR[]
`);
  const again = rig.read('external_models.yaml');
  expect((await rig.ok('create_external_models')).out).toContain('has all');
  expect(rig.read('external_models.yaml')).toBe(again);
  await rig.ok('apply');
});

test('create_external_models keeps comments, order and words of what is declared, and brings columns up to date', async () => {
  const before = `# tables of the shop
- name: '"raw"."shop"."orders"' # the main one
  description: all orders
  owner: me
  columns:
    id: INTEGER # its key
    gone: TEXT
- name: far.away
  columns: {x: INT}
`;
  rig = makeRig({
    'scilake.yaml': settings,
    'external_models.yaml': before,
    'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id FROM shop.orders',
  });
  await makeFile(['CREATE SCHEMA shop', 'CREATE TABLE shop.orders (id INTEGER, fresh DATE)']);
  const outcome = await rig.ok('create_external_models', '--json');
  expect(outcome.json()).toMatchObject({ added: [], updated: ['shop.orders'], missing: [{ code: 'SL0134' }] });
  expect(rig.read('external_models.yaml')).toBe(`# tables of the shop
- name: '"raw"."shop"."orders"' # the main one
  description: all orders
  owner: me
  columns:
    id: INTEGER # its key
    fresh: DATE
- name: far.away
  columns: { x: INT }
`);
});

test('create_external_models finds tables in the lake, and says at which model one is read that is nowhere', async () => {
  rig = makeRig({
    'models/kept.sql': "MODEL (name kept.table_a, kind FULL);\nSELECT 1 AS id, DATE '2024-01-01' AS day",
  });
  await rig.ok('apply');
  rig.remove('models/kept.sql');
  rig.write({ 'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id FROM kept.table_a JOIN no.where USING (id)' });
  const strict = await rig.run('create_external_models', '--strict');
  expect(strict).toMatchObject({ code: 1, err: expect.stringContaining('models/a.sql:1:1  error SL0134  no.where') });
  expect(() => rig.read('external_models.yaml')).toThrow();
  expect((await rig.ok('create_external_models', '--json')).json()).toMatchObject({
    added: ['kept.table_a'],
    missing: [{ code: 'SL0134' }],
  });
  expect(rig.read('external_models.yaml')).toBe('- name: kept.table_a\n  columns:\n    id: INTEGER\n    day: DATE\n');
});

test('create_external_models leaves out sources and what other files declare', async () => {
  rig = makeRig({
    'sources/cells.sql': "SOURCE (name cells, uri 'cells.csv');",
    'sources/cells.csv': 'id\n1\n',
    'external_models/other.yaml': '- name: other.t\n  columns: {id: INT}\n',
    'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id FROM cells.cells JOIN other.t USING (id)',
  });
  expect((await rig.ok('create_external_models', '--json')).json()).toMatchObject({
    added: [],
    updated: [],
    missing: [],
  });
});
