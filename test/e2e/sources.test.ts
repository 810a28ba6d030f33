import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { tarOf, zipOf } from '../convert/archive-builder.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const matrix = {
  'sources/pbmc.sql': "SOURCE (name pbmc, uri 'm/matrix.mtx', license 'CC0-1.0');",
  'sources/m/matrix.mtx': '%%MatrixMarket matrix coordinate integer general\n3 2 3\n1 1 5\n3 1 2\n2 2 7\n',
  'sources/m/features.tsv': 'g1\tGENE1\tGene Expression\ng2\tGENE2\tGene Expression\ng3\tGENE3\tGene Expression\n',
  'sources/m/barcodes.tsv': 'AAAC\nAAAG\n',
  'models/counts.sql':
    'MODEL (name s.counts, kind FULL);\nSELECT o.obs_name, sum(x.value)::INT AS n FROM pbmc.x AS x JOIN pbmc.obs AS o USING (cell_idx) GROUP BY ALL',
};

describe('a matrix with its side files', () => {
  test('becomes tables that models read', async () => {
    rig = makeRig(matrix);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.counts ORDER BY obs_name')).toEqual([
      { obs_name: 'AAAC', n: 7 },
      { obs_name: 'AAAG', n: 7 },
    ]);
  });

  test('is a changed source when a side file changes', async () => {
    rig = makeRig(matrix);
    await rig.ok('apply');
    rig.write({ 'sources/m/barcodes.tsv': 'TTTT\nAAAG\n' });
    await rig.ok('apply');
    expect(await rig.rows('SELECT obs_name FROM s.counts ORDER BY obs_name')).toEqual([
      { obs_name: 'AAAG' },
      { obs_name: 'TTTT' },
    ]);
  });
});

describe('a parquet file', () => {
  test('enters the lake as it is, and stays where it was', async () => {
    rig = makeRig({
      'sources/peaks.sql': "SOURCE (name peaks, uri 'peaks.parquet');",
      'models/ids.sql':
        'MODEL (name s.ids, kind FULL);\nSELECT id::INT AS id, s.a[1]::INT AS a FROM peaks.peaks WHERE id > 7',
    });
    const file = path.join(rig.folder, 'sources/peaks.parquet');
    const database = await duckdb.open();
    await database.run(
      `COPY (SELECT i AS id, {'a': [i, NULL]} AS s, TIMESTAMPTZ '2020-01-01 00:00:00+00' AS t FROM range(10) AS t(i)) TO ${literal(file)} (FORMAT parquet)`,
    );
    database.close();
    const before = fs.readFileSync(file);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.ids ORDER BY id')).toEqual([
      { id: 8, a: 8 },
      { id: 9, a: 9 },
    ]);
    expect(fs.readFileSync(file).equals(before)).toBe(true);
    expect(fs.statSync(file).nlink).toBe(1);
    const kept = fs
      .readdirSync(path.join(rig.folder, '.scilake'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('peaks') && name.endsWith('.parquet'))
      .map((name) => fs.readFileSync(path.join(rig.folder, '.scilake', name)));
    expect(kept.map((bytes) => bytes.equals(before))).toEqual([true]);
  });
});

describe('an archive', () => {
  const members = [
    { name: 'GSM1_matrix.mtx', content: matrix['sources/m/matrix.mtx'] },
    { name: 'GSM1_barcodes.tsv', content: matrix['sources/m/barcodes.tsv'] },
    { name: 'GSM1_features.tsv', content: matrix['sources/m/features.tsv'] },
    { name: 'donors.jsonl', content: '{"donor": "D1", "cell": "AAAC"}\n{"donor": "D2", "cell": "AAAG"}\n' },
    { name: 'README', content: 'words' },
  ];
  const project = (file: string): Readonly<Record<string, string>> => ({
    'sources/geo.sql': `SOURCE (name geo, uri '${file}', license 'CC0-1.0', format_options (max_members = 100, members = 'GSM1*|donors.jsonl'));`,
    'models/counts.sql':
      'MODEL (name s.counts, kind FULL);\nSELECT d.donor, sum(x.value)::INT AS n FROM geo.GSM1__X AS x JOIN geo.GSM1__obs AS o USING (cell_idx) JOIN geo.donors AS d ON d.cell = o.obs_name GROUP BY ALL',
  });

  test.each([
    ['geo.tar.gz', gzipSync(tarOf(members))],
    ['geo.zip', zipOf(members)],
  ])('(%s) becomes tables that models read', async (name, bytes) => {
    rig = makeRig(project(name));
    fs.writeFileSync(path.join(rig.folder, 'sources', name), bytes);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.counts ORDER BY donor')).toEqual([
      { donor: 'D1', n: 7 },
      { donor: 'D2', n: 7 },
    ]);
    expect((await rig.ok('plan')).out).toContain('Nothing to do');
  });

  test('that leads out of its folder is an error at its source, and nothing is made', async () => {
    rig = makeRig(project('geo.tar'));
    const bytes = tarOf([...members, { name: '../../PWNED', content: 'x' }]);
    fs.writeFileSync(path.join(rig.folder, 'sources', 'geo.tar'), bytes);
    const outcome = await rig.run('apply', '--json');
    expect(outcome.code).toBe(1);
    expect(outcome.out + outcome.err).toContain('SL0661');
    expect(outcome.out + outcome.err).toContain('leads out of the archive');
    expect(fs.existsSync(path.join(rig.folder, '..', 'PWNED'))).toBe(false);
    expect(fs.existsSync(path.join(rig.folder, 'PWNED'))).toBe(false);
  });
});
