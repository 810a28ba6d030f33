import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { frame, writeHdf5 } from '../convert/h5ad-builder.js';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { type Answer, ArchiveDouble } from './archive-double.js';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const COLLECTION = id(1);
const [FIRST, SECOND] = [id(11), id(12)];

interface Dataset {
  readonly dataset: string;
  readonly version: string;
  readonly cells: number;
  readonly hasRds?: boolean;
}
interface Collection {
  readonly version: string;
  readonly datasets: readonly Dataset[];
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-cellxgene-'));
const files = new Map<number, Buffer>();
let published: Collection[];
let archive: ArchiveDouble;
let store: ArchiveDouble;
let rig: Rig;

beforeAll(async () => {
  for (const cells of [2, 3, 4]) {
    const names = Array.from({ length: cells }, (_, k) => `c${k}`);
    const file = await writeHdf5(path.join(folder, `${cells}.h5ad`), (root) => {
      root.create_attribute('encoding-type', 'anndata');
      root.create_attribute('encoding-version', '0.1.0');
      frame(root, 'obs', names);
      frame(root, 'var', ['g0']);
    });
    files.set(cells, fs.readFileSync(file));
  }
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(async () => {
  published = [
    {
      version: id(91),
      datasets: [
        { dataset: FIRST, version: id(21), cells: 2, hasRds: true },
        { dataset: SECOND, version: id(22), cells: 3 },
      ],
    },
  ];
  store = await new ArchiveDouble((asked) => {
    const version = /^\/(.*)\.(?:h5ad|rds)$/.exec(asked)?.[1];
    const all = published.flatMap(({ datasets }) => datasets);
    const content = files.get(all.find((one) => one.version === version)?.cells ?? 0);
    return content === undefined ? undefined : { body: content };
  }).listen();
  archive = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig.dispose();
  await archive.close();
  await store.close();
});

function answer(asked: string): Answer | undefined {
  const [, what = '', wanted = ''] = /^\/curation\/v1\/(\w+)\/([0-9a-f-]{36})$/.exec(asked) ?? [];
  const newest = published.at(-1);
  if (what === 'collections') return wanted === COLLECTION && newest ? { body: collectionOf(newest) } : undefined;
  if (what === 'collection_versions') {
    const found = published.find(({ version }) => version === wanted);
    return found && { body: collectionOf(found, 'dataset_versions') };
  }
  const found = published.flatMap(({ datasets }) => datasets).find(({ version }) => version === wanted);
  return what === 'dataset_versions' && found
    ? { body: { ...datasetOf(found), collection_id: COLLECTION } }
    : undefined;
}

/** What holds the datasets is called otherwise in a version of a collection. */
function collectionOf({ version, datasets }: Collection, key = 'datasets'): object {
  return {
    collection_id: COLLECTION,
    collection_version_id: version,
    name: 'Atlas',
    doi: '10.1/atlas',
    publisher_metadata: {
      authors: [{ family: 'Doe', given: 'Jane' }, { name: 'Atlas Consortium' }],
      published_year: 2023,
      journal: 'Cells',
    },
    [key]: datasets.map(datasetOf),
  };
}

function datasetOf({ dataset, version, cells, hasRds }: Dataset): object {
  const asset = (filetype: string): object => ({
    filetype,
    filesize: files.get(cells)?.length,
    url: `${store.url}/${version}.${filetype.toLowerCase()}`,
  });
  return {
    dataset_id: dataset,
    dataset_version_id: version,
    schema_version: '5.2.0',
    title: `Dataset ${dataset.slice(-2)}`,
    citation: `Publication: https://doi.org/10.1/atlas Dataset Version: ${version}`,
    assets: [asset('H5AD'), ...(hasRds === true ? [asset('RDS')] : [])],
  };
}

/** Another version of the first dataset, and so of the collection. */
function revise(): void {
  const [first] = published;
  const datasets = (first?.datasets ?? []).map((one) =>
    one.dataset === FIRST ? { dataset: FIRST, version: id(31), cells: 4 } : one,
  );
  published.push({ version: id(92), datasets });
}

function project(uri: string, table = 'atlas.obs'): Rig {
  rig = makeRig(
    {
      'sources/atlas.sql': `SOURCE (name atlas, uri '${uri}');`,
      'models/m.sql': `MODEL (name s.m, kind FULL);\nSELECT count(*) AS n FROM ${table}`,
    },
    { environment: { SCILAKE_CELLXGENE_URL: archive.url } },
  );
  return rig;
}

const fetches = (): readonly string[] => store.asked.map(({ path: asked }) => asked).sort();
const dataset = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { sources } = (await rig.ok('sources', '--json')).json<{ readonly sources: readonly object[] }>();
  return { ...sources[0] };
};

test('a dataset is its h5ad file, and stays at the version that was taken until another is asked for', async () => {
  project(`cellxgene:${COLLECTION}/${FIRST}`);
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ n: 2 }]);
  expect(await dataset()).toMatchObject({ resolved: id(21), license: 'CC-BY-4.0', doi: '10.1/atlas' });
  expect((await rig.ok('plan')).out).toContain('Nothing to do');
  expect(fetches()).toEqual([`/${id(21)}.h5ad`]);
  revise();
  const planned = await rig.ok('plan');
  expect(planned.out).toContain('Nothing to do');
  expect(planned.err).toMatch(/atlas\.sql:1:\d+.*SL0510.*0021 is taken, and there is .*0031/);
  await rig.ok('ingest', 'atlas', '--newest');
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ n: 4 }]);
  expect(await dataset()).toMatchObject({ resolved: id(31) });
});

