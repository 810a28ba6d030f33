import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { ServerProcess } from './python-servers.js';

/** Path of fake-gcs-server; its suite is left out where nobody has built it. */
const program = process.env.SCILAKE_FAKE_GCS_SERVER ?? '';

describe.skipIf(program === '')('against fake-gcs-server', () => {
  let server: ServerProcess;
  let rig: Rig;
  let bucket: string;
  let number = 0;
  beforeAll(async () => {
    server = await ServerProcess.start(
      (port) => ['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
      program,
    );
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    number += 1;
    bucket = `lab-${number}`;
    await post('/storage/v1/b', JSON.stringify({ name: bucket }), 'application/json');
  });
  afterEach(() => rig.dispose());

  async function post(address: string, body: string, type: string): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${server.port}${address}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
  }
  const put = (name: string, text: string): Promise<void> =>
    post(`/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`, text, 'text/csv');

  function project(key: string, select: string): void {
    rig = makeRig(
      {
        'sources/store.sql': `SOURCE (name store, uri 'gs://${bucket}/${key}', license 'CC0-1.0');`,
        'models/m.sql': `MODEL (name s.m, kind FULL);\n${select}`,
      },
      { environment: { STORAGE_EMULATOR_HOST: `127.0.0.1:${server.port}` } },
    );
  }

  test('an object becomes a table, and its next generation a change', async () => {
    await put('a/ä b.csv', 'id\n1\n');
    project('a/ä b.csv', 'SELECT id FROM store.b');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    await put('a/ä b.csv', 'id\n2\n');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 2 }]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
  });

  test('a pattern becomes one table of what is there now, over more than one page', async () => {
    await Promise.all(Array.from({ length: 1100 }, (_, i) => put(`r/${String(i).padStart(4, '0')}.csv`, `id\n${i}\n`)));
    await put('r/notes.txt', 'words');
    project('r/*.csv', 'SELECT count(*)::INT AS n, sum(id)::INT AS total FROM store.store');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ n: 1100, total: (1100 * 1099) / 2 }]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
  });

  test('what is not there is an error at the address', async () => {
    project('none.csv', 'SELECT 1 AS one');
    expect((await rig.run('plan')).err).toMatch(/store\.sql:1:\d+.*SL0506.*404/);
  });
});
