import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { type Answer, ArchiveDouble } from './archive-double.js';

const TOKEN = 'hf_a-secret-that-nobody-may-see';
const sha = (n: number): string => String(n).repeat(40);

/** Commits by their ids; the last one is what the branch points to. */
let commits: { readonly sha: string; readonly files: Readonly<Record<string, string>> }[];
let wants: string | undefined;
let wrongOid: string | undefined;
/** Where the next page of a list is, if not at the hub. */
let pagesAt: string | undefined;
let hub: ArchiveDouble;
/** Where large files are kept. */
let store: ArchiveDouble;
let rig: Rig;

beforeEach(async () => {
  commits = [
    {
      sha: sha(1),
      files: {
        'a.csv': 'id\n1\n',
        'data/b.csv': 'id\n2\n',
        'data/c.csv': 'id\n3\n',
        'README.md': '# Cells',
        '.gitattributes': '',
      },
    },
  ];
  wants = undefined;
  wrongOid = undefined;
  pagesAt = undefined;
  store = await new ArchiveDouble((asked) => {
    const found = commits.flatMap(({ files }) => Object.values(files)).find((text) => `/${sha256(text)}` === asked);
    return found === undefined ? undefined : { body: found };
  }).listen();
  hub = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig.dispose();
  await hub.close();
  await store.close();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const isLarge = (name: string): boolean => name.endsWith('.csv');

function answer(
  asked: string,
  query: URLSearchParams,
  headers: { readonly authorization?: string | undefined },
): Answer | undefined {
  if (wants !== undefined && headers.authorization !== wants)
    return { status: 401, body: { error: 'Invalid username' } };
  const commitOf = (revision: string) =>
    revision === 'main' || revision === 'HEAD' ? commits.at(-1) : commits.find((one) => one.sha === revision);
  const [, revision = ''] = /^\/api\/datasets\/lab\/cells\/revision\/(.+)$/.exec(asked) ?? [];
  if (revision !== '') {
    const commit = commitOf(revision);
    return (
      commit && {
        body: {
          _id: '1',
          id: 'lab/cells',
          sha: commit.sha,
          lastModified: '2024-01-01T00:00:00Z',
          cardData: { license: 'cc-by-4.0', pretty_name: 'Cells of a lab' },
          tags: ['doi:10.57967/hf/1', 'license:cc-by-4.0'],
        },
      }
    );
  }
  const [, tree = '', folder = ''] = /^\/api\/datasets\/lab\/cells\/tree\/([^/]+)(?:\/(.*))?$/.exec(asked) ?? [];
  if (tree !== '') return treePage(commitOf(tree)?.files, folder, query);
  const [, at = '', name = ''] = /^\/datasets\/lab\/cells\/resolve\/([^/]+)\/(.*)$/.exec(asked) ?? [];
  const text = commitOf(at)?.files[name];
  if (text === undefined) return undefined;
  return isLarge(name) ? { status: 302, headers: { location: `${store.url}/${sha256(text)}` } } : { body: text };
}

function treePage(
  files: Readonly<Record<string, string>> | undefined,
  folder: string,
  query: URLSearchParams,
): Answer | undefined {
  const below = Object.entries(files ?? {}).filter(([name]) => folder === '' || name.startsWith(`${folder}/`));
  if (below.length === 0) return undefined;
  const isDeep = query.get('recursive') === 'true';
  const shown = below.filter(([name]) => isDeep || !name.slice(folder === '' ? 0 : folder.length + 1).includes('/'));
  const from = Number(query.get('cursor') ?? 0);
  const page = shown.slice(from, from + 2).map(([name, text]) => ({
    type: 'file',
    path: name,
    size: text.length,
    oid: createHash('sha1').update(text).digest('hex'),
    ...(isLarge(name) ? { lfs: { oid: wrongOid ?? sha256(text), size: text.length, pointerSize: 130 } } : {}),
  }));
  const next = new URLSearchParams({ recursive: String(isDeep), cursor: String(from + 2) });
  const link = `<${pagesAt ?? hub.url}/api/datasets/lab/cells/tree/${commits.at(-1)?.sha ?? ''}${folder === '' ? '' : `/${folder}`}?${next}>; rel="next"`;
  return {
    body: [...(from === 0 ? [{ type: 'directory', path: 'data', size: 0, oid: '0' }] : []), ...page],
    headers: { 'content-type': 'application/json', ...(from + 2 < shown.length ? { link } : {}) },
  };
}

function project(uri: string, environment: Readonly<Record<string, string>> = {}, table = 'cells.a'): Rig {
  rig = makeRig(
    {
      'sources/cells.sql': `SOURCE (name cells, uri '${uri}');`,
      'models/m.sql': `MODEL (name s.m, kind FULL);\nSELECT id FROM ${table}`,
    },
    { environment: { HF_ENDPOINT: hub.url, HF_HOME: path.join(import.meta.dirname, 'none'), ...environment } },
  );
  return rig;
}

const dataset = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { sources } = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly object[] }>();
  return { ...sources[0] };
};

