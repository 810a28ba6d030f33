import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cell, type Database, duckdb } from '../../src/effects/duckdb.js';
import { type Converted, convert, refusal, schemaOf, temporaryFolder } from './support.js';

/** A folder of raw files with `expected.json` beside them, outside the repository: real and hostile files of many kinds. */
const fixtures = process.env.SCILAKE_FIXTURES ?? '';

interface ExpectedColumn {
  readonly dtype: string;
  readonly nulls: number;
  readonly sum?: number | string;
  readonly true?: number;
  readonly categories?: readonly (string | number)[];
  readonly ordered?: boolean;
  readonly codes?: readonly number[];
  readonly head?: readonly string[];
}

interface ExpectedFrame {
  readonly index_name: string | null;
  readonly index_head: readonly string[];
  readonly n: number;
  readonly columns: readonly string[];
  readonly cols: Readonly<Record<string, ExpectedColumn>>;
}

interface ExpectedMatrix {
  readonly kind: 'csr' | 'csc' | 'dense';
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly nnz_stored?: number;
  readonly nan?: number;
  readonly nonzero?: number;
  readonly sum: number | string;
  readonly sum_per_row?: readonly (number | string)[];
  readonly sum_per_col?: readonly (number | string)[];
}

type Named<T> = Readonly<Record<string, T>>;

interface ExpectedAnnData {
  readonly expect?: 'error';
  readonly n_obs: number;
  readonly n_vars: number;
  readonly X: ExpectedMatrix | null;
  readonly obs: ExpectedFrame;
  readonly var: ExpectedFrame;
  readonly layers: Named<ExpectedMatrix>;
  readonly obsm: Named<ExpectedMatrix | (ExpectedFrame & { readonly kind: 'dataframe' })>;
  readonly varm: Named<ExpectedMatrix | (ExpectedFrame & { readonly kind: 'dataframe' })>;
  readonly obsp: Named<ExpectedMatrix>;
  readonly varp: Named<ExpectedMatrix>;
  readonly uns_keys: readonly string[];
  readonly raw: { readonly n_vars: number; readonly X: ExpectedMatrix; readonly var: ExpectedFrame } | null;
}

interface ExpectedTable {
  readonly expect?: 'error';
  readonly n_rows?: number;
  readonly columns?: readonly string[];
  readonly pos_sum?: number;
  readonly beta_na?: number;
  readonly trait_empty?: number;
  readonly padded_first?: string;
  readonly txt0?: string;
  readonly txt1?: string;
  readonly n_genes?: number;
  readonly n_cells?: number;
  readonly sum?: number;
}

/** Facts of a matrix of cells by genes, however it was stored. */
interface ExpectedCounts {
  readonly n_obs?: number;
  readonly n_vars?: number;
  readonly anndata_shape?: readonly number[];
  readonly shape?: readonly number[];
  readonly nnz?: number;
  readonly nnz_expanded?: number;
  readonly sum?: number;
  readonly sum_expanded?: number;
  readonly sum_per_gene?: readonly number[];
  readonly sum_per_cell?: readonly number[];
  readonly obs_head?: readonly string[];
  readonly var_head?: readonly string[];
  readonly cells?: readonly string[];
  readonly genes?: readonly string[];
}

interface ExpectedMtx extends ExpectedCounts {
  readonly expect?: 'error';
}

interface ExpectedArchive {
  readonly expect?: string;
  readonly mtx?: ExpectedCounts;
}

interface ExpectedPickle {
  readonly expect?: 'error';
  readonly n_rows?: number;
  readonly n?: number;
  readonly shape?: readonly number[];
  readonly cols?: Readonly<Record<string, ExpectedColumn>>;
}

interface ExpectedRds extends ExpectedCounts {
  readonly expect?: string;
  readonly kind?: string;
  readonly names?: readonly string[];
  readonly counts?: ExpectedCounts;
  readonly columns?: readonly string[];
  readonly obs_columns?: readonly string[];
  readonly var_columns?: readonly string[];
  readonly n_rows?: number;
  readonly row_names?: readonly string[];
  readonly nulls?: Readonly<Record<string, number>>;
  readonly score_finite_sum?: number;
  readonly day_first?: string;
  readonly label_2?: string;
  readonly value_0?: string;
  readonly pca_sum?: number;
  readonly logcounts_sum?: number;
  readonly data_sum?: number;
  readonly column_major?: boolean;
  readonly value_g2_c3?: number;
  readonly n_true?: number;
  readonly length?: number;
}

