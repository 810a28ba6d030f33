import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { CuttingProxy } from './cutting-proxy.js';
import { ServerProcess } from './python-servers.js';

const SECRET = 'a-secret-that-nobody-may-see';
let server: ServerProcess;
let client: S3Client;
let proxy: CuttingProxy;
let rig: Rig;
let bucket: string;
let number = 0;

beforeAll(async () => {
  server = await ServerProcess.start((port) => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]);
  client = clientOf();
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});
beforeEach(async () => {
  proxy = await CuttingProxy.before(server.port);
  number += 1;
  bucket = `bucket-${number}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET);
  vi.stubEnv('AWS_REGION', 'us-east-1');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  rig.dispose();
  await proxy.close();
});

function clientOf(): S3Client {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return new S3Client({
    endpoint: `http://127.0.0.1:${server.port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials,
  });
}

const put = (key: string, body: string, more: Pick<PutObjectCommandInput, 'ACL'> = {}): Promise<unknown> =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ChecksumAlgorithm: 'SHA256', ...more }));

function project(key: string, select: string, more = ''): Rig {
  rig = makeRig(
    {
      'sources/store.sql': `SOURCE (name store, uri 's3://${bucket}/${key}', license 'CC0-1.0'${more});`,
      'models/m.sql': `MODEL (name s.m, kind FULL);\n${select}`,
    },
    { environment: { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}` } },
  );
  return rig;
}

interface PlanDocument {
  readonly steps: readonly unknown[];
  readonly sources: readonly { readonly source: string; readonly type: string }[];
}
const plan = async (): Promise<PlanDocument> => (await rig.ok('plan', '--json')).json<PlanDocument>();

/** Everything that the project keeps, as text. */
function kept(): string {
  return fs
    .readdirSync(rig.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describe('an object', () => {
  test('becomes tables, is not fetched again, and its change is a change of the project', async () => {
    await put('lab/plates and ä.csv', 'id\n1\n2\n');
    project('lab/plates and ä.csv', 'SELECT id FROM store.plates_and');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await plan()).steps).toEqual([]);
    await put('lab/plates and ä.csv', 'id\n3\n');
    expect((await plan()).sources).toMatchObject([{ source: 'store', type: 'modified' }]);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 3 }]);
  });

  test('that is cut off goes on where it stopped', async () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i},${randomBytes(4).toString('hex')}`);
    const body = `id,x\n${rows.join('\n')}\n`;
    await put('big.csv', body);
    project('big.csv', 'SELECT count(*)::INT AS n FROM store.big');
    proxy.cuts.push(1_000_000, 700_000);
    await rig.ok('apply');
    expect(proxy.cuts).toEqual([]);
    expect(await rig.rows('FROM s.m')).toEqual([{ n: 200_000 }]);
    // Nothing came twice; what is over are the headers.
    expect(proxy.sentBytes).toBeLessThan(body.length + 100_000);
  });

  test('that is not what was declared is put aside', async () => {
    await put('a.csv', 'id\n1\n');
    project('a.csv', 'SELECT id FROM store.a', `, checksum 'md5:${'0'.repeat(32)}'`);
    const refused = await rig.run('plan');
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/store\.sql:1:\d+.*SL0502.*found md5:/);
    expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/quarantine')).length).toBe(1);
  });

  test('that is not there is an error at the address', async () => {
    project('none.csv', 'SELECT 1 AS id');
    expect((await rig.run('plan')).err).toMatch(/store\.sql:1:\d+.*SL0506.*answers 404/);
  });

  test('is had by anybody where it is public', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', path.join(import.meta.dirname, 'none'));
    vi.stubEnv('AWS_CONFIG_FILE', path.join(import.meta.dirname, 'none'));
    await put('a.csv', 'id\n1\n', { ACL: 'public-read' });
    await put('b.csv', 'id\n1\n');
    project('a.csv', 'SELECT id FROM store.a');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    rig.write({ 'sources/store.sql': rig.read('sources/store.sql').replace('a.csv', 'b.csv') });
    expect((await rig.run('plan')).err).toMatch(/SL0506.*answers 403/);
  });
});

describe('a pattern of keys', () => {
  test('lands as a set: what is new is fetched, what is gone is left out', async () => {
    await put('runs/a.csv', 'id\n1\n');
    await put('runs/b.json', '[{"id": 2}]');
    await put('runs/deep/c.csv', 'id\n9\n');
    project('runs/*', 'SELECT id FROM store.a UNION ALL SELECT id FROM store.b');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    const before = proxy.sentBytes;
    expect((await plan()).steps).toEqual([]);
    expect(proxy.sentBytes - before).toBeLessThan(4_000);
    await put('runs/a.csv', 'id\n7\n');
    expect((await plan()).sources).toMatchObject([{ source: 'store', type: 'modified' }]);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 2 }, { id: 7 }]);
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'runs/b.json' }));
    expect((await rig.run('plan')).err).toMatch(/m\.sql:2:\d+.*store\.b/);
  });

  test('that means nothing is an error', async () => {
    project('runs/*.csv', 'SELECT 1 AS id');
    expect((await rig.run('plan')).err).toMatch(/SL0506.*nothing there has such a name/);
  });

  test('of more keys than a page is listed whole', async () => {
    const keys = Array.from({ length: 1_100 }, (_, i) => `many/f${i}.csv`);
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => put(key, 'id\n1\n')));
    project('many/f10{0,1}?.csv', 'SELECT id FROM store.store');
    expect((await rig.run('plan', '--json')).code).toBe(0);
    const sources = path.join(rig.folder, '.scilake/raw/sources');
    const [of = ''] = fs.readdirSync(sources);
    const listed = fs
      .readFileSync(path.join(sources, of, 'listing.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(listed.length).toBe(20);
  });
});

test('where the store is gone, what came the last time is used, with a warning', async () => {
  await put('runs/a.csv', 'id\n1\n');
  await put('runs/b.csv', 'other\n1\n');
  project('runs/*.csv', 'SELECT id FROM store.store');
  await rig.ok('plan');
  await server.stop();
  try {
    const planned = await rig.ok('plan');
    expect(planned.err).toMatch(/store\.sql:1:\d+.*SL0507.*cannot be reached \(.*\); what came at/);
  } finally {
    await server.begin();
  }
});

test('no credential is kept or shown', async () => {
  await put('a.csv', 'id\n1\n');
  project('a.csv', 'SELECT id FROM store.a');
  const outcomes = [await rig.ok('plan'), await rig.ok('apply'), await rig.ok('plan', '--json')];
  const all = `${outcomes.map(({ out, err }) => out + err).join('\n')}${kept()}`;
  expect(all).not.toContain(SECRET);
  expect(all).not.toContain('AKIDEXAMPLE');
});