describe('the files of a repository', () => {
  test.each(['hf://datasets/lab/cells/a.csv', 'hf:lab/cells/a.csv', 'hf:lab/cells@main/a.csv'])(
    'one is a file, fetched once: %s',
    async (uri) => {
      project(uri);
      await rig.ok('apply');
      expect((await rig.ok('plan')).out).toContain('Nothing to do');
      expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
      expect(store.asked).toHaveLength(1);
      expect(await dataset()).toMatchObject({ resolved: sha(1), license: 'CC-BY-4.0', doi: '10.57967/hf/1' });
    },
  );

  test('are listed over all pages; those of a folder or a pattern are a set', async () => {
    project('hf:lab/cells/data/*.csv', {}, 'cells.cells');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }]);
    rig.dispose();
    project('hf:lab/cells', {}, 'cells.cells');
    await rig.ok('apply');
    // Hidden names are left out, and the README is no table.
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test('one whose bytes are not those of its checksum is put aside', async () => {
    wrongOid = '0'.repeat(64);
    project('hf:lab/cells/a.csv');
    expect((await rig.run('plan')).err).toMatch(/SL0502.*not what its place says it is \(sha256:0{64}/);
  });

  test('one that is not there, and an address that is none, is an error at the address', async () => {
    project('hf:lab/cells/data/d.csv');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no file "data\/d\.csv"/);
    rig.dispose();
    project('hf:lab/genes');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*answers 404/);
    rig.dispose();
    project('hf:cells');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no address of a dataset repository/);
  });
});

describe('a branch', () => {
  test('moves on: what has changed in it is a change of the project', async () => {
    project('hf:lab/cells/a.csv');
    await rig.ok('apply');
    commits.push({ sha: sha(2), files: { ...commits[0]?.files, 'a.csv': 'id\n7\n' } });
    const planned = await rig.ok('plan', '--json');
    expect(planned.json<object>()).toMatchObject({ sources: [{ source: 'cells', type: 'modified' }] });
    expect(planned.err).not.toContain('SL0510');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
    expect(await dataset()).toMatchObject({ resolved: sha(2) });
  });

  test('whose new commit leaves the file as it is, asks for no file', async () => {
    project('hf:lab/cells/a.csv');
    await rig.ok('apply');
    commits.push({ sha: sha(2), files: { ...commits[0]?.files, 'data/b.csv': 'id\n7\n' } });
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    expect(store.asked).toHaveLength(1);
  });

  test('is not asked for where a commit is named', async () => {
    commits.push({ sha: sha(2), files: { 'a.csv': 'id\n7\n' } });
    project(`hf:lab/cells@${sha(1)}/a.csv`);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    expect(await dataset()).toMatchObject({ resolved: '' });
  });
});

describe('a token', () => {
  test('goes to the hub, and not to where it sends us on to; it is kept nowhere', async () => {
    wants = `Bearer ${TOKEN}`;
    project('hf:lab/cells/a.csv', { HF_TOKEN: TOKEN });
    const { out, err } = await rig.ok('apply');
    expect(new Set(hub.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([wants]));
    expect(store.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const kept = fs
      .readdirSync(rig.folder, { recursive: true, withFileTypes: true })
      .flatMap((entry) => (entry.isFile() ? [fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1')] : []));
    expect([out, err, ...kept].join()).not.toContain(TOKEN);
  });

  test('goes to no other host that a page of the list points to', async () => {
    project('hf:lab/cells', { HF_TOKEN: TOKEN });
    const other = await new ArchiveDouble(answer).listen();
    try {
      pagesAt = other.url;
      await rig.run('plan');
      expect(other.asked.length).toBeGreaterThan(0);
      expect(other.asked.map(({ headers }) => headers.authorization)).toEqual(other.asked.map(() => undefined));
    } finally {
      await other.close();
    }
  });

  test('is read from the file that the hub keeps it in', async () => {
    wants = `Bearer ${TOKEN}`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-hf-'));
    try {
      fs.writeFileSync(path.join(folder, 'token'), `${TOKEN}\n`);
      project('hf:lab/cells/a.csv', { HF_HOME: folder });
      await rig.ok('plan');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test('is missed where the hub wants one, and a busy hub is asked again', async () => {
    project('hf:lab/cells/a.csv');
    hub.first.push({ status: 429, headers: { 'retry-after': '0' } });
    await rig.ok('plan');
    wants = `Bearer ${TOKEN}`;
    expect((await rig.run('plan')).err).toMatch(/SL0506.*answers 401[\s\S]*HF_TOKEN/);
  });
});
