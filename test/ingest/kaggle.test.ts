import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { type Answer, ArchiveDouble } from './archive-double.js';

const KEY = 'a-secret-that-nobody-may-see';

let versions: Readonly<Record<string, string>>[];
let wants: string | undefined;
let wrongMd5: string | undefined;
/** Kaggle keeps some files packed, and sends them so. */
let isPacked: boolean;
let archive: ArchiveDouble;
let store: ArchiveDouble;
let rig: Rig;

beforeEach(async () => {
  versions = [{ 'a.csv': 'id\n1\n', 'more/b.csv': 'id\n2\n', 'more/c.csv': 'id\n3\n' }];
  wants = undefined;
  wrongMd5 = undefined;
  isPacked = false;
  store = await new ArchiveDouble((asked, query, headers) => {
    // A signed address is refused with an Authorization beside it.
    if (headers.authorization !== undefined || query.get('X-Goog-Signature') !== 'signed') return { status: 400 };
    const [, version = '', name = ''] = /^\/v(\d+)\/(.*?)(?:\.zip)?$/.exec(asked) ?? [];
    const content = Buffer.from(versions[Number(version) - 1]?.[name] ?? '');
    const body = isPacked ? zip(path.basename(name), content) : content;
    const md5 = wrongMd5 ?? createHash('md5').update(body).digest('base64');
    return { body, headers: { 'content-length': String(body.length), etag: '"e"', 'x-goog-hash': `md5=${md5}` } };
  }).listen();
  archive = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig.dispose();
  await archive.close();
  await store.close();
});

function answer(
  asked: string,
  query: URLSearchParams,
  headers: { readonly authorization?: string | undefined },
): Answer | undefined {
  if (wants !== undefined && headers.authorization !== wants) return { status: 401 };
  const [, what = '', file = ''] =
    /^\/api\/v1\/datasets\/(view|list|download)\/lab\/cells(?:\/(.*))?$/.exec(asked) ?? [];
  const version = query.get('datasetVersionNumber') ?? String(versions.length);
  const files = versions[Number(version) - 1];
  if (files === undefined) return undefined;
  switch (what) {
    case 'view':
      return {
        body: {
          ref: 'lab/cells',
          title: 'Cells',
          licenseName: 'CC0: Public Domain',
          currentVersionNumber: versions.length,
        },
      };
    case 'list': {
      const from = Number(query.get('pageToken') ?? 0);
      const names = Object.keys(files);
      const page = names.slice(from, from + 2);
      return {
        body: {
          datasetFiles: page.map((name) => ({ name, totalBytes: 1_000_000, creationDate: '2024-01-01T00:00:00Z' })),
          nextPageToken: from + 2 < names.length ? String(from + 2) : '',
          errorMessage: '',
        },
      };
    }
    case 'download': {
      if (files[file] === undefined) return undefined;
      const location = `${store.url}/v${version}/${file}${isPacked ? '.zip' : ''}?X-Goog-Signature=signed`;
      return { status: 302, headers: { location } };
    }
    default:
      return undefined;
  }
}

/** One file, as APPNOTE.TXT has it, without the checksum, which nobody asks for here. */
function zip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46 + name.length + 22, 1);
  return Buffer.concat([local, Buffer.from(name), packed, central]);
}

function project(uri: string, environment: Readonly<Record<string, string>> = {}, table = 'cells.a'): Rig {
  rig = makeRig(
    {
      'sources/cells.sql': `SOURCE (name cells, uri '${uri}');`,
      'models/m.sql': `MODEL (name s.m, kind FULL);\nSELECT id FROM ${table}`,
    },
    {
      environment: {
        SCILAKE_KAGGLE_URL: archive.url,
        KAGGLE_CONFIG_DIR: path.join(import.meta.dirname, 'none'),
        ...environment,
      },
    },
  );
  return rig;
}

const fetches = (): readonly string[] => store.asked.map(({ path: asked }) => asked.replace(/\?.*/, '')).sort();
const dataset = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { sources } = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly object[] }>();
  return { ...sources[0] };
};

