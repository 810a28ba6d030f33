import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ArchiveDouble } from '../ingest/archive-double.js';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { ftpArguments, ServerProcess } from './python-servers.js';

const SUPPL = 'geo/series/GSE12nnn/GSE12345/suppl';
const WORDS = 'id\n1\n';

let folder: string;
let server: ServerProcess;
let rig: Rig;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-geo-'));
  fs.mkdirSync(path.join(folder, SUPPL), { recursive: true });
  server = await ServerProcess.start(ftpArguments(folder));
});
afterAll(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});
afterEach(() => rig.dispose());

function put(name: string, text: string, seconds = 1_700_000_000): void {
  const file = path.join(folder, SUPPL, name);
  fs.writeFileSync(file, text);
  fs.utimesSync(file, seconds, seconds);
}

function project(uri: string, web: string): Rig {
  rig = makeRig(
    {
      'sources/geo.sql': `SOURCE (name geo, uri '${uri}', license 'CC0-1.0');`,
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM geo.gse12345_counts',
    },
    {
      environment: {
        SCILAKE_GEO_URL: web,
        SCILAKE_GEO_FTP_URL: `ftp://127.0.0.1:${server.port}/geo/`,
        NETRC: path.join(import.meta.dirname, 'none'),
      },
    },
  );
  return rig;
}

test('where the web is not to be reached, the files come by FTP, once', async () => {
  put('GSE12345_counts.csv', WORDS);
  project('geo:GSE12345/GSE12345_counts.csv', 'http://127.0.0.1:1/geo/');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
  expect((await rig.ok('plan')).out).toContain('Nothing to do');
  put('GSE12345_counts.csv', 'id\n7\n', 1_700_000_001);
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
});

test('what came over the web is not fetched by FTP again, where the list says that it is the same', async () => {
  const list = `#Archive/File\tName\tTime\tSize\tType\nFile\tGSE12345_counts.csv\t01/02/2024 03:04:05\t${WORDS.length}\tCSV\n`;
  put('filelist.txt', list);
  const web = await new ArchiveDouble((asked) => {
    if (asked === `/${SUPPL}/filelist.txt`) return { body: list };
    if (asked === `/${SUPPL}/`) return { body: '<a href="GSE12345_counts.csv">GSE12345_counts.csv</a>' };
    return asked.endsWith('_counts.csv') ? { body: WORDS } : undefined;
  }).listen();
  project('geo:GSE12345/GSE12345_counts.csv', `${web.url}/geo/`);
  await rig.ok('apply');
  await web.close();
  // The bytes behind the same row would be others: nobody looks.
  put('GSE12345_counts.csv', 'id\n9\n', 1_700_000_002);
  const planned = await rig.ok('plan');
  expect(planned.out).toContain('Nothing to do');
  expect(planned.err).not.toContain('SL0507');
});

test('what FTP does not have either is an error at the address', async () => {
  project('geo:GSE7', 'http://127.0.0.1:1/geo/');
  expect((await rig.run('plan')).err).toMatch(/geo\.sql:1:\d+.*SL0506.*answers 404/);
});
