import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { mutants } from './mutants.js';
import { type Converted, convert, refusal, schemaOf, survives, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

const BANNER = '%%MatrixMarket matrix coordinate integer general\n';
/** Three genes (rows), two cells (columns). */
const MATRIX = `${BANNER}%made by hand\n3 2 4\n1 1 5\n3 1 2\n2 2 7\n3 2 1\n`;
const BARCODES = 'AAAC-1\nAAAG-1\n';
const FEATURES = 'ENSG1\tCD3D\tGene Expression\nENSG2\tMS4A1\tGene Expression\nENSG3\tNKG7\tGene Expression\n';

type Files = Readonly<Record<string, string | Buffer>>;

function write(files: Files): string {
  const place = fs.mkdtempSync(path.join(folder, 'in-'));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(place, name), content);
  return place;
}

async function converted(files: Files, name?: string, options: Record<string, string> = {}): Promise<Converted> {
  const place = write(files);
  const result = await convert(database, folder, {
    file: name === undefined ? place : path.join(place, name),
    options,
  });
  expect(schemaOf(result.conversion)).toEqual(result.inspected);
  return result;
}

async function entries(file: Converted): Promise<readonly unknown[]> {
  return (await file.rows('X')).map(({ gene_idx, cell_idx, value }) => [gene_idx, cell_idx, value]);
}

async function errorOf(matrix: string | Buffer, more: Files = {}): Promise<{ code: string; message: string }> {
  const name = typeof matrix === 'string' ? 'matrix.mtx' : 'matrix.mtx.gz';
  const errors = await refusal(folder, { file: path.join(write({ [name]: matrix, ...more }), name) });
  expect(errors).toHaveLength(1);
  return { code: errors[0]?.code ?? '', message: errors[0]?.message ?? '' };
}

const SORTED = [
  [0, 0, 5],
  [1, 1, 7],
  [2, 0, 2],
  [2, 1, 1],
];

