import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { encode, frame, numbers, SMALL, sparse, writeAnnData } from './h5ad-builder.js';
import { type Converted, convert, refusal, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

const BY_GENE = [
  { gene_idx: 0, cell_idx: 0, value: 2 },
  { gene_idx: 0, cell_idx: 2, value: 4 },
  { gene_idx: 1, cell_idx: 1, value: 0 },
  { gene_idx: 2, cell_idx: 2, value: 'NaN' },
  { gene_idx: 3, cell_idx: 0, value: 1 },
];
const BY_CELL = [
  { cell_idx: 0, gene_idx: 0, value: 2 },
  { cell_idx: 0, gene_idx: 3, value: 1 },
  { cell_idx: 1, gene_idx: 1, value: 0 },
  { cell_idx: 2, gene_idx: 0, value: 4 },
  { cell_idx: 2, gene_idx: 2, value: 'NaN' },
];

/** X, a layer and raw/X, all of them the same small matrix. */
async function h5ad(layout: 'csr' | 'csc' = 'csr'): Promise<string> {
  return writeAnnData(path.join(folder, `${layout}.h5ad`), (root) => {
    const matrix =
      layout === 'csr'
        ? SMALL
        : ({
            ...SMALL,
            layout,
            pointers: [0, 2, 3, 4, 5],
            indices: [0, 2, 1, 2, 0],
            values: new Float32Array([2, 4, 0, Number.NaN, 1]),
          } as const);
    sparse(root, 'X', matrix);
    const layers = root.create_group('layers');
    encode(layers, 'dict', '0.1.0');
    numbers(layers, 'dense', new Int32Array([...Array(12).keys()]), [3, 4]);
    const raw = root.create_group('raw');
    encode(raw, 'raw', '0.1.0');
    frame(raw, 'var', ['g0', 'g1', 'g2', 'g3']);
    sparse(raw, 'X', matrix);
  });
}

function matrices({ conversion }: Converted): readonly string[] {
  return conversion.elements.map((element) => element.table).filter((table) => !/^(obs|var|raw_var)$/.test(table));
}

describe.each(['csr', 'csc'] as const)('the matrices of a %s file', (layout) => {
  test('are sorted by gene when nothing is said', async () => {
    const file = await convert(database, folder, { file: await h5ad(layout) });
    expect(matrices(file)).toEqual(['X', 'layers__dense', 'raw_X']);
    expect(await file.rows('X')).toEqual(BY_GENE);
    expect(file.manifest.elements.find(({ path: at }) => at === 'X')).not.toHaveProperty('sorted_by');
  });

  test('are sorted by cell on request', async () => {
    const file = await convert(database, folder, { file: await h5ad(layout), options: { x_order: 'cell' } });
    expect(matrices(file)).toEqual(['X', 'layers__dense', 'raw_X']);
    expect(await file.rows('X')).toEqual(BY_CELL);
    expect(await file.rows('raw/X')).toEqual(BY_CELL);
    expect((await file.rows('layers/dense')).slice(0, 5).map((row) => row.value)).toEqual([0, 1, 2, 3, 4]);
    expect(file.manifest.elements.find(({ path: at }) => at === 'X')).toMatchObject({
      sorted_by: ['cell_idx', 'gene_idx'],
    });
  });

  test('stand in both orders on request; the copies are marked as such and as planned', async () => {
    const file = await convert(database, folder, { file: await h5ad(layout), options: { x_order: 'both' } });
    expect(matrices(file)).toEqual([
      'X',
      'X_by_cell',
      'layers__dense',
      'layers__dense_by_cell',
      'raw_X',
      'raw_X_by_cell',
    ]);
    expect(await file.rows('X')).toEqual(BY_GENE);
    expect(await file.rows('by_cell/X')).toEqual(BY_CELL);
    expect(file.manifest.elements.find(({ path: at }) => at === 'by_cell/raw/X')).toMatchObject({
      file: 'raw_X_by_cell.parquet',
      kind: layout,
      nnz: 5,
      sorted_by: ['cell_idx', 'gene_idx'],
      copy_of: 'raw/X',
    });
    expect(file.inspected).toEqual(schemaOf(file.conversion));
  });
});

test('a Matrix Market file is written in both orders, too', async () => {
  const place = fs.mkdtempSync(path.join(folder, 'mtx-'));
  const file = path.join(place, 'matrix.mtx');
  fs.writeFileSync(file, '%%MatrixMarket matrix coordinate integer general\n3 2 3\n3 2 7\n1 2 5\n2 1 2\n');
  const both = await convert(database, folder, { file, options: { x_order: 'both' } });
  expect(await both.rows('X')).toEqual([
    { gene_idx: 0, cell_idx: 1, value: 5 },
    { gene_idx: 1, cell_idx: 0, value: 2 },
    { gene_idx: 2, cell_idx: 1, value: 7 },
  ]);
  expect(await both.rows('by_cell/X')).toEqual([
    { cell_idx: 0, gene_idx: 1, value: 2 },
    { cell_idx: 1, gene_idx: 0, value: 5 },
    { cell_idx: 1, gene_idx: 2, value: 7 },
  ]);
  expect(both.inspected).toEqual(schemaOf(both.conversion));
});

test('row groups are those of the convention', async () => {
  const cells = 3;
  const genes = 100_000;
  const file = await writeAnnData(path.join(folder, 'large.h5ad'), (root) => {
    const raw = root.create_group('raw');
    encode(raw, 'raw', '0.1.0');
    frame(
      raw,
      'var',
      Array.from({ length: genes }, (_, i) => `g${i}`),
    );
    numbers(raw, 'X', new Float32Array(cells * genes), [cells, genes]);
  });
  const { out } = await convert(database, folder, { file });
  const groups = await database.rows(
    `SELECT DISTINCT row_group_id AS id, row_group_num_rows AS n, compression FROM parquet_metadata('${out}/raw_X.parquet') ORDER BY id`,
  );
  expect(groups).toEqual([
    { id: '0', n: '122880', compression: 'ZSTD' },
    { id: '1', n: '122880', compression: 'ZSTD' },
    { id: '2', n: '54240', compression: 'ZSTD' },
  ]);
});

test('another order is an error that names the ones there are', async () => {
  const [error] = await refusal(folder, { file: await h5ad(), options: { x_order: 'genes' } });
  expect(error).toMatchObject({ code: 'SL0606', message: 'csr.h5ad: option x_order cannot be "genes"' });
  expect(error?.hint).toContain('gene');
});
