import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { type Answer, ArchiveDouble } from './archive-double.js';

const CONCEPT = '100';
const TOKEN = 'a-secret-that-nobody-may-see';

interface Version {
  readonly id: string;
  readonly files: Readonly<Record<string, string>>;
  readonly access?: string;
}

let versions: Version[];
let wrongMd5: string | undefined;
/** What Zenodo does with the id of a concept: it sends us on, and there was a time when it did not know it. */
let redirectsConcepts: boolean;
let archive: ArchiveDouble;
/** Another host, for the files. */
let store: ArchiveDouble;
let rig: Rig;

beforeEach(async () => {
  versions = [{ id: '101', files: { 'a.csv': 'id\n1\n', 'b.csv': 'id\n2\n', 'notes.txt': 'words' } }];
  wrongMd5 = undefined;
  redirectsConcepts = true;
  store = await new ArchiveDouble((file) => ({ body: contentOf(file) })).listen();
  archive = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig.dispose();
  await archive.close();
  await store.close();
});

function contentOf(file: string): string {
  const [, id, name = ''] = /^\/(\d+)\/(.*)$/.exec(file) ?? [];
  return versions.find((version) => version.id === id)?.files[name] ?? '';
}

function answer(asked: string, query: URLSearchParams): Answer | undefined {
  const newest = versions.at(-1);
  if (asked === '/api/records') {
    const isKnown = query.get('q') === `conceptrecid:${CONCEPT}` && newest !== undefined;
    return { body: { hits: { hits: isKnown ? [recordOf(newest)] : [] } } };
  }
  const [, id, file] = /^\/api\/records\/(\d+)(?:\/files\/(.+)\/content)?$/.exec(asked) ?? [];
  if (id === CONCEPT && redirectsConcepts)
    return { status: 302, headers: { location: `/api/records/${newest?.id ?? ''}` } };
  const version = versions.find((one) => one.id === id);
  if (version === undefined) return undefined;
  if (file === undefined) return { body: recordOf(version) };
  return { status: 302, headers: { location: `${store.url}/${version.id}/${encodeURIComponent(file)}` } };
}

function recordOf({ id, files, access = 'open' }: Version): object {
  const self = `${archive.url}/api/records/${id}`;
  return {
    id: Number(id),
    conceptrecid: CONCEPT,
    doi: `10.5281/zenodo.${id}`,
    conceptdoi: `10.5281/zenodo.${CONCEPT}`,
    metadata: {
      title: 'Cells',
      access_right: access,
      publication_date: '2024-03-01',
      creators: [{ name: 'Doe, Jane' }, { name: 'Roe, Richard' }],
      license: { id: 'cc-by-4.0' },
      version: `v${id}`,
    },
    files: Object.entries(access === 'open' ? files : {}).map(([key, text]) => ({
      key,
      size: text.length,
      checksum: `md5:${wrongMd5 ?? createHash('md5').update(text).digest('hex')}`,
      links: { self: `${self}/files/${encodeURIComponent(key)}/content` },
    })),
    links: { self, latest: `${self}/versions/latest` },
  };
}

function project(uri: string, declared = '', environment: Readonly<Record<string, string>> = {}): Rig {
  rig = makeRig(
    {
      'sources/cells.sql': `SOURCE (name cells, uri '${uri}'${declared});`,
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM cells.a',
    },
    { environment: { SCILAKE_ZENODO_URL: archive.url, ...environment } },
  );
  return rig;
}

const fetches = (): readonly string[] => store.asked.map(({ path: asked }) => asked);
const oneSource = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { sources } = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly object[] }>();
  return { ...sources[0] };
};

