import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

const declared = (audits: string): string =>
  `- name: shop.orders\n  columns: {id: INTEGER, price: INTEGER}\n  audits:\n${audits}`;

async function writeOrders(rows: string): Promise<void> {
  const database = await duckdb.open({ path: path.join(rig.folder, 'raw.db') });
  await database.run('CREATE SCHEMA IF NOT EXISTS shop');
  await database.run(`CREATE OR REPLACE TABLE shop.orders AS FROM (VALUES ${rows}) AS v(id, price)`);
  database.close();
}

async function makeShop(audits: string): Promise<void> {
  rig = makeRig({
    'scilake.yaml':
      "name: test\nmodel_defaults:\n  start: '2024-01-01'\ngateways:\n  local:\n    connection: {type: duckdb, database: raw.db}\n",
    'external_models.yaml': declared(audits),
    'models/seen.sql': 'MODEL (name s.seen, kind VIEW);\nSELECT * FROM shop.orders',
    'models/total.sql': "MODEL (name s.total, kind FULL, cron '@daily');\nSELECT sum(price) AS total FROM s.seen",
  });
  await writeOrders('(1, 10), (2, NULL)');
}

const steps = async (...argv: readonly string[]): Promise<readonly string[]> =>
  (await rig.ok('plan', '--json', ...argv))
    .json<{ steps: readonly { readonly type: string; readonly model?: string }[] }>()
    .steps.map(({ type, model }) => `${type} ${model ?? ''}`.trim());

test('audits of a table that somebody else keeps come before what is built from it, and hold it up', async () => {
  await makeShop('    - name: not_null\n      columns: "(id, price)"\n');
  expect(await steps()).toEqual([
    'audit shop.orders',
    'create s.seen',
    'backfill s.seen',
    'create s.total',
    'backfill s.total',
    'promote',
  ]);
  const failed = await rig.run('apply');
  expect(failed.code).toBe(1);
  expect(failed.err).toContain('not_null');
  expect(failed.err).toContain('external_models.yaml:4:13');
  expect((await rig.run('query', 'FROM s.total')).code).not.toBe(0);

  await writeOrders('(1, 10), (2, 20)');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.total')).toEqual([{ total: 30 }]);
  expect(await steps()).toEqual([]);
});

test('they run again when they change, and when what reads the table is built again', async () => {
  await makeShop('    - {name: number_of_rows, threshold: 1}\n');
  await rig.ok('apply');
  rig.write({ 'external_models.yaml': declared('    - name: unique_values\n      columns: [id]\n') });
  expect(await steps()).toEqual(['audit shop.orders']);
  await rig.ok('apply');
  expect(await steps()).toEqual([]);
  expect(await steps('--restate-model', 's.total')).toContain('audit shop.orders');
  rig.write({ 'models/total.sql': 'MODEL (name s.total, kind FULL);\nSELECT max(price) AS total FROM s.seen' });
  expect((await steps())[0]).toBe('audit shop.orders');
});

test('they run with scilake audit, in a run when they are due, and warn where they do not block', async () => {
  await makeShop('    - not_null_non_blocking\n');
  const wrong = await rig.run('plan');
  expect(wrong.err).toContain('external_models.yaml:4:7');
  rig.write({ 'external_models.yaml': declared('    - {name: not_null_non_blocking, columns: [price]}\n') });
  await rig.ok('apply');
  const found = (await rig.run('audit', 'shop.orders', '--json')).json<{
    results: readonly { readonly audit: string; readonly model: string; readonly status: string }[];
  }>();
  expect(found.results).toMatchObject([{ audit: 'not_null_non_blocking', model: 'shop.orders', status: 'warned' }]);
  expect((await rig.ok('run', '--execution-time', '2024-01-10 18:00:00')).err).not.toContain('not_null');
  expect((await rig.ok('run', '--execution-time', '2024-01-11 01:00:00')).err).toContain('not_null');
});

test('those that are skipped run never', async () => {
  await makeShop('    - {name: odd_price}\n');
  rig.write({ 'audits/odd.sql': 'AUDIT (name odd_price, skip true);\nSELECT * FROM @this_model WHERE price % 2 = 1' });
  await rig.ok('apply');
  expect(await steps()).toEqual([]);
});

test('what is wrong with them is said where it stands', async () => {
  await makeShop('    - name: no_such_audit\n    - columns: [id]\n    - name: not_null\n      colums: [id]\n');
  const { err, code } = await rig.run('plan');
  expect(code).toBe(1);
  expect(err).toContain('external_models.yaml:5:7');
});
