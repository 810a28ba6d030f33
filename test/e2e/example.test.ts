import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

/** Figures computed once by scanpy and pandas, independently of the SQL: see test/example/make_expected.py. */
interface Expected {
  readonly tolerance: { readonly relative: number; readonly absolute: number };
  readonly totals: Readonly<Record<string, number>>;
  readonly cells_by_cluster: readonly { readonly cluster: number; readonly n_cells: number }[];
  readonly cluster_expression: readonly Readonly<Record<string, number | string>>[];
  readonly cells: readonly Readonly<Record<string, number | string | boolean | null>>[];
  readonly cluster_cell_types: readonly Readonly<Record<string, number | string | null>>[];
}

const expected = JSON.parse(readFileSync('test/example/expected.json', 'utf8')) as Expected;
const parts = ['scilake.yaml', 'sources', 'models', 'audits', 'seeds', 'test/models'];

let rig: Rig;
beforeAll(async () => {
  rig = makeRig();
  for (const part of parts) cpSync(part, path.join(rig.folder, part), { recursive: true });
  await rig.ok('apply');
});
afterAll(() => rig.dispose());

/** Compares the columns that the expected row names; numbers within the stated tolerance. */
function expectRow(
  found: Readonly<Record<string, unknown>> | undefined,
  wanted: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(wanted)) {
    const actual = found?.[name];
    if (typeof value === 'number') {
      const allowed = expected.tolerance.absolute + expected.tolerance.relative * Math.abs(value);
      expect(
        Math.abs(Number(actual) - value),
        `${name} of ${JSON.stringify(wanted)} is ${String(actual)}`,
      ).toBeLessThanOrEqual(allowed);
    } else expect(actual, `${name} of ${JSON.stringify(wanted)}`).toEqual(value);
  }
}

describe('the example project gives what scanpy gives', () => {
  test('for mean expression and share of expressing cells by cluster and gene', async () => {
    const rows = await rig.rows<Record<string, unknown>>('FROM analytics.cluster_expression');
    for (const wanted of expected.cluster_expression)
      expectRow(
        rows.find((row) => row.cluster === wanted.cluster && row.gene === wanted.gene),
        wanted,
      );
    expect(rows).toHaveLength(expected.totals.n_cluster_gene_pairs ?? -1);
  });

  test('for the figures of single cells', async () => {
    const rows = await rig.rows<Record<string, unknown>>('FROM analytics.cell_quality');
    for (const wanted of expected.cells)
      expectRow(
        rows.find((row) => row.cell_idx === wanted.cell_idx),
        wanted,
      );
    expect(rows.filter((row) => row.is_outlier === true)).toHaveLength(expected.totals.n_outlier_cells ?? -1);
  });

  test('for the best-supported cell type of each cluster', async () => {
    const rows = await rig.rows<Record<string, unknown>>('FROM analytics.cluster_cell_types');
    for (const wanted of expected.cluster_cell_types)
      expectRow(
        rows.find((row) => row.cluster === wanted.cluster),
        wanted,
      );
  });

  test('for totals over all cells and genes', async () => {
    const [totals] = await rig.rows<Record<string, unknown>>(
      'SELECT (SELECT count(*) FROM staging.cells) AS n_cells, (SELECT count(*) FROM staging.genes) AS n_genes, count(*) AS n_nonzero, sum(log_expression) AS sum_log_expression FROM staging.expression',
    );
    const { n_cells, n_genes, n_nonzero, sum_log_expression } = expected.totals;
    expectRow(totals, { n_cells, n_genes, n_nonzero, sum_log_expression });
  });
});

test('all unit tests of the example pass', async () => {
  rig.write({ 'scilake.yaml': readFileSync('scilake.yaml', 'utf8') });
  const outcome = await rig.ok('test', '--json');
  expect(outcome.json<readonly { readonly status: string }[]>().map((one) => one.status)).not.toContain('failed');
});

test('the matrix in the lake is a hard link of its own, at a relative path', async () => {
  const metadata = '"__ducklake_metadata___scilake".main';
  const [table] = await rig.rows<{ readonly table_name: string }>(
    `SELECT table_name FROM ${metadata}.ducklake_table WHERE starts_with(table_name, 'x__')`,
  );
  const files = await rig.rows<{ readonly data_file: string }>(
    `SELECT data_file FROM ducklake_list_files('__scilake', '${table?.table_name}', schema => 'scilake__pbmc68k')`,
  );
  expect(files).toHaveLength(1);
  const file = files[0]?.data_file ?? '';
  expect(file.startsWith(path.join(rig.folder, '.scilake/lake/data/scilake__pbmc68k'))).toBe(true);
  const [recorded] = await rig.rows<{ readonly relative: boolean }>(
    `SELECT bool_and(path_is_relative) AS relative FROM ${metadata}.ducklake_data_file`,
  );
  expect({ exists: existsSync(file), links: statSync(file).nlink, relative: recorded?.relative }).toEqual({
    exists: true,
    links: 1,
    relative: true,
  });
  expect(readdirSync(path.join(rig.folder, '.scilake/staging'))).toEqual([]);
});

test('the example project is laid out and linted as its own tools want it', async () => {
  expect((await rig.ok('format', '--check')).out).toContain('0 to change');
  await rig.ok('lint');
});