describe('the files of a record', () => {
  test('one is a file, fetched once, and its place and facts are in provenance', async () => {
    project('zenodo:101/a.csv');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    expect(fetches()).toEqual(['/101/a.csv']);
    const { sources } = (await rig.ok('provenance', 's.m', '--json')).json<{ readonly sources: readonly object[] }>();
    expect(sources).toMatchObject([
      {
        uri: 'zenodo:101/a.csv',
        url: `${archive.url}/records/101/files/a.csv`,
        finalUrl: `${store.url}/101/a.csv`,
        doi: '10.5281/zenodo.101',
        conceptDoi: '10.5281/zenodo.100',
        title: 'Cells',
        license: 'CC-BY-4.0',
        licenseText: 'cc-by-4.0',
        citation: 'Doe, Jane; Roe, Richard (2024). Cells (v101). Zenodo. https://doi.org/10.5281/zenodo.101',
      },
    ]);
  });

  test('all of them, or those of a pattern, are a set', async () => {
    project('zenodo:10.5281/zenodo.101');
    await rig.run('plan');
    expect([...fetches()].sort()).toEqual(['/101/a.csv', '/101/b.csv', '/101/notes.txt']);
    rig.dispose();
    project('zenodo:101/*.csv');
    await rig.run('plan');
    expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/sets'))).toHaveLength(1);
    expect(fetches()).toHaveLength(5);
  });

  test('one whose bytes are others than the record says is put aside', async () => {
    wrongMd5 = '0'.repeat(32);
    project('zenodo:101/a.csv');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0502.*not what its place says it is \(md5:0{32}/);
  });

  test('a name that is not among them, a record that is not there and an address that is none are errors there', async () => {
    project('zenodo:101/aa.csv');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no file "aa\.csv"[\s\S]*did you mean/);
    rig.dispose();
    project('zenodo:7');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*answers 404/);
    rig.dispose();
    project('zenodo:cells');
    expect((await rig.run('plan')).err).toMatch(/cells\.sql:1:\d+.*SL0506.*no address of a record/);
  });

  test('closed files are an error that says so', async () => {
    versions = [{ id: '101', files: { 'a.csv': '' }, access: 'restricted' }];
    project('zenodo:101');
    expect((await rig.run('plan')).err).toMatch(/SL0506.*not open \(restricted\)[\s\S]*ZENODO_TOKEN/);
  });
});

