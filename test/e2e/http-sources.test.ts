import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultServer } from '../ingest/fault-server.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let server: FaultServer;
let rig: Rig;
beforeEach(async () => {
  server = await new FaultServer(Buffer.from('id,name\n1,a\n2,b\n')).listen();
});
afterEach(async () => {
  rig.dispose();
  await server.close();
});

function project(uri: string, more = ''): Rig {
  rig = makeRig({
    'sources/web.sql': `SOURCE (name web, uri '${uri}', license 'CC0-1.0'${more});`,
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM web.file',
  });
  return rig;
}

interface PlanDocument {
  readonly steps: readonly unknown[];
  readonly changes: readonly { readonly model: string }[];
  readonly sources: readonly { readonly source: string; readonly type: string }[];
}
const plan = async (): Promise<PlanDocument> => (await rig.ok('plan', '--json')).json<PlanDocument>();

test('a file of a web server is a source like any other, and its change a change of the project', async () => {
  project(server.url());
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  const { sentBytes } = server;
  expect((await plan()).steps).toEqual([]);
  expect(server.sentBytes).toBe(sentBytes);
  server.content = Buffer.from('id,name\n3,c\n');
  expect(await plan()).toMatchObject({
    changes: [{ model: 's.m' }],
    sources: [{ source: 'web', type: 'modified' }],
  });
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 3 }]);
});

test('sources arrive side by side, as many at once as the settings say, and what came is told', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  rig = makeRig({
    'scilake.yaml': 'ingest: {at_once: 2}\n',
    ...Object.fromEntries(
      names.map((name) => [
        `sources/${name}.sql`,
        `SOURCE (name ${name}, uri '${server.url(`/${name}.csv`)}', license 'CC0-1.0');`,
      ]),
    ),
    'models/m.sql': `MODEL (name s.m, kind FULL);\n${names.map((name) => `SELECT id FROM ${name}.${name}`).join(' UNION ALL ')}`,
  });
  server.content = Buffer.from(`id\n${'1\n'.repeat(40_000)}`);
  server.paceMs = 20;
  const applied = await rig.ok('apply');
  expect(server.mostAtOnce).toBe(2);
  for (const name of names) expect(applied.err).toMatch(new RegExp(`^fetched ${name} 80\\.0 kB$`, 'm'));
  expect(await rig.rows('SELECT count(*)::INT AS n FROM s.m')).toEqual([{ n: 200_000 }]);
  expect((await rig.ok('plan')).err).not.toContain('fetched');
});

test('where the server is gone, what came the last time is used, with a warning', async () => {
  project(server.url());
  await rig.ok('apply');
  await server.close();
  const planned = await rig.ok('plan');
  expect(planned.err).toMatch(
    /sources\/web\.sql:1:\d+.*SL0507.*cannot be reached \(nothing listens there\); what came at/,
  );
  expect(planned.out).toContain('Nothing to do');
  await server.listen();
});

test('a password in an address is refused, and shown nowhere', async () => {
  project(server.url().replace('//', '//user:secret@'));
  const refused = await rig.run('plan');
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/sources\/web\.sql:1:\d+.*SL0105.*holds a user or a password/);
  expect(refused.err + refused.out).not.toContain('secret');
  expect((await rig.run('plan', '--json')).out).not.toContain('secret');
  expect(server.asked).toEqual([]);
});

test.each(['token=secret', 'X-Amz-Signature=secret', 'sv=1&sig=secret'])(
  'an address that opens by itself is refused, and shown nowhere: %s',
  async (query) => {
    project(`${server.url()}?${query}`);
    for (const argv of [['plan'], ['source', 'add', `${server.url('/other.csv')}?${query}`]]) {
      const refused = await rig.run(...argv);
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/SL0105.*holds a secret in its parameter/);
      expect(refused.err + refused.out).not.toContain('secret\n');
      expect(refused.err + refused.out).not.toContain('=secret');
    }
    expect(server.asked).toEqual([]);
  },
);

test('what cannot be had is an error at the address', async () => {
  project(server.url());
  server.faults.push({ type: 'status', status: 404 });
  const refused = await rig.run('plan');
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/sources\/web\.sql:1:\d+.*SL0506.*the server answers 404/);
});

test.each(['http://', 'https://a b/c.csv'])('%s is no address', async (uri) => {
  project(uri);
  expect(await rig.run('plan')).toMatchObject({ code: 1, err: expect.stringMatching(/web\.sql:1:\d+.*SL0506/) });
});

test('a declared checksum holds the file, and then nobody is asked again', async () => {
  const right = 'sha256:4e1a2c1f0ab6d3b5f3b5f0f4a3c0f3d7b0e2f5d0a6d8d9e2c1b0a9f8e7d6c5b4';
  project(server.url(), `, checksum '${right}'`);
  const wrong = await rig.run('plan');
  expect(wrong.err).toMatch(/SL0502.*found sha256:/);
  const found = /found (sha256:[0-9a-f]{64})/.exec(wrong.err)?.[1] ?? '';
  rig.write({ 'sources/web.sql': rig.read('sources/web.sql').replace(right, found) });
  await rig.ok('apply');
  const asked = server.asked.length;
  await rig.ok('plan');
  expect(server.asked.length).toBe(asked);
});
