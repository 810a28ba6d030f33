import { afterEach, describe, expect, test } from 'vitest';
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
