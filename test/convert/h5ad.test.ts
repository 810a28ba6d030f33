import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import {
  categorical,
  encode,
  frame,
  type Group,
  numbers,
  order,
  SMALL,
  sparse,
  texts,
  writeAnnData,
} from './h5ad-builder.js';
import { type Converted, convert, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

/** Converts the small AnnData file after a change to it. */
async function converted(name: string, change?: (root: Group) => void): Promise<Converted> {
  return convert(database, folder, { file: await writeAnnData(path.join(folder, `${name}.h5ad`), change) });
}

/** The group `obs` of the small file, to add columns to. */
function obs(root: Group, columns: (group: Group) => void, names: readonly string[]): void {
  const group = root.get('obs');
  if (group === null || !('create_group' in group)) throw new Error('no obs');
  columns(group);
  order(group, names);
}

describe('the matrix', () => {
  test('of a CSR file is sorted by gene, then cell; zeros and NaN stay rows', async () => {
    const file = await converted('csr', (root) => sparse(root, 'X', SMALL));
    expect(await file.rows('X')).toEqual([
      { gene_idx: 0, cell_idx: 0, value: 2 },
      { gene_idx: 0, cell_idx: 2, value: 4 },
      { gene_idx: 1, cell_idx: 1, value: 0 },
      { gene_idx: 2, cell_idx: 2, value: 'NaN' },
      { gene_idx: 3, cell_idx: 0, value: 1 },
    ]);
    const entry = file.manifest.elements.find((element) => element.path === 'X');
    expect(entry).toMatchObject({ kind: 'csr', dtype: 'float32', shape: [3, 4], nnz: 5 });
  });

  test('keeps duplicate entries, in the order in which they are stored', async () => {
    const twice = { ...SMALL, pointers: [0, 2, 2, 2], indices: [1, 1], values: new Float32Array([7, 5]) };
    const file = await converted('duplicates', (root) => sparse(root, 'X', twice));
    expect((await file.rows('X')).map((row) => row.value)).toEqual([7, 5]);
  });

  test('of a CSC file whose cells are in no order is sorted all the same', async () => {
    const file = await converted('csc', (root) =>
      sparse(root, 'X', {
        layout: 'csc',
        shape: [3, 4],
        pointers: [0, 3, 3, 4, 4],
        indices: [2, 0, 1, 1],
        values: new BigInt64Array([30n, 10n, 20n, 9007199254740993n]),
      }),
    );
    const rows = await file.rows('X');
    expect(rows.map((row) => [row.gene_idx, row.cell_idx, row.value])).toEqual([
      [0, 0, '10'],
      [0, 1, '20'],
      [0, 2, '30'],
      [2, 1, '9007199254740993'],
    ]);
  });

  test('that is dense keeps every entry, by gene', async () => {
    const file = await converted('dense', (root) => numbers(root, 'X', new Int32Array([...Array(12).keys()]), [3, 4]));
    const rows = await file.rows('X');
    expect(rows.length).toBe(12);
    expect(rows.slice(0, 4).map((row) => [row.gene_idx, row.cell_idx, row.value])).toEqual([
      [0, 0, 0],
      [0, 1, 4],
      [0, 2, 8],
      [1, 0, 1],
    ]);
  });

  test('is the same in several passes as in one', async () => {
    // 300,000 entries of 8 bytes: more than the megabyte that the second conversion may sort in.
    const cells = 3;
    const genes = 100_000;
    const count = cells * genes;
    const file = await writeAnnData(path.join(folder, 'passes.h5ad'), (root) => {
      const names = Array.from({ length: genes }, (_, i) => `g${i}`);
      const raw = root.create_group('raw');
      encode(raw, 'raw', '0.1.0');
      frame(raw, 'var', names);
      sparse(raw, 'X', {
        layout: 'csr',
        shape: [cells, genes],
        pointers: [0, genes, 2 * genes, 3 * genes],
        indices: Array.from({ length: count }, (_, i) => (i * 7) % genes),
        values: Float32Array.from({ length: count }, (_, i) => i),
      });
    });
    const once = await convert(database, folder, { file });
    const often = await convert(database, folder, { file, options: { sort_memory_mb: '1' } });
    const digest = 'bit_xor(hash(gene_idx, cell_idx, value))::VARCHAR';
    expect(await often.value('raw/X', digest)).toBe(await once.value('raw/X', digest));
    const table = `read_parquet(${literal(path.join(often.out, 'raw_X.parquet'))})`;
    const steps = `SELECT (gene_idx, cell_idx) >= lag((gene_idx, cell_idx)) OVER () AS isInOrder FROM ${table}`;
    expect(await database.rows(`SELECT bool_and(isInOrder) AS ok FROM (${steps})`)).toEqual([{ ok: true }]);
  });
});

describe('a data frame', () => {
  test('has its categoricals as values; order and unused categories are in the manifest', async () => {
    const file = await converted('categorical', (root) =>
      obs(
        root,
        (group) =>
          categorical(group, 'stage', { codes: [1, -1, 0], categories: ['lo', 'hi', 'unused'], isOrdered: true }),
        ['stage'],
      ),
    );
    expect((await file.rows('obs')).map((row) => row.stage)).toEqual(['hi', null, 'lo']);
    expect(file.manifest.elements[0]?.columns?.[0]).toMatchObject({
      dtype: 'category',
      categories: ['lo', 'hi', 'unused'],
      ordered: true,
    });
  });

  test('of anndata 0.7 finds the categories behind an object reference', async () => {
    const file = await converted('reference', (root) =>
      obs(
        root,
        (group) => {
          const categories = group.create_group('__categories');
          const labels = categories.create_dataset({ name: 'kind', data: ['x', 'y'], shape: [2], dtype: 'S' });
          const codes = group.create_dataset({ name: 'kind', data: new Int8Array([1, 0, 1]), shape: [3] });
          codes.create_attribute('categories', labels.create_reference());
        },
        ['kind'],
      ),
    );
    expect((await file.rows('obs')).map((row) => row.kind)).toEqual(['y', 'x', 'y']);
  });

  test('has masked values as NULL and NaN as NaN', async () => {
    const file = await converted('nullable', (root) =>
      obs(
        root,
        (group) => {
          const age = group.create_group('age');
          encode(age, 'nullable-integer', '0.1.0');
          numbers(age, 'values', new BigInt64Array([1n, 2n, 3n]));
          numbers(age, 'mask', new Uint8Array([0, 1, 0]));
          numbers(group, 'score', new Float64Array([0.5, Number.NaN, -0]));
        },
        ['age', 'score'],
      ),
    );
    const rows = await file.rows('obs');
    expect(rows.map((row) => row.age)).toEqual(['1', null, '3']);
    expect(rows.map((row) => row.score)).toEqual([0.5, 'NaN', -0]);
    expect(file.manifest.elements[0]?.columns?.map((column) => column.dtype)).toEqual(['Int64', 'float64']);
  });

  test('renames columns that clash without regard to case; the manifest has their own names', async () => {
    const file = await converted('clash', (root) =>
      obs(
        root,
        (group) => {
          for (const name of ['Gene', 'gene', 'cell_idx', "a'b"]) numbers(group, name, new Int32Array([1, 2, 3]));
        },
        ['Gene', 'gene', 'cell_idx', "a'b"],
      ),
    );
    expect(Object.keys((await file.rows('obs'))[0] ?? {})).toEqual([
      'cell_idx',
      'obs_name',
      'Gene',
      'gene_2',
      'cell_idx_2',
      "a'b",
    ]);
    expect(file.manifest.elements[0]?.columns?.map(({ name, col }) => [name, col])).toEqual([
      ['Gene', 'Gene'],
      ['gene', 'gene_2'],
      ['cell_idx', 'cell_idx_2'],
      ["a'b", "a'b"],
    ]);
  });

  test('keeps unsigned 64-bit integers exactly', async () => {
    const file = await converted('u64', (root) =>
      obs(root, (group) => numbers(group, 'id', new BigUint64Array([0n, 2n ** 63n, 2n ** 64n - 1n])), ['id']),
    );
    expect((await file.rows('obs')).map((row) => row.id)).toEqual(['0', '9223372036854775808', '18446744073709551615']);
  });

  test('with names that repeat is converted with a warning', async () => {
    const file = await converted('repeated', (root) => {
      const raw = root.create_group('raw');
      frame(raw, 'var', ['g', 'g']);
    });
    expect(file.manifest.warnings).toEqual([expect.stringContaining('raw/var: 1 values of var_name are duplicates')]);
  });
});

describe('other elements', () => {
  test('obsm, obsp and layers become tables with file names made safe', async () => {
    const file = await converted('others', (root) => {
      const obsm = root.create_group('obsm');
      numbers(obsm, 'X_pca', new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]);
      numbers(obsm, 'x pca', new Float32Array([1, 2, 3]), [3, 1]);
      const obsp = root.create_group('obsp');
      sparse(obsp, 'graph', {
        layout: 'csr',
        shape: [3, 3],
        pointers: [0, 1, 1, 2],
        indices: [2, 0],
        values: new Float64Array([0.5, 0.25]),
      });
      const layers = root.create_group('layers');
      sparse(layers, '.. & co', SMALL);
    });
    const tables = file.conversion.elements.map(({ path: at, table }) => [at, table]);
    expect(tables).toContainEqual(['obsm/X_pca', 'obsm__X_pca']);
    expect(tables).toContainEqual(['obsm/x pca', 'obsm__x_pca_2']);
    expect(tables).toContainEqual(['layers/.. & co', 'layers_______co']);
    expect(await file.rows('obsm/X_pca')).toContainEqual({ cell_idx: 1, d0: 3, d1: 4 });
    expect(await file.rows('obsp/graph')).toEqual([
      { cell_idx: 0, cell_idx_2: 2, value: 0.5 },
      { cell_idx: 2, cell_idx_2: 0, value: 0.25 },
    ]);
  });

  test('uns keeps scalars, arrays and empty dicts in one table, data frames in their own', async () => {
    const file = await converted('uns', (root) => {
      const uns = root.create_group('uns');
      texts(uns, 'colors', ['#fff', '#000']);
      numbers(uns, 'loadings', new Float64Array([1, Number.NaN, 3, 4]), [2, 2]);
      numbers(uns, 'big', new BigInt64Array([2n ** 62n]));
      encode(uns.create_group('empty'), 'dict', '0.1.0');
      const table = frame(uns, 'table', ['r0', 'r1']);
      numbers(table, 'v', new Int32Array([1, 2]));
      order(table, ['v']);
    });
    const json = new Map((await file.rows('uns')).map((row) => [row.path, row.json]));
    expect(json.get('colors')).toBe('["#fff","#000"]');
    expect(json.get('loadings')).toBe('[[1,"NaN"],[3,4]]');
    expect(json.get('big')).toBe('[4611686018427387904]');
    expect(json.get('empty')).toBe('{}');
    expect(json.get('table')).toBe('{"table":"uns__0"}');
    expect(await file.rows('uns/table')).toEqual([
      { row_idx: 0, row_name: 'r0', v: 1 },
      { row_idx: 1, row_name: 'r1', v: 2 },
    ]);
  });

  test('what is no part of AnnData is left out with a warning', async () => {
    const file = await converted('extra', (root) => root.create_group('mod'));
    expect(file.manifest.warnings).toEqual(['"mod" at the root is no part of AnnData and was left out']);
  });
});