describe('a matrix with its side files', () => {
  test('is read as 10x writes it, sorted by gene', async () => {
    const file = await converted({ 'matrix.mtx': MATRIX, 'barcodes.tsv': BARCODES, 'features.tsv': FEATURES });
    expect(await entries(file)).toEqual(SORTED);
    expect(await file.rows('obs')).toEqual([
      { cell_idx: 0, obs_name: 'AAAC-1' },
      { cell_idx: 1, obs_name: 'AAAG-1' },
    ]);
    expect((await file.rows('var'))[1]).toEqual({
      gene_idx: 1,
      var_name: 'MS4A1',
      gene_ids: 'ENSG2',
      feature_types: 'Gene Expression',
    });
    expect(file.manifest).toMatchObject({ format: 'scilake-anndata/1', n_obs: 2, n_vars: 3, warnings: [] });
    expect(file.manifest.elements[2]).toMatchObject({ path: 'X', dtype: 'int32', shape: [2, 3], nnz: 4 });
  });

  test('may be gzipped in several members, with a prefix and the genes of 10x v2', async () => {
    const half = MATRIX.indexOf('3 1 2');
    const file = await converted(
      {
        'GSM1_a_matrix.mtx.gz': Buffer.concat([gzipSync(MATRIX.slice(0, half)), gzipSync(MATRIX.slice(half))]),
        'GSM1_a_barcodes.tsv.gz': gzipSync(BARCODES),
        'GSM1_a_genes.tsv.gz': gzipSync('ENSG1\tA\nENSG2\tB\nENSG3\tC\n'),
        'GSM1_b_barcodes.tsv.gz': gzipSync('other\n'),
      },
      'GSM1_a_matrix.mtx.gz',
    );
    expect(await entries(file)).toEqual(SORTED);
    expect((await file.rows('var')).map((row) => row.var_name)).toEqual(['A', 'B', 'C']);
  });

  test('of cells by genes is turned, by the lengths of its side files, headers or not', async () => {
    const matrix = '%%MatrixMarket matrix coordinate real general\n2 3 2\n1 1 1.5\n2 3 2e-1\n';
    const file = await converted({
      'counts.mtx': matrix,
      'cells.csv': 'cell,cluster,score,"is ok"\n"a,1",1,0.5,TRUE\nb,NA,,false\n',
      'genes.csv': 'gene\nG1\nG2\nG3\n',
    });
    expect(await entries(file)).toEqual([
      [0, 0, 1.5],
      [2, 1, 0.2],
    ]);
    expect(await file.rows('obs')).toEqual([
      { cell_idx: 0, obs_name: 'a,1', cluster: '1', score: 0.5, 'is ok': true },
      { cell_idx: 1, obs_name: 'b', cluster: null, score: null, 'is ok': false },
    ]);
    expect(file.manifest.elements[0]).toMatchObject({ index_name: 'cell' });
  });

  test('keeps duplicate names, with a warning', async () => {
    const file = await converted({ 'matrix.mtx': MATRIX, 'barcodes.tsv': 'A\nA\n', 'features.tsv': FEATURES });
    expect(file.conversion.warnings).toEqual([
      'obs: 1 values of obs_name are duplicates; join by the index column, not by name',
    ]);
  });

  test('is recorded with the checksums of all its files', async () => {
    const file = await converted({ 'matrix.mtx': MATRIX, 'barcodes.tsv': BARCODES, 'features.tsv': FEATURES });
    const manifest: unknown = JSON.parse(fs.readFileSync(path.join(file.out, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      source_format: 'mtx',
      source_files: [{ file: 'matrix.mtx' }, { file: 'barcodes.tsv' }, { file: 'features.tsv' }],
    });
  });
});

describe('a matrix', () => {
  test('alone numbers its axes, and says so', async () => {
    const file = await converted({ 'm.mtx': MATRIX }, 'm.mtx');
    expect((await file.rows('var')).map((row) => row.var_name)).toEqual(['0', '1', '2']);
    expect(file.conversion.warnings).toHaveLength(2);
  });

  test('may have CR LF, blank lines, tabs, comments between entries and no last newline', async () => {
    const text =
      '%%matrixmarket MATRIX Coordinate Real General\r\n% a\r\n3 2 4\r\n\r\n1\t1  5.0e0 \r\n% b\r\n3 1 +2\r\n2 2 .7e1\r\n3 2 1';
    const file = await converted({ 'm.mtx': text }, 'm.mtx');
    expect(await entries(file)).toEqual(SORTED);
  });

  test('that is symmetric is mirrored, one that is skew with the opposite sign', async () => {
    const text = (symmetry: string): string => `%%MatrixMarket matrix coordinate real ${symmetry}\n2 2 1\n2 1 3\n`;
    expect(await entries(await converted({ 'm.mtx': text('symmetric') }, 'm.mtx'))).toEqual([
      [0, 1, 3],
      [1, 0, 3],
    ]);
    expect(await entries(await converted({ 'm.mtx': text('skew-symmetric') }, 'm.mtx'))).toEqual([
      [0, 1, -3],
      [1, 0, 3],
    ]);
  });

  test('of a pattern holds ones; explicit zeros, repeated entries, NaN and infinities stay', async () => {
    const pattern = await converted(
      { 'm.mtx': '%%MatrixMarket matrix coordinate pattern general\n1 2 1\n1 2\n' },
      'm.mtx',
    );
    expect(await entries(pattern)).toEqual([[0, 1, 1]]);
    const text = '%%MatrixMarket matrix coordinate real general\n2 2 5\n1 2 0\n1 1 1\n1 1 2\n2 1 nan\n2 2 -Inf\n';
    expect(await entries(await converted({ 'm.mtx': text }, 'm.mtx'))).toEqual([
      [0, 0, 1],
      [0, 0, 2],
      [0, 1, 0],
      [1, 0, 'NaN'],
      [1, 1, '-Infinity'],
    ]);
  });

  test('larger than the memory for sorting is the same, and leaves no spool', async () => {
    const count = 300_000;
    const lines = Array.from(
      { length: count },
      (_, i) => `${((i * 7919) % 500) + 1} ${(i % 1000) + 1} ${(i % 97) + 1}`,
    );
    const text = `${BANNER}500 1000 ${count}\n${lines.join('\n')}\n`;
    const small = await converted({ 'm.mtx': text }, 'm.mtx', { sort_memory_mb: '1' });
    const large = await converted({ 'm.mtx': text }, 'm.mtx');
    expect(fs.readdirSync(small.out).sort()).toEqual(['X.parquet', 'manifest.json', 'obs.parquet', 'var.parquet']);
    const [inPasses, atOnce] = [await small.rows('X'), await large.rows('X')];
    expect(JSON.stringify(inPasses) === JSON.stringify(atOnce)).toBe(true);
    expect(await large.value('X', 'sum(value)::BIGINT')).toBe(
      String(lines.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0)),
    );
  });

  test('with no entries has empty tables', async () => {
    const file = await converted({ 'm.mtx': `${BANNER}0 0 0\n` }, 'm.mtx');
    expect(file.conversion.elements.map(({ rows }) => rows)).toEqual([0, 0, 0]);
  });
});

