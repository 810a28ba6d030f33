import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../convert/support.js';
import { ApiDouble } from './api-double.js';
import { LandRig, linesOf } from './land-rig.js';
import { buildLander } from './lander.js';

const KILLS = 20;
const root = temporaryFolder();
let server: ApiDouble;
beforeEach(async () => {
  server = await new ApiDouble().listen();
});
afterEach(() => server.close());

test(`of an interface whose asking is killed ${KILLS} times every record lands once`, async () => {
  const lander = await buildLander(root);
  const rig = new LandRig(root);
  const properties = `uri '${server.url('/since')}', api (paginator (type page, start 1), incremental (cursor 'at', param 'since', lag '1 day'))`;
  const begun = async (killAfterMs: number | undefined): Promise<void> => {
    const asked = server.asked.length;
    const child = spawn(process.execPath, [lander, rig.folder, properties, 'always'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    if (killAfterMs !== undefined) {
      const deadline = Date.now() + 10_000;
      while (server.asked.length === asked && Date.now() < deadline && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, killAfterMs));
      child.kill('SIGKILL');
    }
    const [code] = await ended;
    if (killAfterMs === undefined) expect(code).toBe(0);
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const day = String(kill + 1).padStart(2, '0');
    server.records.push(...['a', 'b', 'c'].map((id) => `{"at":"2024-01-${day}","id":"${id}"}`));
    // Some while the first page is on its way, most while what has come is being put in its place.
    await begun((kill % 10) * 4);
  }
  await begun(undefined);
  const landing = await rig.land(properties, { ask: 'always' });
  expect(linesOf(landing).flat().sort()).toEqual([...server.records].sort());
  // Whatever was being made when it was killed is apart from what has landed.
  expect(
    fs.readdirSync(path.join(rig.folder, '.scilake/raw/sets')).filter((name) => !name.startsWith('.')),
  ).not.toEqual([]);
});
