import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const H5AD = path.resolve(import.meta.dirname, '../../sources/data/10x_pbmc68k_reduced.h5ad');

const project = {
  'sources/pbmc.sql': `SOURCE (name pbmc, uri '${H5AD}', license 'CC-BY-4.0');`,
  'models/matrix.sql':
    'MODEL (name s.matrix, kind FULL);\nSELECT gene_idx, cell_idx, value FROM pbmc.raw_x WHERE value > 1',
  'models/cells.sql': 'MODEL (name s.cells, kind FULL);\nSELECT cell_idx, obs_name, louvain, n_genes FROM pbmc.obs',
  'models/sums.sql': 'MODEL (name s.sums, kind FULL);\nSELECT louvain, count(*) AS n FROM pbmc.obs GROUP BY ALL',
};

test('a source, a matrix with its cells, and cells alone become h5ad files; any other table does not', async () => {
  rig = makeRig(project);
  await rig.ok('apply');

  const source = (await rig.ok('anndata', 'export', 'pbmc', 'source.h5ad', '--json')).json<{ elements: string[] }>();
  expect(source.elements).toEqual(expect.arrayContaining(['obs', 'X', 'raw/X', 'obsm/X_umap', 'uns']));
  await rig.ok('convert', H5AD, '--out', 'first');
  await rig.ok('convert', 'source.h5ad', '--out', 'second');
  const manifest = (name: string) => JSON.parse(rig.read(`${name}/manifest.json`));
  const elements = (name: string): readonly { path: string }[] =>
    manifest(name).elements.sort((a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1));
  expect(elements('second')).toEqual(elements('first'));

  await rig.ok('anndata', 'export', 's.matrix', 'matrix.h5ad', '--obs', 's.cells', '--var', 'pbmc.raw_var');
  await rig.ok('convert', 'matrix.h5ad', '--out', 'matrix');
  expect(manifest('matrix')).toMatchObject({ n_obs: 700, n_vars: 765 });
  const [counted] = await rig.rows<{ n: string }>('SELECT count(*) AS n FROM s.matrix');
  expect(manifest('matrix').elements.find((element: { path: string }) => element.path === 'X')).toMatchObject({
    kind: 'csr',
    dtype: 'float32',
    nnz: Number(counted?.n),
  });

  await rig.ok('anndata', 'export', 's.cells', 'cells.h5ad');
  await rig.ok('convert', 'cells.h5ad', '--out', 'cells');
  expect(manifest('cells').elements.map(({ path: at }: { path: string }) => at)).toEqual(['obs', 'var']);
  expect(manifest('cells').elements[0].columns.map(({ name }: { name: string }) => name)).toEqual([
    'louvain',
    'n_genes',
  ]);

  const refused = await rig.run('anndata', 'export', 's.sums', 'sums.h5ad');
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('SL0666') });
  expect(refused.err).toContain('its columns are louvain, n');
  const missing = await rig.run('anndata', 'export', 's.nothing', 'x.h5ad');
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('SL0660') });
  expect((await rig.run('anndata', 'export', 'pbmc', 'source.h5ad')).err).toContain('SL0605');
});