async function checkCounts(converted: Converted, at: string, expected: ExpectedCounts): Promise<void> {
  const entry = converted.manifest.elements.find((element) => element.path === at);
  const shape = expected.anndata_shape ?? expected.shape ?? [expected.n_obs ?? 0, expected.n_vars ?? 0];
  expect(entry?.shape).toEqual(shape);
  expect([converted.manifest.n_obs, converted.manifest.n_vars]).toEqual(shape);
  const rows = await converted.rows(at);
  expect(rows.length).toBe(expected.nnz ?? expected.nnz_expanded);
  const sums = (axis: string, length: number): readonly number[] => {
    const found = new Array<number>(length).fill(0);
    for (const row of rows) found[Number(row[axis])] = (found[Number(row[axis])] ?? 0) + Number(row.value);
    return found;
  };
  const total = sums('cell_idx', shape[0] ?? 0).reduce((sum, value) => sum + value, 0);
  expect(total).toBe(expected.sum ?? expected.sum_expanded);
  if (expected.sum_per_gene !== undefined) expect(sums('gene_idx', shape[1] ?? 0)).toEqual(expected.sum_per_gene);
  if (expected.sum_per_cell !== undefined) expect(sums('cell_idx', shape[0] ?? 0)).toEqual(expected.sum_per_cell);
  const order = rows.map((row) => Number(row.gene_idx) * 2 ** 20 + Number(row.cell_idx));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  const obs = (await converted.rows('obs', 'ORDER BY cell_idx')).map((row) => row.obs_name);
  const vars = (await converted.rows('var', 'ORDER BY gene_idx')).map((row) => row.var_name);
  const cells = expected.cells ?? expected.obs_head ?? [];
  const genes = expected.genes ?? expected.var_head ?? [];
  expect(obs.slice(0, cells.length)).toEqual(cells);
  expect(vars.slice(0, genes.length)).toEqual(genes);
}

function expectedOf<T>(folder: string): readonly (readonly [string, T])[] {
  const file = path.join(fixtures, folder, 'expected.json');
  if (fixtures === '' || !fs.existsSync(file)) return [];
  const entries: Record<string, T> = JSON.parse(fs.readFileSync(file, 'utf8'));
  return Object.entries(entries);
}

/** A number as the reference wrote it: NaN and infinities are words. */
function numberOf(value: Cell | number | undefined): number {
  if (value === 'nan') return Number.NaN;
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  return Number(value);
}

/**
 * The reference added up float32 matrices in float32 (raw/X of pbmc68k is 1.1e-6 off), these tests in float64: 1e-5 of
 * the size is above that rounding and below a lost entry; counts are compared exactly.
 */
function expectNear(found: Cell, wanted: number | string, what: string): void {
  const [a, b] = [numberOf(found), numberOf(wanted)];
  if (Number.isNaN(b) || !Number.isFinite(b)) expect(a, what).toBe(b);
  else expect(Math.abs(a - b), `${what}: ${a} is near ${b}`).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(b)));
}

async function checkFrame(converted: Converted, at: string, expected: ExpectedFrame): Promise<void> {
  const entry = converted.manifest.elements.find((element) => element.path === at);
  const [key, name] = at.endsWith('var') || at.startsWith('varm') ? ['gene_idx', 'var_name'] : ['cell_idx', 'obs_name'];
  const rows = await converted.rows(at, `ORDER BY ${key}`);
  expect(rows.length).toBe(expected.n);
  expect(rows.map((row) => row[key])).toEqual(rows.map((_, i) => i));
  expect(rows.slice(0, expected.index_head.length).map((row) => row[name])).toEqual(expected.index_head);
  expect(entry?.columns?.map((column) => column.name)).toEqual(expected.columns);
  for (const column of entry?.columns ?? []) {
    const facts = expected.cols[column.name];
    if (facts === undefined) continue;
    const what = `${at}/${column.name}`;
    expect(column.dtype, what).toBe(facts.dtype);
    const values = rows.map((row) => row[column.col] ?? null);
    const isFloat = facts.dtype.startsWith('float');
    const isMissing = (value: Cell): boolean => value === null || (isFloat && Number.isNaN(numberOf(value)));
    expect(values.filter(isMissing).length, what).toBe(facts.nulls);
    if (isFloat) expect(values.includes(null), `${what}: NaN stays NaN`).toBe(false);
    if (facts.sum !== undefined) {
      const sum = values.reduce<number>((total, value) => total + (isMissing(value) ? 0 : numberOf(value)), 0);
      expectNear(sum, facts.sum, what);
    }
    if (facts.true !== undefined) expect(values.filter((value) => value === true).length, what).toBe(facts.true);
    if (facts.head !== undefined) expect(values.slice(0, facts.head.length), what).toEqual(facts.head);
    if (facts.categories !== undefined) {
      expect(column.categories, what).toEqual(facts.categories);
      expect(column.ordered, what).toBe(facts.ordered);
      const codes = values.map((value) =>
        value === null ? -1 : (column.categories ?? []).findIndex((category) => String(category) === String(value)),
      );
      expect(codes.slice(0, facts.codes?.length), what).toEqual(facts.codes);
    }
  }
}

