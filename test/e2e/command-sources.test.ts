import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

test('a program of the project is run at plan time, once a day', async () => {
  rig = makeRig({
    'sources/studies.sql': `SOURCE (name made, uri 'command:${process.execPath} ingest/make.mjs --year 2024', license 'CC0-1.0');`,
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM made.made',
    'ingest/make.mjs': `
      import * as fs from 'node:fs';
      fs.appendFileSync('runs.txt', process.argv.slice(2).join(' ') + '\\n');
      fs.writeFileSync(process.env.SCILAKE_OUTPUT + '/numbers.csv', 'id\\n' + fs.readFileSync('runs.txt', 'utf8').length + '\\n');
      console.log('one file is made');`,
  });
  expect((await rig.ok('apply')).err).toContain('made: one file is made');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 12 }]);
  await rig.ok('plan');
  expect(rig.read('runs.txt')).toBe('--year 2024\n');
  await rig.ok('ingest', 'made');
  expect(rig.read('runs.txt')).toBe('--year 2024\n--year 2024\n');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 24 }]);
});
