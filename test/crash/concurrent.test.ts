import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { contend, contendedProject } from './concurrent-applies.js';

let rig: Rig;
afterEach(() => rig.dispose());

test('applies and an ingest at once wait for each other: no row is lost or doubled (file)', async () => {
  rig = makeRig(contendedProject);
  await contend(rig);
}, 300_000);

test('whoever does not wait is told who holds the lake, and ends with 3', async () => {
  rig = makeRig({
    ...contendedProject,
    'models/m.sql':
      'MODEL (name s.m, kind FULL);\nSELECT id, max(hash(i))::VARCHAR AS x FROM a.a, range(300000000) AS t(i) GROUP BY id',
    'models/v.sql': 'MODEL (name s.v, kind VIEW);\nSELECT id FROM s.m',
  });
  const cli = path.join(import.meta.dirname, '../../dist/cli/main.js');
  const busy = spawn(process.execPath, [cli, '-p', rig.folder, 'apply', '-y'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  busy.stderr?.on('data', (text) => {
    said += text;
  });
  while (!said.includes('create s.m') && busy.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const refused = await rig.run('apply', '-y');
  expect(refused).toMatchObject({ code: 3, err: expect.stringMatching(new RegExp(`SL0702.*process ${busy.pid}`)) });
  const ended = once(busy, 'exit');
  busy.kill('SIGKILL');
  await ended;
}, 120_000);
