import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqlite } from '../../src/effects/sqlite.js';
import { type Contents, readContentsOf } from '../../src/metadata/contents.js';
import { mergeContents } from '../../src/metadata/merge.js';
import { ArchiveDouble } from '../ingest/archive-double.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let web: ArchiveDouble;
let newest: number;
const rigs: Rig[] = [];
beforeEach(async () => {
  newest = 101;
  web = await new ArchiveDouble((asked) => {
    const [, given = '', file] = /^\/api\/records\/(\d+)(?:\/files\/(.+)\/content)?$/.exec(asked) ?? [];
    const id = given === '100' ? newest : Number(given);
    if (file !== undefined) return { body: `id\n${id}\n` };
    if (id !== 101 && id !== 102) return undefined;
    return {
      body: {
        id,
        conceptrecid: '100',
        doi: `10.5281/zenodo.${id}`,
        conceptdoi: '10.5281/zenodo.100',
        metadata: {
          title: `Title ${id}`,
          access_right: 'open',
          creators: [{ name: 'D' }],
          license: { id: 'cc-by-4.0' },
        },
        files: ['a.csv', 'b.csv'].map((key) => ({ key, links: {} })),
      },
    };
  }).listen();
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) rig.dispose();
  await web.close();
});

function clone(files: Readonly<Record<string, string>>): Rig {
  const rig = makeRig(files, { environment: { SCILAKE_ZENODO_URL: web.url } });
  rigs.push(rig);
  return rig;
}

const tracked = (rig: Rig): Contents => readContentsOf(path.join(rig.folder, 'metadata.sqlite'), openSqlite);
const conflictsOf = (one: Rig, two: Rig): readonly string[] =>
  mergeContents(new Map(), tracked(one), tracked(two)).conflicts.map(({ table, column }) => `${table}.${column}`);

test('two clones that each ingest the same files merge: of this machine, with other times', async () => {
  const project = {
    'sources/runs.sql': "SOURCE (name runs, uri 'd/*.csv', license 'MIT');",
    'sources/d/a.csv': 'id\n1\n',
    'sources/d/b.csv': 'id\n1\n',
  };
  const [one, two] = [clone(project), clone(project)];
  for (const name of ['a', 'b']) fs.utimesSync(path.join(two.folder, `sources/d/${name}.csv`), 1, 1);
  await one.ok('ingest');
  await two.ok('ingest');
  expect(conflictsOf(one, two)).toEqual([]);
});

test('two clones that each ingest the same files merge: of an archive, fetched at other times', async () => {
  const project = { 'sources/runs.sql': "SOURCE (name runs, uri 'zenodo:101');" };
  const [one, two] = [clone(project), clone(project)];
  await one.ok('ingest');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await two.ok('ingest');
  expect(conflictsOf(one, two)).toEqual([]);
  const kept = mergeContents(new Map(), tracked(two), tracked(one)).contents.get('ingestion_files') ?? [];
  expect(kept).toEqual(tracked(one).get('ingestion_files'));
});

test('rows of an older version lead back to that version, also once a newer one was ingested', async () => {
  const rig = clone({
    'sources/runs.sql': "SOURCE (name runs, uri 'zenodo:10.5281/zenodo.100', doi '10.5281/zenodo.100');",
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id FROM runs.runs',
  });
  const found = async (): Promise<Readonly<Record<string, unknown>>> =>
    (await rig.ok('provenance', 's.m', '--json')).json<{
      readonly sources: readonly Readonly<Record<string, unknown>>[];
    }>().sources[0] ?? {};
  await rig.ok('apply');
  newest = 102;
  await rig.ok('ingest', 'runs', '--newest');
  expect(await rig.rows('FROM s.m')).toEqual([{ id: 101 }, { id: 101 }]);
  expect(await found()).toMatchObject({ resolved: '10.5281/zenodo.101', title: 'Title 101', license: 'CC-BY-4.0' });
  await rig.ok('provenance', 's.m', '--out', path.join(rig.folder, 'o'));
  const { relatedIdentifiers } = JSON.parse(rig.read('o/datacite.json'));
  expect(relatedIdentifiers).toMatchObject([
    { relatedIdentifier: '10.5281/zenodo.101', relationType: 'IsDerivedFrom' },
    { relatedIdentifier: '10.5281/zenodo.100', relationType: 'References' },
  ]);
  await rig.ok('apply');
  expect(await found()).toMatchObject({ resolved: '10.5281/zenodo.102', title: 'Title 102' });
});
