import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { GsDouble } from './gs-double.js';
import { listingOf } from './listing-of.js';

let store: GsDouble;
let rig: Rig;
beforeEach(async () => {
  store = await new GsDouble().listen();
});
afterEach(async () => {
  rig.dispose();
  await store.close();
});

function project(key: string): Rig {
  rig = makeRig(
    { 'sources/store.sql': `SOURCE (name store, uri 'gs://lab/${key}', license 'CC0-1.0');` },
    { environment: { STORAGE_EMULATOR_HOST: store.host } },
  );
  return rig;
}

const listing = (): readonly string[] => listingOf(rig);
const fetches = (): number => store.asked.filter((url) => url.includes('alt=media')).length;

test('an object is fetched in the generation that was listed, and once', async () => {
  store.put('a/ä b.csv', 'id\n1\n');
  project('a/ä b.csv');
  await rig.ok('plan');
  await rig.ok('plan');
  expect(store.asked.filter((url) => url.includes('alt=media'))).toEqual([
    '/storage/v1/b/lab/o/a%2F%C3%A4%20b.csv?alt=media&generation=1001',
  ]);
  store.put('a/ä b.csv', 'id\n2\n');
  await rig.ok('plan');
  expect(fetches()).toBe(2);
});

test('a pattern is listed over all pages; what is gone is left out', async () => {
  for (const name of ['r/a.csv', 'r/b.csv', 'r/c.txt', 'r/d.csv', 'r/x/e.csv', 'q.csv']) store.put(name, 'id\n1\n');
  project('r/*.csv');
  await rig.ok('plan');
  expect(listing()).toEqual(['a.csv', 'b.csv', 'd.csv']);
  store.remove('r/b.csv');
  store.put('r/z.csv', 'id\n9\n');
  await rig.ok('plan');
  expect(listing()).toEqual(['a.csv', 'd.csv', 'z.csv']);
  expect(fetches()).toBe(4);
});

test('an object that is not what the store says it is, is put aside', async () => {
  store.put('a.csv', 'id\n1\n');
  store.wrongMd5 = Buffer.alloc(16).toString('base64');
  project('a.csv');
  expect((await rig.run('plan')).err).toMatch(/SL0502.*is not what its place says it is \(md5:0{32}, found md5:/);
  expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/quarantine')).length).toBe(1);
});

test('what is not there is an error, and what is away is as it was the last time', async () => {
  project('none.csv');
  expect((await rig.run('plan')).err).toMatch(/store\.sql:1:\d+.*SL0506.*answers 404/);
  rig.dispose();
  store.put('r/a.csv', 'id\n1\n');
  project('r/');
  await rig.ok('plan');
  await store.close();
  expect((await rig.ok('plan')).err).toMatch(/store\.sql:1:\d+.*SL0507.*\(nothing listens there\); what came at/);
});
