import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { type Answer, ArchiveDouble } from './archive-double.js';
import { listingOf } from './listing-of.js';

const SERIES = '/geo/series/GSE12nnn/GSE12345/suppl/';

/** Files by their paths, each with the time that the list says. */
let files: Map<string, { readonly text: string; readonly time: string }>;
let hasList: boolean;
let hasPages: boolean;
let archive: ArchiveDouble;
let rig: Rig;

beforeEach(async () => {
  files = new Map();
  hasList = true;
  hasPages = true;
  put(`${SERIES}GSE12345_counts.csv`, 'id\n1\n');
  put(`${SERIES}GSE12345_RAW.tar`, tar('GSM1_x.csv', 'id\n2\n'));
  archive = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig.dispose();
  await archive.close();
});

function put(file: string, text: string, time = '01/02/2024 03:04:05'): void {
  files.set(file, { text, time });
}

/** A tape archive of one file. */
function tar(name: string, text: string): string {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0ustar\u000000', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.from(text.padEnd(512, '\0')), Buffer.alloc(1024)]).toString('latin1');
}

function answer(
  asked: string,
  _: URLSearchParams,
  headers: { readonly 'if-none-match'?: string | undefined },
): Answer | undefined {
  const below = [...files].filter(([name]) => name.startsWith(asked));
  if (asked.endsWith('/'))
    return hasPages && below.length > 0
      ? {
          body: page(
            asked,
            below.map(([name]) => name),
          ),
        }
      : undefined;
  const folder = asked.slice(0, asked.lastIndexOf('/') + 1);
  if (asked.endsWith('/filelist.txt')) {
    const rows = [...files].filter(([name]) => name.startsWith(folder));
    return hasList && rows.length > 0 ? { body: list(rows) } : undefined;
  }
  const found = files.get(asked);
  if (found === undefined) return undefined;
  const etag = `"${createHash('md5').update(found.text).digest('hex')}"`;
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag } };
  return { body: Buffer.from(found.text, 'latin1'), headers: { etag } };
}

function page(folder: string, names: readonly string[]): string {
  const rows = [...names.map((name) => name.slice(folder.length)), ...(hasList ? ['filelist.txt'] : [])].map(
    (name) => `<a href="${encodeURIComponent(name)}">${name}</a>   2024-01-02 03:04  1.2K`,
  );
  return `<html><body><h1>Index of ${folder}</h1><pre>Name Last modified Size<hr><a href="/geo/series/">Parent Directory</a> -
<a href="?C=N;O=D">Name</a>
${rows.join('\n')}
<hr></pre><a href="https://example.org/policy">Policy</a></body></html>`;
}

/** What is inside RAW.tar is listed beside the files. */
function list(rows: readonly (readonly [string, { readonly text: string; readonly time: string }])[]): string {
  const lines = rows.flatMap(([name, { text, time }]) => {
    const last = name.split('/').at(-1) ?? '';
    return last.endsWith('.tar')
      ? [`Archive\t${last}\t${time}\t${text.length}\tTAR`, `File\tGSM1_x.csv\t${time}\t5\tCSV`]
      : [`File\t${last}\t${time}\t${text.length}\tCSV`];
  });
  return ['#Archive/File\tName\tTime\tSize\tType', ...lines, ''].join('\r\n');
}

function project(uri: string): Rig {
  rig = makeRig(
    {
      'sources/geo.sql': `SOURCE (name geo, uri '${uri}', license 'CC0-1.0');`,
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM geo.gse12345_counts',
    },
    { environment: { SCILAKE_GEO_URL: `${archive.url}/geo/`, SCILAKE_GEO_FTP_URL: 'ftp://127.0.0.1:1/geo/' } },
  );
  return rig;
}

const listing = (): readonly string[] => listingOf(rig);
const fetches = (): readonly string[] => archive.pathsOf(SERIES).filter((name) => /\.(?:csv|tar)$/.test(name));

describe('the supplementary files of a series', () => {
  test('are a set: what is in the folder, and not what is inside its archive', async () => {
    project('geo:GSE12345');
    await rig.run('plan');
    expect(listing()).toEqual(['GSE12345_RAW.tar', 'GSE12345_counts.csv']);
    await rig.run('plan');
    expect(fetches()).toHaveLength(2);
  });

  test('are the same where there is no page of the folder, or no list', async () => {
    hasPages = false;
    project('geo:gse12345');
    await rig.run('plan');
    expect(listing()).toEqual(['GSE12345_RAW.tar', 'GSE12345_counts.csv']);
    rig.dispose();
    [hasPages, hasList] = [true, false];
    project('geo:GSE12345');
    await rig.run('plan');
    expect(listing()).toEqual(['GSE12345_RAW.tar', 'GSE12345_counts.csv']);
  });

  test('one of them is a file, and is fetched again when the list says that it has changed', async () => {
    project('geo:GSE12345/GSE12345_counts.csv');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    expect(fetches()).toHaveLength(1);
    put(`${SERIES}GSE12345_counts.csv`, 'id\n7\n', '01/03/2024 03:04:05');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
    const { sources } = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly object[] }>();
    expect(sources).toMatchObject([{ accession: 'GSE12345' }]);
  });

  test('one that no list tells of is asked for by its ETag', async () => {
    hasList = false;
    project('geo:GSE12345/*_counts.csv');
    await rig.run('plan');
    await rig.run('plan');
    const asked = archive.asked.filter((one) => one.path.endsWith('.csv'));
    expect(asked.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([false, true]);
  });

  test('one that is shorter than the list says is put aside', async () => {
    project('geo:GSE12345/GSE12345_counts.csv');
    archive.first.push({ body: `#Archive/File\tName\tTime\tSize\tType\nFile\tGSE12345_counts.csv\tt\t99\tCSV` });
    expect((await rig.run('plan')).err).toMatch(/SL0502.*not what its place says it is \(99 bytes, found 5 bytes\)/);
  });
});

test.each([
  ['geo:GSE123', '/geo/series/GSEnnn/GSE123/suppl/'],
  ['geo:GSE1000', '/geo/series/GSE1nnn/GSE1000/suppl/'],
  ['geo:GSM1234567', '/geo/samples/GSM1234nnn/GSM1234567/suppl/'],
  ['geo:GPL570', '/geo/platforms/GPLnnn/GPL570/suppl/'],
])('%s is below %s', async (uri, folder) => {
  put(`${folder}x.csv`, 'id\n1\n');
  project(uri);
  await rig.run('plan');
  expect(archive.pathsOf(`${folder}x.csv`)).toHaveLength(1);
});

test('what is not there, and what is no accession, is an error at the address', async () => {
  project('geo:GSE7');
  expect((await rig.run('plan')).err).toMatch(/geo\.sql:1:\d+.*SL0506.*answers 404/);
  rig.dispose();
  project('geo:GSE12345/none.csv');
  expect((await rig.run('plan')).err).toMatch(/geo\.sql:1:\d+.*SL0506.*no file "none\.csv"/);
  rig.dispose();
  project('geo:E-MTAB-1');
  expect((await rig.run('plan')).err).toMatch(/geo\.sql:1:\d+.*SL0506.*no address of a series/);
});

test('where neither the web nor FTP answers, what came the last time is used', async () => {
  project('geo:GSE12345/GSE12345_counts.csv');
  await rig.ok('apply');
  await archive.close();
  expect((await rig.ok('plan')).err).toMatch(/geo\.sql:1:\d+.*SL0507.*what came at/);
});
