import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchiveDouble } from '../ingest/archive-double.js';
import { makeRig, type Rig } from '../support/cli-rig.js';
import { pythonWith } from './python.js';

interface Checked {
  readonly prov: {
    readonly entities: readonly string[];
    readonly activities: number;
    readonly agents: readonly string[];
  };
  readonly rocrate: {
    readonly main: string;
    readonly mainTypes: readonly string[];
    readonly parts: readonly string[];
    readonly actions: readonly unknown[];
  };
  readonly openlineage: { readonly types: readonly string[]; readonly columns: unknown };
  readonly croissant: {
    readonly errors: readonly string[];
    readonly fields: readonly string[];
    readonly records: number;
  };
  readonly datacite: unknown;
  readonly cff: unknown;
  readonly bagit: { readonly valid: boolean; readonly payload: readonly string[] };
}

let archive: ArchiveDouble;
let rig: Rig;
let found: Checked;

/** A record of an archive, with a DOI of its own and one of all its versions. */
function recordOf(parts: Readonly<Record<string, string>>): object {
  return {
    id: 101,
    conceptrecid: '100',
    doi: '10.5281/zenodo.101',
    conceptdoi: '10.5281/zenodo.100',
    metadata: { title: 'Cells', access_right: 'open', license: { id: 'cc-by-4.0' } },
    files: Object.entries(parts).map(([key, text]) => ({
      key,
      size: text.length,
      checksum: `md5:${createHash('md5').update(text).digest('hex')}`,
      links: { self: `${archive.url}/files/${key}` },
    })),
  };
}

beforeAll(async () => {
  const parts: Readonly<Record<string, string>> = { 'one.csv': 'id\n1\n', 'two.csv': 'id\n2\n' };
  archive = await new ArchiveDouble((asked) =>
    asked.startsWith('/files/') ? { body: parts[asked.slice('/files/'.length)] } : { body: recordOf(parts) },
  ).listen();
  const project = {
    'sources/a.sql': `SOURCE (name a, uri 'a.csv', license 'CC BY 4.0', doi 'https://doi.org/10.1038/ncomms14049',
      accession 'GSE1', citation 'Zheng, G. X. Y. et al. Title (2017).', homepage 'https://example.org/a');`,
    'sources/b.sql': "SOURCE (name b, uri 'b.csv', license 'CC0-1.0');",
    'sources/c.sql': "SOURCE (name c, uri 'zenodo:100/*.csv');",
    'sources/a.csv': 'id,x,at\n1,10,2024-01-01\n2,20,2024-01-02\n3,30,2024-01-03\n',
    'sources/b.csv': 'id,y\n1,ä"<\n2,o\n',
    'models/p.sql': 'MODEL (name s.p, kind VIEW);\nFROM a.a',
    'models/m.sql':
      "MODEL (name s.m, kind FULL, description 'Of a and b.');\nSELECT p.x + 0.5 AS half, b.y, p.at, [p.x] AS list FROM s.p AS p JOIN b.b USING (id) WHERE p.id IN (SELECT id FROM c.c)",
  };
  rig = makeRig(project, { environment: { SCILAKE_ZENODO_URL: archive.url } });
  await rig.ok('apply');
  const out = path.join(rig.folder, 'out');
  await rig.ok('provenance', 's.m', '--out', out);
  const python = pythonWith([
    'prov==3.2.3',
    'rocrate==0.16.0',
    'openlineage-python==1.54.0',
    'mlcroissant==1.1.1',
    'bagit==1.9.0',
    'cffconvert==2.0.0',
    'datacite==1.3.1',
    'pyarrow',
  ]);
  const printed = execFileSync(python, [path.join(import.meta.dirname, 'check_exports.py'), out], { encoding: 'utf8' });
  found = JSON.parse(printed) as Checked;
}, 600_000);
afterAll(async () => {
  rig.dispose();
  await archive.close();
});

describe('what their own tools make of the exports', () => {
  test('PROV: raw files, those of a set too, what it is a version of, tables, the run, its author and programs', () => {
    expect(found.prov.entities.map((id) => id.replace(/-[0-9a-f]+/, ''))).toEqual([
      'scilake:doi/10.5281%2Fzenodo.100',
      'scilake:source/a',
      'scilake:source/b',
      'scilake:source/c',
      'scilake:source/c/one.csv',
      'scilake:source/c/two.csv',
      'scilake:table/s.m',
      'scilake:table/s.p',
    ]);
    expect(found.prov.activities).toBe(1);
    expect(found.prov.agents).toEqual(expect.arrayContaining(['tester', expect.stringMatching(/^duckdb v1\./)]));
  });

  test('RO-Crate: the last model is the workflow, and an action made the table from the raw files', () => {
    expect(found.rocrate).toMatchObject({
      main: 'data/models/s.m.sql',
      mainTypes: ['File', 'SoftwareSourceCode', 'ComputationalWorkflow'],
      parts: ['data/models/s.m.sql', 'data/models/s.p.sql', 'data/s.m.parquet'],
      actions: [
        {
          instrument: 'data/models/s.m.sql',
          objects: ['#source-a', '#source-b', '#source-c'],
          results: ['data/s.m.parquet'],
        },
      ],
    });
  });

  test('OpenLineage: start and end, and which column comes from which', () => {
    expect(found.openlineage.types).toEqual(['START', 'COMPLETE']);
    expect(found.openlineage.columns).toMatchObject({
      half: { inputFields: [{ name: 'a', field: 'a.x' }] },
      y: { inputFields: [{ name: 'b', field: 'b.y' }] },
    });
  });

  test('Croissant: valid, and its records read', () => {
    expect(found.croissant).toMatchObject({ errors: [], fields: ['half', 'y', 'at'], records: 2 });
  });

  test('DataCite, CITATION.cff: valid, with the DOIs of the sources', () => {
    expect(found.datacite).toEqual({
      related: [
        { relatedIdentifier: '10.1038/ncomms14049', relatedIdentifierType: 'DOI', relationType: 'IsDerivedFrom' },
        { relatedIdentifier: '10.5281/zenodo.101', relatedIdentifierType: 'DOI', relationType: 'IsDerivedFrom' },
        { relatedIdentifier: '10.5281/zenodo.100', relatedIdentifierType: 'DOI', relationType: 'References' },
      ],
      rights: ['CC-BY-4.0', 'CC0-1.0'],
    });
    expect(found.cff).toEqual({ references: ['a', 'b', 'Cells'] });
  });

  test('BagIt: every checksum holds', () => {
    expect(found.bagit).toMatchObject({ valid: true, payload: expect.arrayContaining(['data/s.m.parquet']) });
  });
});

test('a folder that holds something is left alone', async () => {
  rig.write({ 'mine/file': 'x' });
  const refused = await rig.run('provenance', 's.m', '--out', path.join(rig.folder, 'mine'));
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/SL0904/) });
  expect(rig.read('mine/file')).toBe('x');
});
