import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const model = 'MODEL (name s.m, kind FULL);\nSELECT * FROM a.a';

/** A source whose first load has the whole numbers `id` and `x`. */
async function firstLoad(contract: string): Promise<void> {
  rig = makeRig({
    'sources/a.sql': `SOURCE (name a, uri 'a.csv', contract ${contract});`,
    'sources/a.csv': 'id,x\n1,10\n2,20\n',
    'models/m.sql': model,
  });
  await rig.ok('apply');
}

const change = (csv: string): void => rig.write({ 'sources/a.csv': csv });

interface PlanDocument {
  readonly sources: readonly { readonly schema: readonly string[]; readonly discarded: readonly string[] }[];
  readonly steps: readonly unknown[];
}

test('values that do not fit are left out: new columns, other types; a column that is gone stays', async () => {
  await firstLoad('discard');
  change('id,batch,x\n1,p,0.5\n2,,7\n3,q,n\n');
  const planned = (await rig.ok('plan', '--json')).json<PlanDocument>();
  expect(planned.sources).toMatchObject([{ schema: [], discarded: ['+ a.batch VARCHAR', '~ a.x BIGINT -> VARCHAR'] }]);
  expect((await rig.ok('plan')).out).toContain('+ a.batch VARCHAR  (left out by the contract)');
  const applied = await rig.ok('apply');
  expect(applied.err).toMatch(/SL0600.*2 values of column "x" are no BIGINT: left out/);
  expect(applied.err).toMatch(/SL0600.*2 values of column "batch", which is new: left out/);
  expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([
    { id: 1, x: null },
    { id: 2, x: 7 },
    { id: 3, x: null },
  ]);
  expect((await rig.ok('plan', '--json')).json<PlanDocument>().steps).toEqual([]);
  change('id\n9\n');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 9, x: null }]);
});

test('rows that do not fit are left out, and numbers that lose nothing stay', async () => {
  await firstLoad('(data_type discard_row, columns discard_row)');
  change('id,x,batch\n1,0.5,\n2,3.0,\n3,4.0,p\n');
  const applied = await rig.ok('apply');
  expect(applied.err).toMatch(/1 values of column "x" are no BIGINT: left out, with their rows/);
  expect(applied.err).toMatch(/1 values of column "batch", which is new: left out, with their rows/);
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 2, x: 3 }]);
});

test('each kind of change has a mode of its own', async () => {
  await firstLoad('(columns discard_value, data_type freeze)');
  change('id,x,batch\n1,10,p\n');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 1, x: 10 }]);
  change('id,x,batch\n1,0.5,p\n');
  const refused = await rig.run('apply');
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/SL0424.*: ~ a\.x BIGINT -> DOUBLE\n/) });
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 1, x: 10 }]);
});

test('tables that are new are left out, or refused', async () => {
  rig = makeRig({
    'sources/lab.sql': "SOURCE (name lab, uri 'data/*.{csv,json}', contract (tables discard_value));",
    'sources/data/plates.csv': 'id\n1\n',
    'sources/data/doses.json': '[{"id": 1}]',
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM lab.plates',
  });
  await rig.ok('apply');
  rig.write({ 'sources/data/more.csv': 'id,z\n5,6\n' });
  const applied = await rig.ok('apply');
  expect(applied.err).toMatch(/SL0600.*table "more" is new: its contract leaves it out \(1 rows\)/);
  expect((await rig.ok('plan')).out).toContain('Nothing to do');
  const text = fs.readFileSync(path.join(rig.folder, 'sources/lab.sql'), 'utf8');
  rig.write({ 'sources/lab.sql': text.replace('discard_value', 'freeze') });
  expect((await rig.run('plan')).err).toMatch(/SL0424.*\+ more\.id BIGINT; \+ more\.z BIGINT/);
});

test('a mode that there is not is named with the one that was meant', async () => {
  rig = makeRig({ 'sources/a.sql': "SOURCE (name a, uri 'a.csv', contract (columns discard_vale, rows freeze));" });
  const { err } = await rig.run('plan');
  expect(err).toMatch(/a\.sql:1:\d+.*SL0105.*not discard_vale/);
  expect(err).toContain('discard_value');
  expect(err).toMatch(/SL0103.*"rows"/);
});
