import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

const H5AD = path.resolve(import.meta.dirname, '../../sources/data/10x_pbmc68k_reduced.h5ad');

let rig: Rig;
beforeAll(async () => {
  rig = makeRig({
    'sources/pbmc.sql': `SOURCE (name pbmc, uri '${H5AD}', license 'CC-BY-4.0');`,
    'models/nkg7.sql':
      "MODEL (name s.nkg7, kind FULL, sources (pbmc));\nSELECT obs_name, value FROM anndata_x('pbmc', gene := 'NKG7', layer := 'raw')",
    'models/bulk.sql':
      "MODEL (name s.bulk, kind FULL, audits (complete, number_of_rows(threshold := 1)));\nSELECT group_name, var_name, mean, fraction FROM anndata_pseudobulk('pbmc', 'louvain', layer := 'raw')",
    'audits/complete.sql':
      "AUDIT (name complete);\nSELECT count(*) AS n FROM @this_model HAVING count(*) <> (SELECT count(*) FROM anndata_pseudobulk('pbmc', 'louvain', layer := 'raw'))",
    'models/seen.sql':
      "MODEL (name s.seen);\nSELECT cell_idx, value FROM anndata_x('pbmc', gene := 'CST3', layer := 'raw') WHERE value > 3",
    'models/inner.sql': "MODEL (name s.inner, kind EMBEDDED);\nSELECT * FROM anndata_top_genes('pbmc', n := 5)",
    'models/outer.sql': 'MODEL (name s.outer, kind FULL);\nSELECT var_name, rank FROM s.inner',
    'models/wide.sql':
      "MODEL (name s.wide, kind FULL);\nSELECT * FROM (PIVOT (SELECT obs_name, var_name, value FROM anndata_x('pbmc', layer := 'raw')) ON var_name IN ('CD3D', 'NKG7') USING first(value) GROUP BY obs_name)",
    'tests/test_nkg7.yaml': `nkg7_is_one_gene:
  model: s.nkg7
  inputs:
    pbmc.raw_x:
      rows:
        - {gene_idx: 0, cell_idx: 0, value: 1.5}
        - {gene_idx: 1, cell_idx: 0, value: 7}
    pbmc.raw_var:
      rows:
        - {gene_idx: 0, var_name: NKG7}
        - {gene_idx: 1, var_name: other}
    pbmc.obs:
      rows:
        - {cell_idx: 0, obs_name: AAAC}
  outputs:
    query:
      rows:
        - {obs_name: AAAC, value: 1.5}
`,
  });
  await rig.ok('apply');
}, 120_000);
afterAll(() => rig.dispose());

const joined = `FROM pbmc.raw_x AS x JOIN pbmc.raw_var AS v USING (gene_idx) JOIN pbmc.obs AS o USING (cell_idx)`;

describe('anndata_x', () => {
  test('names the entries of X, of raw, of one gene and of one cell', async () => {
    const [all] = await rig.rows<object>(
      `SELECT (SELECT count(*) FROM anndata_x('pbmc')) AS x, (SELECT count(*) FROM pbmc.x) AS xs,
              (SELECT count(*) FROM anndata_x('pbmc', layer := 'raw')) AS raw, (SELECT count(*) FROM pbmc.raw_x) AS raws`,
    );
    const counts = Object.values(all ?? {});
    expect([counts[0], counts[2]]).toEqual([counts[1], counts[3]]);
    const differences = (macro: string, plain: string): Promise<readonly object[]> =>
      rig.rows(`(FROM ${macro} EXCEPT ALL (${plain})) UNION ALL ((${plain}) EXCEPT ALL FROM ${macro})`);
    const columns = 'SELECT cell_idx, gene_idx, obs_name, var_name, value';
    expect(
      await differences(
        "anndata_x('pbmc', gene := 'CD3D', layer := 'raw')",
        `${columns} ${joined} WHERE var_name = 'CD3D'`,
      ),
    ).toEqual([]);
    const cell = 'AAAGCCTGGCTAAC-1';
    expect(
      await differences(
        `anndata_x('pbmc', cell := '${cell}', layer := 'raw')`,
        `${columns} ${joined} WHERE obs_name = '${cell}'`,
      ),
    ).toEqual([]);
    expect(await rig.rows(`FROM anndata_x('pbmc', cell := '${cell}', gene := 'nothing')`)).toEqual([]);
  });

  test('of a source or layer that is not there is an error', async () => {
    expect((await rig.run('query', "FROM anndata_x('nope')")).err).toContain('nope');
    expect((await rig.run('query', "FROM anndata_x('pbmc', layer := 'counts')")).err).toContain('layers__counts');
  });
});