async function checkMatrix(converted: Converted, at: string, expected: ExpectedMatrix): Promise<void> {
  const entry = converted.manifest.elements.find((element) => element.path === at);
  expect(entry?.shape, at).toEqual(expected.shape);
  expect(entry?.dtype, at).toBe(expected.dtype);
  const value = expected.dtype === 'bool' ? 'value::INTEGER' : 'value::DOUBLE';
  if (entry?.kind === 'array') {
    const rows = await converted.rows(at);
    const columns = Array.from({ length: expected.shape[1] ?? 1 }, (_, c) =>
      rows.reduce((sum, row) => sum + (Number.isNaN(numberOf(row[`d${c}`])) ? 0 : numberOf(row[`d${c}`])), 0),
    );
    expect(rows.length, at).toBe(expected.shape[0]);
    expectNear(
      columns.reduce((sum, column) => sum + column, 0),
      expected.sum,
      at,
    );
    for (const [c, wanted] of (expected.sum_per_col ?? []).entries())
      expectNear(columns[c] ?? null, wanted, `${at} d${c}`);
    return;
  }
  expect(entry?.kind, at).toBe(expected.kind);
  const count = Number(await converted.value(at, 'count(value)'));
  expect(count, at).toBe(expected.nnz_stored ?? (expected.shape[0] ?? 0) * (expected.shape[1] ?? 0));
  // The reference sums a dense matrix without its NaN, a sparse one with them.
  const counted = expected.kind === 'dense' ? `FILTER (WHERE NOT isnan(${value}::DOUBLE))` : '';
  expectNear(await converted.value(at, `coalesce(sum(${value}) ${counted}, 0)::DOUBLE`), expected.sum, at);
  if (expected.nan !== undefined && expected.dtype.startsWith('float')) {
    expect(Number(await converted.value(at, 'count(*) FILTER (WHERE isnan(value))')), at).toBe(expected.nan);
  }
  if (expected.nonzero !== undefined) {
    expect(Number(await converted.value(at, 'count(*) FILTER (WHERE value <> 0)')), at).toBe(expected.nonzero);
  }
  const skipsNaN = expected.kind === 'dense';
  const [first, second] = axesOf(converted, at);
  await checkSums(converted, at, { axis: first, skipsNaN, wanted: expected.sum_per_row });
  await checkSums(converted, at, { axis: second, skipsNaN, wanted: expected.sum_per_col });
}

/** Names of the row and the column axis of a table of entries. */
function axesOf(converted: Converted, at: string): readonly [string, string] {
  const names = converted.conversion.elements.find((element) => element.path === at)?.columns.map((c) => c.name) ?? [];
  const row = at.startsWith('var') ? 'gene_idx' : 'cell_idx';
  return [row, names.find((name) => name !== row && name !== 'value') ?? ''];
}

async function checkSums(
  converted: Converted,
  at: string,
  sums: {
    readonly axis: string;
    readonly skipsNaN: boolean;
    readonly wanted: readonly (number | string)[] | undefined;
  },
): Promise<void> {
  if (sums.wanted === undefined) return;
  const rows = await converted.rows(at);
  const found = sums.wanted.map(() => 0);
  for (const row of rows) {
    const i = Number(row[sums.axis]);
    const cell = row.value ?? null;
    const value = cell === true ? 1 : cell === false ? 0 : numberOf(cell);
    found[i] = (found[i] ?? 0) + (sums.skipsNaN && Number.isNaN(value) ? 0 : value);
  }
  for (const [i, wanted] of sums.wanted.entries()) expectNear(found[i] ?? null, wanted, `${at} by ${sums.axis} ${i}`);
}