describe('the interface', () => {
  test('a token goes to the archive, and to nobody that it sends us on to; it is kept nowhere', async () => {
    project('zenodo:101/a.csv', '', { ZENODO_TOKEN: TOKEN });
    const { out, err } = await rig.ok('apply');
    expect(new Set(archive.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(store.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const kept = fs
      .readdirSync(rig.folder, { recursive: true, withFileTypes: true })
      .flatMap((entry) => (entry.isFile() ? [fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1')] : []));
    expect([out, err, ...kept].join()).not.toContain(TOKEN);
  });

  test('is asked again when it says that it is busy, and a refusal says what it wants', async () => {
    project('zenodo:101/a.csv');
    archive.first.push({ status: 429, headers: { 'retry-after': '1' } });
    const before = Date.now();
    await rig.ok('plan');
    expect(Date.now() - before).toBeGreaterThan(950);
    archive.first.push({ status: 403 });
    expect((await rig.run('plan')).err).toMatch(/SL0506.*answers 403[\s\S]*set ZENODO_TOKEN/);
  });

  test('that is away leaves what came the last time, with its facts', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    await archive.close();
    expect((await rig.ok('plan')).err).toMatch(/SL0507.*\(nothing listens there\)/);
    expect(await oneSource()).toMatchObject({ resolved: '10.5281/zenodo.101', doi: '10.5281/zenodo.101' });
  });
});

describe('what is declared and the place denies', () => {
  test('is a warning at the declaration, which is kept', async () => {
    project('zenodo:101/a.csv', ", license 'MIT', doi '10.1/other'");
    const { err } = await rig.ok('apply');
    expect(err).toMatch(/cells\.sql:1:\d+.*SL0511.*license is declared as MIT, and its place says CC-BY-4\.0/);
    expect(err).toMatch(/SL0511.*DOI is declared as 10\.1\/other, and its place says 10\.5281\/zenodo\.101/);
    expect(await oneSource()).toMatchObject({ license: 'MIT', doi: '10.1/other' });
  });

  test('is none where the license is written in another way, or the DOI is that of all versions', async () => {
    project(`zenodo:${CONCEPT}/a.csv`, `, license 'CC BY 4.0', doi 'https://doi.org/10.5281/zenodo.${CONCEPT}'`);
    expect((await rig.ok('plan')).err).not.toContain('SL0511');
  });
});

describe('an address of all versions', () => {
  const publish = (): void => {
    versions.push({ id: '102', files: { 'a.csv': 'id\n7\n', 'b.csv': 'id\n2\n' } });
  };

  test('stays at the version that was taken; a newer one is offered, and taken when it is asked for', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    expect(await oneSource()).toMatchObject({ resolved: '10.5281/zenodo.101', doi: '10.5281/zenodo.101' });
    publish();
    const planned = await rig.ok('plan');
    expect(planned.out).toContain('Nothing to do');
    expect(planned.err).toMatch(
      /cells\.sql:1:\d+.*warning SL0510.*10\.5281\/zenodo\.101 is taken, and there is 10\.5281\/zenodo\.102[\s\S]*scilake ingest cells --newest/,
    );
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    await rig.ok('ingest', 'cells', '--newest');
    const changed = await rig.ok('plan', '--json');
    expect(changed.json<object>()).toMatchObject({ sources: [{ source: 'cells', type: 'modified' }] });
    expect(changed.err).not.toContain('SL0510');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
    expect(await oneSource()).toMatchObject({ resolved: '10.5281/zenodo.102', doi: '10.5281/zenodo.102' });
    expect((await rig.ok('sources')).out).toContain('(10.5281/zenodo.102)');
  });

  test('is at the same version in a fresh clone', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    publish();
    fs.rmSync(path.join(rig.folder, '.scilake'), { recursive: true });
    expect((await rig.ok('apply')).err).toContain('SL0510');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    // Whoever looks first keeps it too: no command moves on by itself.
    fs.rmSync(path.join(rig.folder, '.scilake'), { recursive: true });
    await rig.run('format', '--check');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
  });

  test('is at the version that another clone has taken since, once its provenance is here', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    const here = rig;
    publish();
    project(`zenodo:${CONCEPT}/a.csv`);
    fs.copyFileSync(path.join(here.folder, 'metadata.sqlite'), path.join(rig.folder, 'metadata.sqlite'));
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 1 }]);
    await rig.ok('ingest', '--newest');
    fs.copyFileSync(path.join(rig.folder, 'metadata.sqlite'), path.join(here.folder, 'metadata.sqlite'));
    rig.dispose();
    rig = here;
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ id: 7 }]);
    expect(await oneSource()).toMatchObject({ resolved: '10.5281/zenodo.102' });
  });

  test('whose newest version has the bytes of the one before is not offered once more', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    versions.push({ id: '102', files: versions[0]?.files ?? {} });
    expect((await rig.ok('plan')).err).toContain('SL0510');
    await rig.ok('ingest', '--newest');
    expect((await rig.ok('plan')).err).not.toContain('SL0510');
  });

  test('is not the newest where provenance cannot be read', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('apply');
    publish();
    fs.rmSync(path.join(rig.folder, '.scilake'), { recursive: true });
    rig.write({ 'metadata.sqlite': 'not a database, but long enough to be looked at as one\n'.repeat(20) });
    const planned = await rig.run('plan');
    expect(planned.code).toBe(1);
    expect(planned.err).toMatch(/SL0901.*provenance cannot be read/);
    expect(fetches()).toEqual(['/101/a.csv']);
  });

  test('is found by a search where the archive does not send us on', async () => {
    redirectsConcepts = false;
    project(`zenodo:10.5281/zenodo.${CONCEPT}/a.csv`);
    await rig.ok('plan');
    publish();
    expect((await rig.ok('plan')).err).toContain('SL0510');
    await rig.ok('ingest', '--newest');
    expect(fetches()).toEqual(['/101/a.csv', '/102/a.csv']);
  });

  test('whose taken version was withdrawn is an error that offers the newest', async () => {
    project(`zenodo:${CONCEPT}/a.csv`);
    await rig.ok('plan');
    publish();
    versions.shift();
    expect((await rig.run('plan')).err).toMatch(/SL0506.*zenodo\.101 was taken, and is there no longer[\s\S]*--newest/);
  });

  test('as a set fetches what is new in the newest alone', async () => {
    project(`zenodo:${CONCEPT}/*.csv`);
    await rig.run('plan');
    publish();
    await rig.run('ingest', '--newest');
    expect([...fetches()].sort()).toEqual(['/101/a.csv', '/101/b.csv', '/102/a.csv']);
  });

  test('that a declared checksum holds does not move on', async () => {
    const sha256 = createHash('sha256').update('id\n1\n').digest('hex');
    project(`zenodo:${CONCEPT}/a.csv`, `, checksum 'sha256:${sha256}'`);
    await rig.ok('apply');
    publish();
    expect((await rig.run('ingest', 'cells', '--newest')).err).toMatch(/SL0502.*not the declared one/);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
    expect(await oneSource()).toMatchObject({ resolved: '10.5281/zenodo.101' });
  });
});