describe('a matrix that is refused names the line:', () => {
  const body = (text: string): string => `${BANNER}3 2 2\n${text}`;
  const cases: readonly (readonly [string, string, string])[] = [
    ['index 0', body('1 1 1\n0 1 1\n'), 'line 4 has row 0 and column 1, which lie outside 1 to 3 and 1 to 2'],
    ['a row beyond', body('4 1 1\n1 1 1\n'), 'line 3 has row 4'],
    ['a text as value', body('1 1 x\n1 1 1\n'), 'line 3 has the value "x", which is no whole number'],
    ['a fraction among integers', body('1 1 1.5\n1 1 1\n'), 'line 3 has the value "1.5"'],
    ['a long integer', body('1 1 3000000000\n1 1 1\n'), 'line 3 has an integer of more than 32 bits'],
    ['no value', body('1 1\n1 1 1\n'), 'line 3 is "1 1", not row, column and value'],
    ['four values', body('1 1 1 1\n1 1 1\n'), 'line 3 is "1 1 1 1"'],
    ['too few', body('1 1 1\n'), 'line 3 is the last: there are 1 entries, line 2 promises 2'],
    ['too many', body('1 1 1\n1 2 1\n2 2 1\n'), 'line 5 is one entry more than the 2 that line 2 promises'],
    ['dense', '%%MatrixMarket matrix array real general\n1 1\n1\n', 'line 1 announces a array matrix'],
    ['complex', '%%MatrixMarket matrix coordinate complex general\n1 1 0\n', 'line 1 announces complex values'],
    ['sizes', `${BANNER}% c\n3 x 2\n`, 'line 3 is "3 x 2", not three whole numbers'],
    ['a space that is none', `${BANNER}3\u00a02 2\n`, 'line 2 is "3'],
    ['no sizes', BANNER, 'has no size line'],
    ['a huge axis', `${BANNER}2000000000 1 0\n`, 'no file names its 2000000000 genes'],
    [
      'symmetric but not square',
      '%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n',
      'line 2 is no square matrix',
    ],
    ['above the diagonal', '%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n', 'line 3 stands above'],
  ];
  test.each(cases)('%s', async (_, text, message) => {
    const error = await errorOf(text);
    expect(error.code).toMatch(/^SL063/);
    expect(error.message).toContain(message);
  });

  test('cut off within its gzip stream', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${(i % 3) + 1} ${(i % 2) + 1} ${i}\n`).join('');
    const whole = gzipSync(`${BANNER}3 2 20000\n${lines}`);
    const error = await errorOf(whole.subarray(0, whole.length >> 1));
    expect(error.code).toBe('SL0610');
    expect(error.message).toMatch(/damaged gzip file: unexpected end of file after line \d+/);
  });

  test('with a wrong checksum', async () => {
    const whole = gzipSync(MATRIX);
    whole[whole.length - 8] = (whole[whole.length - 8] ?? 0) ^ 1;
    expect((await errorOf(whole)).message).toContain('incorrect data check');
  });

  test('with side files that do not fit', async () => {
    expect(await errorOf(MATRIX, { 'barcodes.tsv': 'A\n', 'features.tsv': FEATURES })).toEqual({
      code: 'SL0634',
      message:
        'matrix.mtx: line 3 says 3 rows and 2 columns, but barcodes.tsv has 1 lines and features.tsv has 3 lines',
    });
  });

  test('with a side file of ragged lines', async () => {
    const error = await errorOf(MATRIX, { 'barcodes.tsv': BARCODES, 'features.tsv': 'A\tB\nA\tB\nA\n' });
    expect(error.message).toContain('features.tsv: line 3 has 1 values, the first line has 2');
  });
});

test('a folder of two matrices is no matrix, but a folder of files', async () => {
  const { conversion } = await convert(database, folder, { file: write({ 'a.mtx': MATRIX, 'b.mtx': MATRIX }) });
  expect(conversion.format).toBe('files');
  expect(conversion.elements.map(({ table }) => table)).toEqual(expect.arrayContaining(['a__X', 'b__X']));
});

test('what else is in the folder of a matrix is named, not left out without a word', async () => {
  const { conversion } = await convert(database, folder, {
    file: write({ 'matrix.mtx': MATRIX, 'barcodes.tsv': BARCODES, 'features.tsv': FEATURES, 'doses.csv': 'a\n1\n' }),
  });
  expect(conversion.format).toBe('mtx');
  expect(conversion.warnings).toEqual(['"doses.csv" does not belong to the matrix and was left out']);
});

test('a matrix that is declared as something else is refused by what it is', async () => {
  const [error] = await refusal(folder, { file: path.join(write({ 'm.mtx': MATRIX }), 'm.mtx'), format: 'csv' });
  expect(error).toMatchObject({ code: 'SL0604', message: 'm.mtx is declared as csv, but its content is mtx' });
});

test('mutants of a matrix are converted or refused by name, and leave nothing behind', {
  timeout: 120_000,
}, async () => {
  for (const mutant of mutants(Buffer.from(MATRIX), 120, 1)) {
    const place = write({ 'matrix.mtx': mutant, 'barcodes.tsv': BARCODES, 'features.tsv': FEATURES });
    await survives(folder, { file: path.join(place, 'matrix.mtx') });
  }
  for (const mutant of mutants(gzipSync(MATRIX), 60, 2)) {
    await survives(folder, { file: path.join(write({ 'matrix.mtx.gz': mutant }), 'matrix.mtx.gz'), format: 'mtx' });
  }
});
