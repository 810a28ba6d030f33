// Lands one S3 source as `scilake plan` would, and prints what it cost: `node ingest-one.mjs URI PROJECT`.
import * as path from 'node:path';
import { files } from '../dist/effects/files.js';
import { land } from '../dist/ingest/land.js';
import { openLimits } from '../dist/ingest/limits.js';

const [uri, projectFolder] = process.argv.slice(2);
const location = { file: 'bench', line: 1, column: 1, length: 1, text: '' };
const source = {
  name: 'runs',
  uri,
  uriLocation: location,
  location,
  formatOptions: {},
  license: '',
  doi: '',
  refresh: 'always',
};
const began = performance.now();
const landed = await land(source, {
  files,
  projectFolder,
  cacheFolder: path.join(projectFolder, '.scilake', 'cache'),
  limits: openLimits({ atOnce: Number(process.env.AT_ONCE ?? 4) }),
});
if (!landed.ok) throw new Error(JSON.stringify(landed.errors));
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
process.stdout.write(
  `${JSON.stringify({
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    wallSeconds: (performance.now() - began) / 1000,
    peakMb: maxRSS / 1024,
    sha256: landed.value.sha256,
  })}\n`,
);
