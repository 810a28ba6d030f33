import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { ServerProcess } from './python-servers.js';

const run = promisify(execFile);
let folder: string;
let certificate: string;
let server: ServerProcess;
let rig: Rig;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-ftps-'));
  certificate = path.join(folder, 'own.pem');
  fs.mkdirSync(path.join(folder, 'served'));
  fs.writeFileSync(path.join(folder, 'served', 'runs.csv'), 'id\n1\n2\n');
  server = await ServerProcess.start((port) => [
    'test/services/ftps_server.py',
    String(port),
    path.join(folder, 'served'),
    certificate,
  ]);
});
afterAll(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});
afterEach(() => rig.dispose());

function project(): void {
  rig = makeRig({
    'sources/runs.sql': `SOURCE (name runs, uri 'ftps://127.0.0.1:${server.port}/runs.csv', license 'CC0-1.0');`,
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM runs.runs',
  });
}

test('a server whose certificate nobody vouches for gets nothing', async () => {
  project();
  expect((await rig.run('plan')).err).toMatch(/runs\.sql:1:\d+.*SL0507.*self-signed certificate/);
});

test('files come through TLS where the certificate is known', async () => {
  project();
  // Node reads the certificates that it trusts when it starts, so this is a program of its own.
  await run(process.execPath, ['dist/cli/main.js', '-p', rig.folder, 'apply', '-y'], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  });
  expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
});
