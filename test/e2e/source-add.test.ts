import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { frame, writeHdf5 } from '../convert/h5ad-builder.js';
import { type Answer, ArchiveDouble } from '../ingest/archive-double.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

const COLLECTION = '0aaaaaaa-0000-4000-8000-000000000001';
const DATASET = '0aaaaaaa-0000-4000-8000-000000000002';
const VERSION = '0aaaaaaa-0000-4000-8000-000000000003';
const CSV = 'id,name\n1,a\n2,b\n';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let archive: ArchiveDouble;
let rig: Rig;
/** Zenodo's record of the one version, as far as a test says otherwise. */
let metadata: Readonly<Record<string, unknown>>;
let h5ad: Buffer;

beforeEach(async () => {
  metadata = {};
  archive = await new ArchiveDouble(answer).listen();
});
afterEach(async () => {
  rig?.dispose();
  await archive.close();
});

/** Zenodo, GEO, CELLxGENE and a web server, all on one port. */
function answer(asked: string): Answer | undefined {
  if (asked === '/api/records/100') return { status: 302, headers: { location: '/api/records/101' } };
  if (asked === '/api/records/101') return { body: record() };
  if (asked.startsWith('/api/records/101/files/')) return { body: CSV };
  if (asked === '/geo/series/GSE12nnn/GSE12345/suppl/')
    return { body: '<a href="GSE12345_counts.csv">GSE12345_counts.csv</a>' };
  if (asked.endsWith('/GSE12345_counts.csv')) return { body: CSV };
  if (asked === `/curation/v1/collections/${COLLECTION}`) return { body: collection() };
  if (asked === '/file.h5ad') return { body: h5ad };
  if (asked.startsWith('/web/') && asked.endsWith('.csv')) return { body: CSV };
  return undefined;
}

function record(): object {
  return {
    id: 101,
    conceptrecid: '100',
    doi: '10.5281/zenodo.101',
    conceptdoi: '10.5281/zenodo.100',
    metadata: {
      title: "Cells of the heart's left ventricle",
      access_right: 'open',
      publication_date: '2024-03-01',
      creators: [{ name: 'Doe, Jane' }],
      license: { id: 'cc-by-4.0' },
      ...metadata,
    },
    files: ['a.csv', 'b.csv'].map((key) => ({
      key,
      size: CSV.length,
      checksum: `md5:${createHash('md5').update(CSV).digest('hex')}`,
      links: { self: `${archive.url}/api/records/101/files/${key}/content` },
    })),
  };
}

function collection(): object {
  return {
    collection_id: COLLECTION,
    collection_version_id: VERSION,
    name: 'Atlas of Lungs',
    doi: '10.1/atlas',
    publisher_metadata: { authors: [{ family: 'Doe', given: 'Jane' }], published_year: 2024, journal: 'Cells' },
    datasets: [
      {
        dataset_id: DATASET,
        dataset_version_id: VERSION,
        assets: [{ filetype: 'H5AD', url: `${archive.url}/file.h5ad`, filesize: h5ad.length }],
      },
    ],
  };
}

function project(files: Readonly<Record<string, string>> = {}): Rig {
  rig = makeRig(files, {
    environment: {
      SCILAKE_ZENODO_URL: archive.url,
      SCILAKE_CELLXGENE_URL: archive.url,
      SCILAKE_GEO_URL: `${archive.url}/geo`,
      SCILAKE_GEO_FTP_URL: 'ftp://127.0.0.1:1/geo',
    },
  });
  return rig;
}

const add = (...argv: readonly string[]) => rig.ok('source', 'add', ...argv);
const declared = (): readonly string[] => {
  const folder = path.join(rig.folder, 'sources');
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.sql')) : [];
};

/** What a plan would do to sources, and that applying it leaves nothing to do. */
async function planAndApply(): Promise<readonly unknown[]> {
  const { sources } = (await rig.ok('plan', '--json')).json<{ readonly sources: readonly unknown[] }>();
  await rig.ok('apply');
  expect((await rig.ok('plan')).out).toContain('Nothing to do');
  expect((await rig.ok('format', '--check')).code).toBe(0);
  return sources;
}

