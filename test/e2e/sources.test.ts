import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
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