test('a taken version is fetched again where its files are gone', async () => {
  project(`cellxgene:${COLLECTION}/${FIRST}`);
  await rig.ok('apply');
  revise();
  fs.rmSync(path.join(rig.folder, '.scilake'), { recursive: true });
  await rig.ok('apply');
  expect(await rig.rows('FROM s.m')).toEqual([{ n: 2 }]);
  expect(fetches()).toEqual([`/${id(21)}.h5ad`, `/${id(21)}.h5ad`]);
});

test('a collection is the h5ad files of its datasets; of a newer one, what is new in it is fetched', async () => {
  const table = `atlas."${FIRST}__obs"`;
  project(`cellxgene:${COLLECTION}`, table);
  await rig.run('plan');
  expect(fetches()).toEqual([`/${id(21)}.h5ad`, `/${id(22)}.h5ad`]);
  revise();
  expect((await rig.run('plan')).err).toMatch(/SL0510.*0091 is taken, and there is .*0092/);
  expect(fetches()).toHaveLength(2);
  await rig.ok('ingest', '--newest');
  expect(fetches()).toEqual([`/${id(21)}.h5ad`, `/${id(22)}.h5ad`, `/${id(31)}.h5ad`]);
  expect(await dataset()).toMatchObject({ resolved: id(92), doi: '10.1/atlas' });
});

test('the RDS file is fetched where it is asked for, and one that is not there is an error that says so', async () => {
  project(`cellxgene:${COLLECTION}/${FIRST}.rds`);
  await rig.run('plan');
  expect(fetches()).toEqual([`/${id(21)}.rds`]);
  rig.dispose();
  project(`cellxgene:${COLLECTION}/${SECOND}.rds`);
  expect((await rig.run('plan')).err).toMatch(/SL0506.*no rds file[\s\S]*leave \.rds out/);
});

test('what is not there, and what is no address, is an error at the address', async () => {
  project(`cellxgene:${id(7)}`);
  expect((await rig.run('plan')).err).toMatch(/atlas\.sql:1:\d+.*SL0506.*answers 404/);
  rig.dispose();
  project(`cellxgene:${COLLECTION}/${id(7)}`);
  expect((await rig.run('plan')).err).toMatch(/atlas\.sql:1:\d+.*SL0506.*has no dataset/);
  rig.dispose();
  project('cellxgene:atlas');
  expect((await rig.run('plan')).err).toMatch(/atlas\.sql:1:\d+.*SL0506.*no address of a collection/);
});

test('a busy archive is asked again, and an answer that is none is an error', async () => {
  project(`cellxgene:${COLLECTION}/${FIRST}`);
  archive.first.push({ status: 429, headers: { 'retry-after': '0' } }, { status: 503 });
  await rig.ok('plan');
  archive.first.push({ body: '<html>' });
  expect((await rig.run('plan')).err).toMatch(/SL0506.*something else than JSON/);
});