describe('a conversion', () => {
  const change = (root: Group): void => {
    sparse(root, 'X', SMALL);
    numbers(root.create_group('obsm'), 'X_umap', new Float64Array([1, 2, 3, 4, 5, 6]), [3, 2]);
  };

  test('has the schema that inspection announced', async () => {
    const file = await converted('schema', change);
    expect(schemaOf(file.conversion)).toEqual(file.inspected);
    expect(file.inspected.map(({ table, kind }) => [table, kind])).toEqual([
      ['obs', 'dataframe'],
      ['var', 'dataframe'],
      ['X', 'sparse'],
      ['obsm__X_umap', 'embedding'],
    ]);
  });

  test('gives equal bytes for equal input', async () => {
    const first = await converted('equal', change);
    const second = await convert(database, folder, { file: path.join(folder, 'equal.h5ad') });
    const names = fs.readdirSync(first.out);
    expect(fs.readdirSync(second.out)).toEqual(names);
    for (const name of names) {
      expect(
        fs.readFileSync(path.join(second.out, name)).equals(fs.readFileSync(path.join(first.out, name))),
        name,
      ).toBe(true);
    }
  });
});

describe('pbmc68k_reduced, written by anndata 0.5 in 2018', () => {
  const file = path.resolve(import.meta.dirname, '../../sources/data/10x_pbmc68k_reduced.h5ad');

  test.runIf(fs.existsSync(file))('keeps its cells, genes, labels, embeddings and neighbours', async () => {
    const pbmc = await convert(database, folder, { file });
    expect(pbmc.conversion.elements.map(({ path: at, rows }) => [at, rows])).toEqual([
      ['obs', 700],
      ['var', 765],
      ['X', 535_500],
      ['raw/X', 174_400],
      ['raw/var', 765],
      ['obsm/X_pca', 700],
      ['obsm/X_umap', 700],
      ['varm/PCs', 765],
      ['obsp/distances', 6_300],
      ['obsp/connectivities', 9_992],
      ['uns', 21],
      ['uns/rank_genes_groups/names', 100],
      ['uns/rank_genes_groups/scores', 100],
    ]);
    const [first] = await pbmc.rows('obs', 'ORDER BY cell_idx LIMIT 1');
    expect(first).toMatchObject({ cell_idx: 0, bulk_labels: 'CD14+ Monocyte' });
    expect(await pbmc.value('obs', 'count(DISTINCT bulk_labels)')).toBe('10');
    // Category texts of obs are not repeated in uns.
    expect(await pbmc.value('uns', "count(*) FILTER (WHERE path LIKE '%\\_categories' ESCAPE '\\')")).toBe('0');
  });
});