describe('the files of a dataset', () => {
  test('one is a file, fetched once from where Kaggle sends us on to, without a signature in what is kept', async () => {
    project('kaggle:lab/cells/a.csv');
    await rig.ok('apply');
    await rig.ok('plan');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    expect(fetches()).toEqual(['/v1/a.csv']);
    expect(await dataset()).toMatchObject({ license: 'CC0-1.0', resolved: 'lab/cells@1' });
    const kept = fs
      .readdirSync(path.join(rig.folder, '.scilake/raw/state'))
      .map((name) => fs.readFileSync(path.join(rig.folder, '.scilake/raw/state', name), 'utf8'));
    expect(kept.join()).toContain(`${store.url}/v1/a.csv`);
    expect(kept.join()).not.toContain('signed');
  });

  test('are listed over all pages; those of a pattern, or of a folder, are a set', async () => {
    project('kaggle:lab/cells/more/*.csv', {}, 'cells.cells');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }]);
    expect(archive.pathsOf('/api/v1/datasets/list/').length).toBeGreaterThanOrEqual(2);
    rig.dispose();
    project('kaggle:lab/cells', {}, 'cells.cells');
    await rig.ok('plan');
    expect(new Set(fetches())).toEqual(new Set(['/v1/a.csv', '/v1/more/b.csv', '/v1/more/c.csv']));
  });

  test('one that is not what its store says it is, is put aside', async () => {
    wrongMd5 = Buffer.alloc(16).toString('base64');
    project('kaggle:lab/cells/a.csv');
    expect((await rig.run('plan')).err).toMatch(/SL0502.*not what its place says it is \(md5:0{32}/);
  });

  test('one that is kept packed is unpacked on its way', async () => {
    isPacked = true;
    project('kaggle:lab/cells/a.csv');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
  });

  test('one that is not there, and an address that is none, is an error at the address', async () => {
    project('kaggle:lab/cells/d.csv');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no file "d\.csv"/);
    rig.dispose();
    project('kaggle:lab/genes');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*answers 404/);
    rig.dispose();
    project('kaggle:cells');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no address of a dataset/);
  });
});

describe('the version', () => {
  test('that was taken stays until the newest is asked for', async () => {
    project('kaggle:lab/cells/a.csv');
    await rig.ok('apply');
    versions.push({ 'a.csv': 'id\n7\n' });
    const planned = await rig.ok('plan');
    expect(planned.out).toContain('Nothing to do');
    expect(planned.err).toMatch(/SL0510.*lab\/cells@1 is taken, and there is lab\/cells@2/);
    fs.rmSync(path.join(rig.folder, '.scilake'), { recursive: true });
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    await rig.ok('ingest', 'cells', '--newest');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
    expect(await dataset()).toMatchObject({ resolved: 'lab/cells@2' });
  });

  test('that the address names is the one, whatever there is', async () => {
    versions.push({ 'a.csv': 'id\n7\n' });
    project('kaggle:lab/cells@1/a.csv');
    expect((await rig.ok('apply')).err).not.toContain('SL0510');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    expect(await dataset()).toMatchObject({ resolved: '' });
  });
});

describe('who asks', () => {
  const basic = `Basic ${Buffer.from(`lab:${KEY}`).toString('base64')}`;

  test('is told by a name and a key, or by a token, and is told to nobody else', async () => {
    wants = basic;
    project('kaggle:lab/cells/a.csv', { KAGGLE_USERNAME: 'lab', KAGGLE_KEY: KEY });
    const { out, err } = await rig.ok('plan');
    expect(out + err).not.toContain(KEY);
    rig.dispose();
    wants = `Bearer ${KEY}`;
    project('kaggle:lab/cells/a.csv', { KAGGLE_API_TOKEN: KEY });
    await rig.ok('plan');
    expect(store.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test.each([
    ['kaggle.json', JSON.stringify({ username: 'lab', key: KEY }), basic],
    ['access_token', `${KEY}\n`, `Bearer ${KEY}`],
  ])("is told by Kaggle's own file %s", async (name, text, header) => {
    wants = header;
    project('kaggle:lab/cells/a.csv');
    const folder = path.join(rig.folder, 'own');
    rig.write({ [`own/${name}`]: text });
    const { folder: kept } = rig;
    rig = makeRig(
      { 'sources/cells.sql': "SOURCE (name cells, uri 'kaggle:lab/cells/a.csv');" },
      { environment: { SCILAKE_KAGGLE_URL: archive.url, KAGGLE_CONFIG_DIR: folder } },
    );
    await rig.ok('plan');
    fs.rmSync(kept, { recursive: true });
  });

  test('is missed where Kaggle wants to know it, with the places where it could be said', async () => {
    wants = basic;
    project('kaggle:lab/cells/a.csv');
    expect((await rig.run('plan')).err).toMatch(
      /SL0506.*answers 401[\s\S]*there are none: KAGGLE_API_TOKEN, KAGGLE_USERNAME and KAGGLE_KEY, ~\/\.kaggle\/access_token or ~\/\.kaggle\/kaggle\.json/,
    );
  });
});
