import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openFtp } from '../../src/effects/ftp.js';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { ftpArguments, ServerProcess } from './python-servers.js';

const PASSWORD = 'a-secret-that-nobody-may-see';
let folder: string;
let server: ServerProcess;
let guarded: ServerProcess;
let rig: Rig;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-ftp-'));
  const argv = ftpArguments(folder);
  server = await ServerProcess.start(argv);
  guarded = await ServerProcess.start((port) => [...argv(port), '-u', 'lab', '-P', PASSWORD]);
});
afterAll(async () => {
  await server.stop();
  await guarded.stop();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name), { recursive: true });
});
afterEach(() => rig.dispose());

/** Each writing a second later than the one before: FTP tells times to the second. */
let second = 0;
function put(name: string, text: string): void {
  second += 1;
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
  fs.utimesSync(path.join(folder, name), 1_700_000_000 + second, 1_700_000_000 + second);
}

function project(
  name: string,
  select: string,
  environment: Readonly<Record<string, string>> = {},
  port = server.port,
): Rig {
  rig = makeRig(
    {
      'sources/store.sql': `SOURCE (name store, uri 'ftp://127.0.0.1:${port}/${name}', license 'CC0-1.0');`,
      'models/m.sql': `MODEL (name s.m, kind FULL);\n${select}`,
    },
    { environment: { NETRC: path.join(import.meta.dirname, 'none'), ...environment } },
  );
  return rig;
}

interface PlanDocument {
  readonly steps: readonly unknown[];
  readonly sources: readonly { readonly source: string; readonly type: string }[];
}
const plan = async (): Promise<PlanDocument> => (await rig.ok('plan', '--json')).json<PlanDocument>();

test('a file becomes a table, is not fetched again, and its change is a change of the project', async () => {
  put('lab/runs 1.csv', 'id\n1\n');
  project('lab/runs%201.csv', 'SELECT id FROM store.runs_1');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
  expect((await plan()).steps).toEqual([]);
  put('lab/runs 1.csv', 'id\n2\n');
  expect((await plan()).sources).toMatchObject([{ source: 'store', type: 'modified' }]);
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 2 }]);
});

test('a pattern lands as one table', async () => {
  put('lab/a.csv', 'id\n1\n');
  put('lab/b.csv', 'id\n2\n');
  put('lab/other.txt', 'words');
  project('lab/*.csv', 'SELECT id FROM store.store');
  await rig.ok('apply');
  put('lab/c.csv', 'id\n3\n');
  fs.rmSync(path.join(folder, 'lab/a.csv'));
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }]);
});

test('where the server is gone, what came the last time is used, with a warning', async () => {
  put('a.csv', 'id\n1\n');
  project('a.csv', 'SELECT id FROM store.a');
  await rig.ok('apply');
  await server.stop();
  try {
    const planned = await rig.ok('plan');
    expect(planned.err).toMatch(/store\.sql:1:\d+.*SL0507.*cannot be reached \(.*\); what came at/);
    expect(planned.out).toContain('Nothing to do');
  } finally {
    await server.begin();
  }
});

test('a file that is not there is an error at the address', async () => {
  project('none.csv', 'SELECT 1 AS id');
  expect((await rig.run('plan')).err).toMatch(/store\.sql:1:\d+.*SL0506.*answers 404/);
});

test('user and password come from outside of the project, and are neither kept nor shown', async () => {
  put('a.csv', `id,x\n1,${randomBytes(4).toString('hex')}\n`);
  project('a.csv', 'SELECT id FROM store.a', {}, guarded.port);
  expect((await rig.run('plan')).err).toMatch(/SL0506.*answers 401/);
  rig.dispose();
  project('a.csv', 'SELECT id FROM store.a', { SCILAKE_FTP_USER: 'lab', SCILAKE_FTP_PASSWORD: PASSWORD }, guarded.port);
  const outcomes = [await rig.ok('plan'), await rig.ok('apply')];
  rig.write({ netrc: `machine elsewhere login x password y\nmachine 127.0.0.1 login lab password ${PASSWORD}\n` });
  const netrc = path.join(os.tmpdir(), `scilake-netrc-${guarded.port}`);
  fs.renameSync(path.join(rig.folder, 'netrc'), netrc);
  const kept = fs
    .readdirSync(rig.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  expect([...outcomes.map(({ out, err }) => out + err), ...kept].join()).not.toContain(PASSWORD);
  rig.dispose();
  try {
    project('a.csv', 'SELECT id FROM store.a', { NETRC: netrc }, guarded.port);
    await rig.ok('plan');
  } finally {
    fs.rmSync(netrc);
  }
});

test('the rest of a file is sent where it is still the same, and all of it where it is not', async () => {
  rig = makeRig();
  put('a.csv', '0123456789');
  const { http } = openFtp({ NETRC: path.join(import.meta.dirname, 'none') });
  const url = new URL(`ftp://127.0.0.1:${server.port}/a.csv`);
  const ask = async (headers: Readonly<Record<string, string>>) => {
    const { status, headers: answered, body } = await http({ url, headers, idleMs: 10_000 });
    const blocks: Buffer[] = [];
    for await (const block of body) blocks.push(Buffer.from(block));
    return { status, answered, text: Buffer.concat(blocks).toString() };
  };
  const whole = await ask({});
  const { etag = '' } = whole.answered;
  expect(whole).toMatchObject({ status: 200, text: '0123456789' });
  expect(await ask({ 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
  expect(await ask({ range: 'bytes=4-', 'if-range': etag })).toMatchObject({
    status: 206,
    text: '456789',
    answered: { 'content-range': 'bytes 4-9/10' },
  });
  put('a.csv', 'abcdefghij');
  expect(await ask({ range: 'bytes=4-', 'if-range': etag })).toMatchObject({ status: 200, text: 'abcdefghij' });
});