describe.runIf(fixtures !== '')('files of SCILAKE_FIXTURES', () => {
  const folder = temporaryFolder();
  let database: Database;
  beforeAll(async () => {
    database = await duckdb.open();
  });
  afterAll(() => database.close());

  for (const set of ['h5ad', 'h5ad_real']) {
    for (const [name, expected] of expectedOf<ExpectedAnnData>(set)) {
      const file = path.join(fixtures, set, name);
      if (expected.expect === 'error') {
        test(`${set}/${name} is refused by one named error`, { timeout: 30_000 }, async () => {
          const errors = await refusal(folder, { file });
          expect(errors).toHaveLength(1);
          expect(errors[0]?.code).toMatch(/^SL06/);
        });
        continue;
      }
      test(`${set}/${name} keeps every element`, { timeout: 60_000 }, async () => {
        const converted = await convert(database, folder, { file });
        expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
        expect(converted.manifest.n_obs).toBe(expected.n_obs);
        expect(converted.manifest.n_vars).toBe(expected.n_vars);
        await checkFrame(converted, 'obs', expected.obs);
        await checkFrame(converted, 'var', expected.var);
        const paths = converted.conversion.elements.map((element) => element.path);
        expect(paths.includes('X')).toBe(expected.X !== null);
        if (expected.X !== null) await checkMatrix(converted, 'X', expected.X);
        for (const group of ['layers', 'obsm', 'varm', 'obsp', 'varp'] as const) {
          const own = paths.filter((at) => at.startsWith(`${group}/`)).map((at) => at.slice(group.length + 1));
          expect([...own].sort()).toEqual(Object.keys(expected[group]).sort());
          for (const [key, element] of Object.entries(expected[group])) {
            if (element.kind === 'dataframe') await checkFrame(converted, `${group}/${key}`, element);
            else await checkMatrix(converted, `${group}/${key}`, element);
          }
        }
        expect(paths.includes('raw/X')).toBe(expected.raw !== null);
        if (expected.raw !== null) {
          await checkMatrix(converted, 'raw/X', expected.raw.X);
          await checkFrame(converted, 'raw/var', expected.raw.var);
        }
        const uns = paths.includes('uns') ? await converted.rows('uns') : [];
        const keys = new Set(uns.map((row) => String(row.path).split('/')[0]));
        expect([...keys].sort()).toEqual([...expected.uns_keys].sort());
      });
    }
  }

  for (const [name, expected] of expectedOf<ExpectedMtx>('mtx')) {
    const file = path.join(fixtures, 'mtx', name);
    if (expected.expect === 'error') {
      test(`mtx/${name} is refused by one named error with its line`, async () => {
        const errors = await refusal(folder, { file });
        expect(errors).toHaveLength(1);
        expect(errors[0]?.code).toMatch(/^SL06/);
        expect(errors[0]?.message).toMatch(/line \d+/);
      });
      continue;
    }
    test(`mtx/${name} keeps every entry`, async () => {
      const converted = await convert(database, folder, { file });
      expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
      await checkCounts(converted, 'X', expected);
    });
  }

  for (const [name, expected] of expectedOf<ExpectedRds>('rds')) {
    const file = path.join(fixtures, 'rds', name);
    if (expected.expect !== undefined) {
      test(`rds/${name} is refused by one named error`, async () => {
        const errors = await refusal(folder, { file });
        expect(errors).toHaveLength(1);
        expect(errors[0]?.code).toMatch(/^SL06/);
      });
      continue;
    }
    test(`rds/${name} keeps what it holds`, async () => {
      const converted = await convert(database, folder, { file });
      expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
      const counts = expected.counts ?? (expected.nnz === undefined ? undefined : expected);
      if (counts !== undefined && expected.kind !== 'list') await checkCounts(converted, 'X', counts);
      const paths = converted.conversion.elements.map((element) => element.path);
      if (expected.kind === 'list') expect(paths).toEqual(expect.arrayContaining(['counts/X', 'mat/X', 'uns']));
      for (const name of expected.kind === 'RData' ? (expected.names ?? []) : []) {
        expect(
          paths.some((at) => at === name || at.startsWith(`${name}/`)),
          name,
        ).toBe(true);
      }
      const columnsOf = (at: string): readonly string[] =>
        converted.manifest.elements.find((element) => element.path === at)?.columns?.map((column) => column.name) ?? [];
      if (expected.obs_columns !== undefined) expect(columnsOf('obs')).toEqual(expected.obs_columns);
      if (expected.var_columns !== undefined) expect(columnsOf('var')).toEqual(expected.var_columns);
      if (expected.columns !== undefined) expect(columnsOf('table')).toEqual(expected.columns);
      if (expected.n_rows !== undefined)
        expect(await converted.value('table', 'count(*)::INTEGER')).toBe(expected.n_rows);
      if (expected.row_names !== undefined) {
        expect((await converted.rows('table')).map((row) => row.row_name)).toEqual(expected.row_names);
      }
      for (const [column, nulls] of Object.entries(expected.nulls ?? {})) {
        expect(await converted.value('table', `count(*) FILTER (WHERE "${column}" IS NULL)::INTEGER`), column).toBe(
          nulls,
        );
      }
      if (expected.score_finite_sum !== undefined) {
        const finite = 'sum(score) FILTER (WHERE isfinite(score))';
        expectNear(await converted.value('table', finite), expected.score_finite_sum, 'score');
        const rows = await converted.rows('table');
        expect(rows.slice(0, 4).map((row) => row.score)).toEqual(['NaN', null, 'Infinity', '-Infinity']);
        expect([rows[0]?.day, rows[0]?.ts, rows[2]?.label]).toEqual([
          expected.day_first,
          '2020-01-01 13:00:00+00',
          expected.label_2,
        ]);
      }
      if (expected.value_0 !== undefined) expect((await converted.rows('table'))[0]?.x).toBe(expected.value_0);
      const embedding = paths.find((at) => at.toLowerCase() === 'obsm/pca');
      if (expected.pca_sum !== undefined) {
        const sum = embedding === undefined ? null : await converted.value(embedding, 'sum(d0 + d1 + d2 + d3 + d4)');
        expectNear(sum, expected.pca_sum, 'pca');
      }
      const layerSum = expected.logcounts_sum ?? expected.data_sum;
      const layer = expected.logcounts_sum === undefined ? 'layers/data' : 'layers/logcounts';
      if (layerSum !== undefined) expectNear(await converted.value(layer, 'sum(value)'), layerSum, layer);
      if (expected.column_major === true) expect(Number(await converted.value('X', 'sum(value)'))).toBe(expected.sum);
      if (expected.value_g2_c3 !== undefined) {
        const value = 'sum(value) FILTER (WHERE gene_idx = 1 AND cell_idx = 2)';
        expect(Number(await converted.value('X', value))).toBe(expected.value_g2_c3);
      }
      if (expected.n_true !== undefined)
        expect(await converted.value('X', 'count(*) FILTER (WHERE value)::INTEGER')).toBe(expected.n_true);
      if (expected.length !== undefined)
        expect(await converted.value('table', 'sum(value)::BIGINT')).toBe(String(expected.sum));
    });
  }

  for (const [name, expected] of expectedOf<ExpectedPickle>('pickle')) {
    const file = path.join(fixtures, 'pickle', name);
    if (expected.expect === 'error') {
      test(`pickle/${name} is refused by one named error, nothing executed`, async () => {
        const errors = await refusal(folder, { file });
        expect(errors).toHaveLength(1);
        expect(errors[0]?.code).toMatch(/^SL06/);
        expect(fs.existsSync('PWNED')).toBe(false);
      });
      continue;
    }
    test(`pickle/${name} keeps every value`, async () => {
      const converted = await convert(database, folder, { file });
      expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
      const [element] = converted.manifest.elements;
      const at = element?.path ?? '';
      const rows = await converted.rows(at);
      expect(rows.length).toBe(expected.n_rows ?? expected.n ?? expected.shape?.[0]);
      for (const [column, facts] of Object.entries(expected.cols ?? {})) {
        const entry = element?.columns?.find((candidate) => candidate.name === column);
        expect(entry?.dtype, column).toBe(facts.dtype);
        const values = rows.map((row) => row[entry?.col ?? ''] ?? null);
        const isMissing = (value: Cell): boolean => value === null || value === 'NaN';
        expect(values.filter(isMissing).length, column).toBe(facts.nulls);
        if (typeof facts.sum === 'string') {
          expect(
            values.reduce<bigint>((sum, value) => sum + BigInt(String(value)), 0n),
            column,
          ).toBe(BigInt(facts.sum));
        } else if (facts.sum !== undefined) {
          const sum = values.reduce<number>((total, value) => total + (isMissing(value) ? 0 : Number(value)), 0);
          expectNear(sum, facts.sum, column);
        }
        if (facts.categories !== undefined)
          expect([entry?.categories, entry?.ordered]).toEqual([facts.categories, facts.ordered]);
        if (facts.true !== undefined) expect(values.filter((value) => value === true).length).toBe(facts.true);
      }
    });
  }

  for (const [name, expected] of expectedOf<ExpectedTable>('csv')) {
    const file = path.join(fixtures, 'csv', name);
    // Not UTF-8, and a NUL: their entries ask for an error in words.
    if (expected.expect === 'error' || name === 'latin1.csv' || name === 'nul.csv') {
      test(`csv/${name} is refused by one named error`, async () => {
        const errors = await refusal(folder, { file });
        expect(errors).toHaveLength(1);
        expect(errors[0]?.code).toMatch(/^SL06/);
        if (!name.endsWith('.gz')) expect(errors[0]?.location?.line).toBeGreaterThan(1);
      });
      if (name !== 'latin1.csv') continue;
      test('csv/latin1.csv is read when its encoding is given', async () => {
        const converted = await convert(database, folder, { file, options: { encoding: 'latin-1' } });
        expect((await converted.rows('table'))[0]).toEqual({ id: '1', name: 'café' });
      });
      continue;
    }
    test(`csv/${name} keeps every value`, async () => {
      const converted = await convert(database, folder, { file });
      expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
      const [element] = converted.conversion.elements;
      const columns = element?.columns.map((column) => column.name) ?? [];
      if (expected.n_rows !== undefined) expect(element?.rows).toBe(expected.n_rows);
      if (expected.columns !== undefined) expect(columns).toEqual(expected.columns);
      if (expected.pos_sum !== undefined) {
        expect(await converted.value('table', 'sum(pos)::BIGINT')).toBe(String(expected.pos_sum));
      }
      if (expected.beta_na !== undefined) {
        expect(await converted.value('table', 'count(*) FILTER (WHERE beta IS NULL)')).toBe(String(expected.beta_na));
        expect(element?.columns.find((column) => column.name === 'beta')?.type).toBe('DOUBLE');
      }
      if (expected.trait_empty !== undefined) {
        expect(await converted.value('table', 'count(*) FILTER (WHERE trait IS NULL)')).toBe(
          String(expected.trait_empty),
        );
      }
      const rows = await converted.rows('table');
      if (expected.padded_first !== undefined) expect(rows[0]?.padded_id).toBe(expected.padded_first);
      if (expected.txt0 !== undefined) expect(rows.map((row) => row.txt)).toEqual([expected.txt0, expected.txt1]);
      if (expected.n_genes !== undefined) {
        expect(rows.length).toBe(expected.n_genes);
        expect(columns.length - 1).toBe(expected.n_cells);
        const cells = rows.flatMap((row) => columns.slice(1).map((column) => Number(row[column])));
        expect(cells.reduce((sum, value) => sum + value, 0)).toBe(expected.sum);
      }
    });
  }

  for (const [name, expected] of expectedOf<ExpectedArchive>('tar')) {
    const file = path.join(fixtures, 'tar', name);
    // Names that differ in case only: refused is one of the two that its entry allows.
    if (expected.expect !== undefined) {
      test(`tar/${name} is refused by one named error, nothing escapes`, async () => {
        const errors = await refusal(folder, { file });
        expect(errors).toHaveLength(1);
        expect(errors[0]?.code).toMatch(/^SL06/);
        expect(fs.existsSync('/tmp/PWNED')).toBe(false);
      });
      continue;
    }
    test(`tar/${name} routes its members`, async () => {
      const converted = await convert(database, folder, { file });
      expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
      const elements = converted.conversion.elements.map(({ path: at, rows }) => [at, rows]);
      const inside = expected.mtx === undefined ? 'inner/' : '';
      expect(elements).toEqual(
        expect.arrayContaining([
          [`${inside}GSM1/X`, 959],
          [`${inside}meta`, 500],
        ]),
      );
      expect(converted.conversion.warnings.join('\n')).toContain('README.txt');
      if (expected.mtx === undefined) return;
      const rows = await converted.rows('GSM1/X');
      const sums = (axis: string, length: number): readonly number[] =>
        Array.from({ length }, (_, i) =>
          rows.filter((row) => row[axis] === i).reduce((sum, row) => sum + Number(row.value), 0),
        );
      expect(sums('gene_idx', expected.mtx.n_vars ?? 0)).toEqual(expected.mtx.sum_per_gene);
      expect(sums('cell_idx', expected.mtx.n_obs ?? 0)).toEqual(expected.mtx.sum_per_cell);
    });
  }
});