describe('an archive', () => {
  test('is added by the address in the browser, with what it says of a file whose bytes stay', async () => {
    project();
    const { out } = await add('https://zenodo.org/records/101/files/a.csv?download=1');
    expect(rig.read('sources/a.sql')).toBe(`SOURCE (
  name a,
  uri 'zenodo:101/a.csv',
  doi '10.5281/zenodo.101',
  license 'CC-BY-4.0',
  checksum 'sha256:${sha256(CSV)}',
  description 'Cells of the heart''s left ventricle',
  citation 'Doe, Jane (2024). Cells of the heart''s left ventricle. Zenodo. https://doi.org/10.5281/zenodo.101',
  homepage 'https://zenodo.org/records/101'
);
`);
    expect(out).toContain('id BIGINT, name VARCHAR');
    expect(out).toContain('CC-BY-4.0');
    expect(await planAndApply()).toMatchObject([{ source: 'a', type: 'added' }]);
    expect(await rig.rows('SELECT count(*)::INT AS n FROM a.a')).toEqual([{ n: 2 }]);
  });

  test('stays an address of all versions where it is one, and its facts are those of all versions', async () => {
    project();
    const { out } = await add('https://doi.org/10.5281/zenodo.100');
    expect(rig.read('sources/cells_of_the_heart_s_left_ventricle.sql')).toBe(`SOURCE (
  name cells_of_the_heart_s_left_ventricle,
  uri 'zenodo:10.5281/zenodo.100',
  doi '10.5281/zenodo.100',
  license 'CC-BY-4.0',
  description 'Cells of the heart''s left ventricle',
  homepage 'https://doi.org/10.5281/zenodo.100'
);
`);
    expect(out).toContain('zenodo:10.5281/zenodo.100 (10.5281/zenodo.101)');
    const files = archive.pathsOf('/api/records/101/files').length;
    expect(await planAndApply()).toMatchObject([{ type: 'added' }]);
    expect(archive.pathsOf('/api/records/101/files')).toHaveLength(files);
  });

  test('gives its accession, and a commented-out license where it gives none', async () => {
    project();
    const { err } = await add('https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=GSE12345');
    expect(err).toMatch(/warning SL0520/);
    expect(rig.read('sources/gse12345.sql')).toBe(`SOURCE (
  name gse12345,
  -- license '…', not known: look it up, and take the dashes away
  uri 'geo:GSE12345',
  accession 'GSE12345',
  homepage 'https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=GSE12345'
);
`);
    expect(await planAndApply()).toMatchObject([{ source: 'gse12345', type: 'added' }]);
  });

  test('of single cells is added by its collection', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-add-'));
    const file = await writeHdf5(path.join(folder, 'x.h5ad'), (root) => {
      root.create_attribute('encoding-type', 'anndata');
      root.create_attribute('encoding-version', '0.1.0');
      frame(root, 'obs', ['c0', 'c1']);
      frame(root, 'var', ['g0']);
    });
    h5ad = fs.readFileSync(file);
    fs.rmSync(folder, { recursive: true });
    project();
    await add(`https://cellxgene.cziscience.com/collections/${COLLECTION}`);
    expect(rig.read('sources/atlas_of_lungs.sql')).toBe(`SOURCE (
  name atlas_of_lungs,
  uri 'cellxgene:${COLLECTION}',
  doi '10.1/atlas',
  license 'CC-BY-4.0',
  description 'Atlas of Lungs',
  citation 'Doe, Jane (2024). Atlas of Lungs. Cells. https://doi.org/10.1/atlas',
  homepage 'https://cellxgene.cziscience.com/collections/${COLLECTION}'
);
`);
    expect(await planAndApply()).toMatchObject([{ source: 'atlas_of_lungs', type: 'added' }]);
  });

  test('whose license is no known one is added with its words, and options go before what it says', async () => {
    metadata = { license: { id: 'ours; ask\nfirst' }, title: 'a -- b); \'" {{ c }} @d JINJA_END;' };
    project();
    await add('zenodo:101/a.csv', '--name', 'Own', '--doi', '10.5281/zenodo.101');
    const text = rig.read('sources/own.sql');
    expect(text).toContain("  license 'ours; ask first'");
    expect(text).toContain("  description 'a -- b); ''\" {{ c }} @d JINJA_END;'");
    await planAndApply();
  });
});