test('anndata_pseudobulk sums, averages and counts by group, cells without an entry included', async () => {
  const plain = `SELECT louvain AS g, var_name, sum(value::DOUBLE) AS total, count(*) FILTER (value > 0) AS expressing ${joined} GROUP BY ALL`;
  const [row] = await rig.rows<object>(
    `SELECT count(*) AS n, count(*) FILTER (
       abs(b.sum - coalesce(p.total, 0)) > 1e-9 OR abs(b.mean - coalesce(p.total, 0) / c.n) > 1e-12
       OR b.fraction <> coalesce(p.expressing, 0) / c.n OR b.n_cells <> c.n) AS wrong
     FROM anndata_pseudobulk('pbmc', 'Louvain', layer := 'raw') AS b
     JOIN (SELECT louvain, count(*) AS n FROM pbmc.obs GROUP BY ALL) AS c ON c.louvain = b.group_name
     LEFT JOIN (${plain}) AS p ON p.g = b.group_name AND p.var_name = b.var_name`,
  );
  expect(row).toEqual({ n: 11 * 765, wrong: 0 });
});

test('anndata_top_genes ranks by what is asked for', async () => {
  const genes = async (order: string): Promise<readonly string[]> =>
    (
      await rig.rows<{ var_name: string }>(
        `SELECT var_name FROM (SELECT var_name, sum(value::DOUBLE) / 700 AS mean,
           (sum(value::DOUBLE ** 2) - sum(value::DOUBLE) ** 2 / 700) / 699 AS variance, count(*) FILTER (value > 0) AS fraction ${joined} GROUP BY ALL)
         ORDER BY ${order} DESC LIMIT 7`,
      )
    ).map((row) => row.var_name);
  for (const [by, order] of [
    ['mean', 'mean'],
    ['variance', 'variance'],
    ['dispersion', 'variance / mean'],
  ] as const) {
    const top = await rig.rows<{ var_name: string; rank: string }>(
      `SELECT var_name, rank FROM anndata_top_genes('pbmc', rank_by := '${by}', n := 7, layer := 'raw')`,
    );
    expect(top.map((row) => row.var_name)).toEqual(await genes(order));
    expect(top.map((row) => Number(row.rank))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  }
  expect((await rig.run('query', "FROM anndata_top_genes('pbmc', rank_by := 'size')")).err).toContain(
    'ranks by mean, variance, dispersion or fraction',
  );
});

describe('models, audits and tests', () => {
  test('read through macros, EMBEDDED ones and those that pivot, too', async () => {
    expect(
      await rig.rows(
        `SELECT obs_name, value FROM s.nkg7 EXCEPT SELECT obs_name, value ${joined} WHERE var_name = 'NKG7'`,
      ),
    ).toEqual([]);
    expect(await rig.rows('SELECT count(*)::INT AS n FROM s.bulk')).toEqual([{ n: 11 * 765 }]);
    expect(await rig.rows('SELECT count(*)::INT AS n FROM s.outer')).toEqual([{ n: 5 }]);
    expect(await rig.rows(`SELECT count(*)::INT AS n, count("CD3D")::INT AS cd3d FROM s.wide`)).toEqual(
      await rig.rows(
        `SELECT count(DISTINCT obs_name)::INT AS n, count(*) FILTER (var_name = 'CD3D')::INT AS cd3d ${joined}`,
      ),
    );
    const evaluated = await rig.ok('evaluate', 's.nkg7', '--limit', '3', '--json');
    expect(evaluated.json<readonly object[]>().length).toBe(3);
    await rig.ok('test');
  });

  test('are kept as views with the tables in place of the macro', async () => {
    expect(
      await rig.rows(
        `SELECT cell_idx, value FROM s.seen EXCEPT SELECT cell_idx, value ${joined} WHERE var_name = 'CST3' AND value > 3`,
      ),
    ).toEqual([]);
    expect(await rig.rows('SELECT count(*) > 0 AS some FROM s.seen')).toEqual([{ some: true }]);
  });

  test('have a lineage that ends at the columns of the source', async () => {
    const lineage = async (model: string) =>
      (await rig.ok('lineage', model, '--json')).json<{
        models: Record<
          string,
          { tables: string[]; columns: Record<string, string[]>; rows: string[]; unknown: boolean }
        >;
      }>().models[model];
    expect(await lineage('s.nkg7')).toEqual({
      tables: ['pbmc.obs', 'pbmc.raw_var', 'pbmc.raw_x'],
      columns: { obs_name: ['pbmc.obs.obs_name'], value: ['pbmc.raw_x.value'] },
      rows: expect.arrayContaining(['pbmc.raw_var.var_name', 'pbmc.raw_x.gene_idx', 'pbmc.raw_x.cell_idx']),
      unknown: false,
    });
    expect((await lineage('s.bulk'))?.columns).toMatchObject({
      group_name: ['pbmc.obs.louvain'],
      var_name: ['pbmc.raw_var.var_name'],
      mean: expect.arrayContaining(['pbmc.raw_x.value']),
    });
    expect((await lineage('s.seen'))?.columns).toEqual({
      cell_idx: ['pbmc.obs.cell_idx'],
      value: ['pbmc.raw_x.value'],
    });
    const graph = (await rig.ok('graph', '--json')).json<{ edges: readonly { from: string; to: string }[] }>();
    expect(JSON.stringify(graph.edges)).toContain('s.nkg7');
  });
});