describe('files', () => {
  test('of a web server are added without a checksum, or with one that is asked for', async () => {
    project();
    await add(`${archive.url}/web/measured-2024.csv`, '--license', 'cc by 4.0');
    expect(rig.read('sources/measured_2024.sql')).toBe(`SOURCE (
  name measured_2024,
  uri '${archive.url}/web/measured-2024.csv',
  license 'CC-BY-4.0'
);
`);
    await add(`${archive.url}/web/other/measured-2024.csv`, '--license', 'MIT', '--pin', '--format', 'csv');
    expect(rig.read('sources/measured_2024_2.sql')).toContain(`  checksum 'sha256:${sha256(CSV)}'`);
    expect(rig.read('sources/measured_2024_2.sql')).toContain('  format csv,');
    expect(await planAndApply()).toHaveLength(2);
  });

  test('of this machine are meant from the working folder, and written from the folder of sources', async () => {
    project({ 'data/heart rates.csv': CSV });
    await add('data/heart rates.csv');
    expect(rig.read('sources/heart_rates.sql')).toContain("  uri '../data/heart rates.csv'\n");
    expect(await planAndApply()).toMatchObject([{ source: 'heart_rates', type: 'added' }]);
  });

  test('of a pattern are one source, called like their folder', async () => {
    project({ 'sources/runs/2024/a.csv': CSV, 'sources/runs/b.csv': CSV });
    const { out } = await add('sources/runs/**/*.csv', '--json');
    expect(JSON.parse(out)).toMatchObject({
      source: 'runs',
      file: 'sources/runs.sql',
      uri: 'runs/**/*.csv',
      written: true,
      tables: [{ table: 'runs.runs', columns: [{ name: 'id' }, { name: 'name' }] }],
    });
    await planAndApply();
    expect(await rig.rows('SELECT count(*)::INT AS n FROM runs.runs')).toEqual([{ n: 4 }]);
  });

  test('are only looked at with --dry-run: the text is all that comes out', async () => {
    project({ 'data/x.csv': CSV });
    const { out, err } = await add('data/x.csv', '--license', 'MIT', '--dry-run');
    expect(out).toBe("SOURCE (\n  name x,\n  uri '../data/x.csv',\n  license 'MIT'\n);\n");
    expect(err).toContain('id BIGINT');
    expect(declared()).toEqual([]);
  });
});

describe('nothing is written', () => {
  const refused = async (...argv: readonly string[]): Promise<string> => {
    const before = declared();
    const { code, err } = await rig.run('source', 'add', ...argv);
    expect(code).toBe(1);
    expect(declared()).toEqual(before);
    return err;
  };

  test('for an address that nobody reads, a file that is not there, one that is no data, or no name', async () => {
    project({ 'data/x.csv': CSV });
    expect(await refused('gopher://127.0.0.1/x.csv')).toMatch(/SL0503/);
    expect(await refused(`${archive.url}/missing.csv`)).toMatch(/SL0506.*404/);
    expect(await refused('zenodo:999')).toMatch(/SL0506.*404/);
    expect(await refused('data/y.csv')).toMatch(/SL0501.*no file/);
    expect(await refused('data/x.csv', '--format', 'h5ad')).toMatch(/error SL06/);
    expect(await refused('data/x.csv', '--format', 'h6ad')).toMatch(/error SL0/);
    expect(await refused('data/x.csv', '--name', 'no name')).toMatch(/SL0105/);
  });

  test('with a user or a password, which are not repeated', async () => {
    project();
    const err = await refused('https://jane:secret@127.0.0.1/x.csv');
    expect(err).toMatch(/SL0105.*user or a password/);
    expect(err).not.toContain('secret');
  });

  test('where the name is taken, by a source or by models', async () => {
    project({
      'data/x.csv': CSV,
      'sources/one.sql': "\nSOURCE (name lab, uri '../data/other.csv', license 'MIT');",
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT 1 AS id',
    });
    expect(await refused('data/x.csv', '--name', 'LAB')).toMatch(/sources\/one\.sql:2:1.*SL0303/);
    expect(await refused('data/x.csv', '--name', 's')).toMatch(/models\/m\.sql:1:\d+.*SL0303.*model/);
    expect(await refused('data/x.csv', '--name', 'one')).toMatch(/sources\/one\.sql:1:1.*SL0303/);
    expect(await refused('data/x.csv', '--name', 'main')).toMatch(/SL0303/);
  });

  test('where a source has the address already, however it is written', async () => {
    project({
      'data/x.csv': CSV,
      'sources/lab.sql': "SOURCE (\n  name lab,\n  uri '../data/x.csv'\n);",
      'sources/zen.sql': "SOURCE (name zen, uri 'zenodo:101/a.csv');",
    });
    expect(await refused('./data/../data/x.csv')).toMatch(/sources\/lab\.sql:3:7.*SL0518.*"lab"/);
    expect(await refused('https://zenodo.org/records/101/files/a.csv')).toMatch(/sources\/zen\.sql:1:\d+.*SL0518/);
  });

  test('beside sources that cannot be read', async () => {
    project({ 'data/x.csv': CSV, 'sources/lab.sql': 'SOURCE (name lab);' });
    expect(await refused('data/x.csv')).toMatch(/sources\/lab\.sql:1:1.*SL0104/);
  });

  test('by another word than add', async () => {
    project();
    expect((await rig.run('source', 'remove', 'x')).code).toBe(2);
  });
});
