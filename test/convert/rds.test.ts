import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { mutants } from './mutants.js';
import * as r from './rds-builder.js';
import { type Converted, convert, refusal, schemaOf, survives, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

function write(bytes: Buffer, name = 'object.rds'): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), name);
  fs.writeFileSync(file, bytes);
  return file;
}

async function converted(object: Buffer): Promise<Converted> {
  const result = await convert(database, folder, { file: write(gzipSync(r.rds(object))) });
  expect(schemaOf(result.conversion)).toEqual(result.inspected);
  return result;
}

async function errorOf(bytes: Buffer): Promise<{ code: string; message: string }> {
  const errors = await refusal(folder, { file: write(bytes) });
  expect(errors).toHaveLength(1);
  return { code: errors[0]?.code ?? '', message: errors[0]?.message ?? '' };
}

async function entries(file: Converted, at = 'X'): Promise<readonly unknown[]> {
  return (await file.rows(at)).map(({ gene_idx, cell_idx, value }) => [gene_idx, cell_idx, value]);
}

const SORTED = [
  [0, 0, 1],
  [1, 1, 3],
  [2, 0, 2],
];
const NAMES = r.unnamed([r.texts(['G1', 'G2', 'G3']), r.texts(['C1', 'C2'])]);

describe('a matrix of genes by cells becomes AnnData tables:', () => {
  test('compressed by columns', async () => {
    const file = await converted(r.dgC());
    expect(await entries(file)).toEqual(SORTED);
    expect(file.manifest).toMatchObject({ format: 'scilake-anndata/1', n_obs: 2, n_vars: 3 });
    expect((await file.rows('obs')).map((row) => row.obs_name)).toEqual(['C1', 'C2']);
    expect((await file.rows('var')).map((row) => row.var_name)).toEqual(['G1', 'G2', 'G3']);
  });

  test('compressed by rows, and in triplets of any order', async () => {
    const Dim = r.ints([3, 2]);
    const byRow = { j: r.ints([0, 1, 0]), p: r.ints([0, 1, 2, 3]), x: r.doubles([1, 3, 2]), Dim, Dimnames: NAMES };
    const triplets = { i: r.ints([2, 1, 0]), j: r.ints([0, 1, 0]), x: r.doubles([2, 3, 1]), Dim, Dimnames: NAMES };
    expect(await entries(await converted(r.s4('dgRMatrix', byRow)))).toEqual(SORTED);
    expect(await entries(await converted(r.s4('dgTMatrix', triplets)))).toEqual(SORTED);
  });

  test('compressed by columns, with rows that do not ascend, or by cell', async () => {
    const jumbled = { i: r.ints([2, 0, 1]), p: r.ints([0, 2, 3]), x: r.doubles([2, 1, 3]) };
    expect(await entries(await converted(r.dgC(jumbled)))).toEqual(SORTED);
    for (const slots of [{}, jumbled]) {
      const file = write(gzipSync(r.rds(r.dgC(slots))));
      const result = await convert(database, folder, { file, options: { x_order: 'cell' } });
      expect(await entries(result)).toEqual([
        [0, 0, 1],
        [2, 0, 2],
        [1, 1, 3],
      ]);
    }
  });

  test('logical and of a pattern, with a missing value', async () => {
    const logical = await converted(r.dgC({ x: r.logicals([true, null, false]) }));
    expect((await entries(logical)).map((entry) => JSON.stringify(entry))).toEqual([
      '[0,0,true]',
      '[1,1,false]',
      '[2,0,null]',
    ]);
    const { i, p } = { i: r.ints([0, 2, 1]), p: r.ints([0, 2, 3]) };
    const pattern = await converted(r.s4('ngCMatrix', { i, p, Dim: r.ints([3, 2]), Dimnames: NAMES }));
    expect(await pattern.value('X', 'bool_and(value)')).toBe(true);
  });

  test('symmetric, both triangles', async () => {
    const slots = {
      i: r.ints([0, 0]),
      p: r.ints([0, 1, 2]),
      x: r.doubles([1, 5]),
      Dim: r.ints([2, 2]),
      uplo: r.texts(['U']),
    };
    const file = await converted(r.s4('dsCMatrix', { ...slots, Dimnames: r.unnamed([r.nil, r.nil]) }));
    expect(await entries(file)).toEqual([
      [0, 0, 1],
      [0, 1, 5],
      [1, 0, 5],
    ]);
  });

  test('dense, with NA and NaN apart', async () => {
    const file = await converted(r.doubles([1, null, Number.NaN, 4, 5, 6], { dim: r.ints([3, 2]), dimnames: NAMES }));
    expect(await entries(file)).toEqual([
      [0, 0, 1],
      [0, 1, 4],
      [1, 0, null],
      [1, 1, 5],
      [2, 0, 'NaN'],
      [2, 1, 6],
    ]);
  });
});

describe('a data frame becomes a table', () => {
  test('of every kind of column', async () => {
    const file = await converted(
      r.frame(
        {
          text: r.texts(['a', null]),
          whole: r.ints([1, null]),
          number: r.doubles([null, Number.NaN]),
          flag: r.logicals([true, null]),
          kind: r.ints([2, null], { levels: r.texts(['x', 'y']), class: r.texts(['factor']) }),
          day: r.doubles([18263, null], { class: r.texts(['Date']) }),
          at: r.doubles([0.5, null], { class: r.texts(['POSIXct', 'POSIXt']), tzone: r.texts(['UTC']) }),
          long: r.longs([9007199254740993n, -(2n ** 63n)], { class: r.texts(['integer64']) }),
          items: r.unnamed([r.ints([1, 2]), r.nil]),
        },
        r.texts(['r1', 'r2']),
      ),
    );
    expect(await file.rows('table')).toEqual([
      {
        row_name: 'r1',
        text: 'a',
        whole: 1,
        number: null,
        flag: true,
        kind: 'y',
        day: '2020-01-02',
        at: '1970-01-01 00:00:00.5+00',
        long: '9007199254740993',
        items: '[1,2]',
      },
      {
        row_name: 'r2',
        text: null,
        whole: null,
        number: 'NaN',
        flag: null,
        kind: null,
        day: null,
        at: null,
        long: null,
        items: null,
      },
    ]);
    expect(file.manifest.elements[0]?.columns?.find(({ name }) => name === 'kind')).toMatchObject({
      dtype: 'category',
      categories: ['x', 'y'],
      ordered: false,
    });
  });

  test('without its row names when they are only numbers', async () => {
    const file = await converted(r.frame({ x: r.ints([7]) }, r.automatic(1)));
    expect(await file.rows('table')).toEqual([{ x: 7 }]);
  });

  test('of POSIXlt, and of latin1 text', async () => {
    const fields = { sec: [30.5], min: [4], hour: [3], mday: [2], mon: [0], year: [100] };
    const time = r.list(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, r.doubles(value)])), {
      class: r.texts(['POSIXlt', 'POSIXt']),
    });
    const latin = Buffer.concat([r.int(16), r.int(1), r.character('café', 4)]);
    const file = await converted(r.frame({ time, latin }, r.automatic(1)));
    expect(await file.rows('table')).toEqual([{ time: '2000-01-02 03:04:30.5', latin: 'café' }]);
  });
});

describe('a single-cell object becomes AnnData tables:', () => {
  const frameSlots = (columns: Record<string, Buffer>, names: Buffer, rows: number): Buffer =>
    r.s4('DFrame', { rownames: names, nrows: r.ints([rows]), listData: r.list(columns) });
  const cells = r.texts(['C1', 'C2']);

  test('SingleCellExperiment', async () => {
    const pca = r.doubles([1, 2, 3, 4], { dim: r.ints([2, 2]) });
    const simple = (items: Record<string, Buffer>): Buffer => r.s4('SimpleList', { listData: r.list(items) });
    const file = await converted(
      r.s4('SingleCellExperiment', {
        int_colData: frameSlots({ reducedDims: frameSlots({ PCA: pca }, cells, 2) }, r.nil, 2),
        rowRanges: r.s4('GRanges', {
          ranges: r.s4('IRanges', { NAMES: r.texts(['G1', 'G2', 'G3']) }),
          elementMetadata: frameSlots({ symbol: r.texts(['a', 'b', 'c']) }, r.nil, 3),
        }),
        colData: frameSlots({ n: r.ints([1, 2]) }, cells, 2),
        assays: r.s4('SimpleAssays', {
          data: simple({ logcounts: r.dgC({ x: r.doubles([0.1, 0.2, 0.3]) }), counts: r.dgC() }),
        }),
        metadata: r.list({ note: r.texts(['hello']) }),
      }),
    );
    expect(file.conversion.elements.map((element) => element.path)).toEqual([
      'obs',
      'var',
      'X',
      'layers/logcounts',
      'obsm/PCA',
      'uns',
    ]);
    expect(await entries(file)).toEqual(SORTED);
    expect(await file.rows('obsm/PCA')).toEqual([
      { cell_idx: 0, d0: 1, d1: 3 },
      { cell_idx: 1, d0: 2, d1: 4 },
    ]);
    expect((await file.rows('var'))[0]).toEqual({ gene_idx: 0, var_name: 'G1', symbol: 'a' });
  });

  const metaData = r.frame({ n: r.ints([1, 2]) }, cells);
  const pca = r.s4('DimReduc', {
    'cell.embeddings': r.doubles([1, 2], { dim: r.ints([2, 1]), dimnames: r.unnamed([r.texts(['C2', 'C1']), r.nil]) }),
  });

  test('Seurat with an Assay; embeddings are matched by name, genes of a part too', async () => {
    const scaled = r.doubles([8, 9], { dim: r.ints([1, 2]), dimnames: r.unnamed([r.texts(['G3']), cells]) });
    const assay = r.s4('Assay', {
      counts: r.dgC(),
      data: r.dgC({ x: r.doubles([0.1, 0.2, 0.3]) }),
      'scale.data': scaled,
      'meta.features': r.frame({}, r.texts(['G1', 'G2', 'G3'])),
    });
    const file = await converted(
      r.s4('Seurat', {
        assays: r.list({ RNA: assay }),
        'meta.data': metaData,
        'active.assay': r.texts(['RNA']),
        reductions: r.list({ pca }),
      }),
    );
    expect(file.conversion.elements.map((element) => element.path)).toEqual([
      'obs',
      'var',
      'X',
      'layers/data',
      'layers/scale.data',
      'obsm/pca',
      'uns',
    ]);
    expect(await entries(file, 'layers/scale.data')).toEqual([
      [2, 0, 8],
      [2, 1, 9],
    ]);
    expect(await file.rows('obsm/pca')).toEqual([
      { cell_idx: 0, d0: 2 },
      { cell_idx: 1, d0: 1 },
    ]);
  });

  test('Seurat with an Assay5 whose layers hold some of the cells each', async () => {
    const map = (names: Buffer, layers: readonly string[], values: readonly boolean[], rows: number): Buffer =>
      r.logicals(values, {
        dim: r.ints([rows, layers.length]),
        dimnames: r.unnamed([names, r.texts(layers)]),
        class: r.texts(['LogMap']),
      });
    const one = (value: number): Buffer =>
      r.s4('dgCMatrix', {
        i: r.ints([1]),
        p: r.ints([0, 1]),
        Dim: r.ints([3, 1]),
        Dimnames: r.unnamed([r.nil, r.nil]),
        x: r.doubles([value]),
      });
    const names = ['counts.1', 'counts.2'];
    const assay = r.s4('Assay5', {
      layers: r.list({ 'counts.1': one(4), 'counts.2': one(5) }),
      cells: map(cells, names, [true, false, false, true], 2),
      features: map(r.texts(['G1', 'G2', 'G3']), names, [true, true, true, true, true, true], 3),
      'meta.data': r.frame({}, r.automatic(3)),
    });
    const file = await converted(r.s4('Seurat', { assays: r.list({ RNA: assay }), 'meta.data': metaData }));
    expect(await entries(file)).toEqual([[1, 0, 4]]);
    expect(await entries(file, 'layers/counts.2')).toEqual([[1, 1, 5]]);
    expect(file.manifest.elements.find(({ path: at }) => at === 'X')?.shape).toEqual([2, 3]);
  });
});

test('a list becomes its tables, and one table of what is none', async () => {
  const file = await converted(
    r.list({
      a: r.ints([1]),
      nested: r.list({ b: r.texts(['x', null]) }),
      m: r.dgC(),
      df: r.frame({ x: r.ints([7]) }, r.automatic(1)),
    }),
  );
  expect(file.conversion.elements.map((element) => element.path)).toEqual(['m/obs', 'm/var', 'm/X', 'df', 'uns']);
  expect((await file.rows('uns')).map(({ path: at, json }) => [at, json])).toEqual([
    ['a', '1'],
    ['nested/b', '["x",null]'],
  ]);
});

test('objects of an RData file stand below their names', async () => {
  const file = await convert(database, folder, {
    file: write(r.rdata({ m: r.dgC(), df: r.frame({ x: r.ints([7]) }, r.automatic(1)) }), 'two.RData'),
  });
  expect(file.conversion.elements.map((element) => element.path)).toEqual(['m/obs', 'm/var', 'm/X', 'df']);
});

test('a vector, and sequences that R keeps in short', async () => {
  const sequence = Buffer.concat([
    r.int(238),
    Buffer.concat([r.int(2), r.symbol('compact_intseq'), r.int(254)]),
    r.doubles([5, 1, 1]),
    r.int(254),
  ]);
  expect((await (await converted(sequence)).rows('table')).map((row) => row.value)).toEqual([1, 2, 3, 4, 5]);
});

test('the ascii encoding and that of this machine are read', async () => {
  const ascii = 'A\n2\n262656\n131840\n526\n0\n'.replace(
    '526\n0',
    '782\n3\n1\nNA\n-Inf\n1026\n1\n262153\n5\nnames\n16\n3\n262153\n1\na\n262153\n3\nb\\040\\n\n262153\n-1\n254',
  );
  const file = await convert(database, folder, { file: write(Buffer.from(ascii)) });
  expect(await file.rows('table')).toEqual([
    { name: 'a', value: 1 },
    { name: 'b \n', value: null },
    { name: null, value: '-Infinity' },
  ]);
  const native = Buffer.concat([
    Buffer.from('B\n'),
    ...[2, 0, 0, 13, 1, 42].map((n) => Buffer.from(Int32Array.of(n).buffer)),
  ]);
  expect((await (await convert(database, folder, { file: write(native) })).rows('table'))[0]).toEqual({ value: 42 });
});

describe('what is refused by name:', () => {
  const closure = Buffer.concat([r.int(3 | 0x400), r.int(253), r.int(254), r.int(254)]);
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['a closure', closure, 'holds a closure, which is no data'],
    ['an environment', Buffer.concat([r.int(4), r.int(0), r.nil, r.nil, r.nil, r.nil]), 'holds environment'],
    ['bytecode', r.list({ f: Buffer.concat([r.int(21), r.int(1)]) }), 'holds bytecode'],
    ['a row index beyond', r.dgC({ i: r.ints([0, 9, 1]) }), 'entry 1 has row 9, which lies outside 0 to 2'],
    ['pointers that decrease', r.dgC({ p: r.ints([0, 4, 3]) }), 'pointer 1 is 4, there are 3 entries'],
    ['other numbers of values', r.dgC({ x: r.doubles([1]) }), 'has 1 values and 3 indices'],
    [
      'names of another length',
      r.dgC({ Dimnames: r.unnamed([r.texts(['G1']), r.nil]) }),
      'there are 1, the axis has 3',
    ],
    [
      'a code without a level',
      r.frame({ f: r.ints([3], { levels: r.texts(['x']), class: r.texts(['factor']) }) }, r.automatic(1)),
      'row 0 has code 3',
    ],
    ['a short column', r.frame({ x: r.ints([1]) }, r.automatic(2)), 'has 1 values, its table has 2 rows'],
    ['a reference to nothing', Buffer.concat([r.int(255 | (7 << 8))]), 'refers to object 7 of 0'],
    [
      'a diagonal matrix',
      r.s4('ddiMatrix', { Dim: r.ints([2, 2]), diag: r.texts(['U']), x: r.doubles([]) }),
      'a ddiMatrix is not supported',
    ],
    ['old Seurat', r.s4('seurat', { 'raw.data': r.dgC(), 'data.info': r.nil }), 'Seurat object of version 2'],
  ];
  test.each(cases)('%s', async (_, object, message) => {
    const error = await errorOf(r.rds(object));
    expect(error.code).toMatch(/^SL064/);
    expect(error.message).toContain(message);
  });

  test('a length beyond the end, before anything is allocated', async () => {
    const error = await errorOf(r.rds(Buffer.concat([r.int(14), r.int(0x7fffffff)])));
    expect(error).toMatchObject({ code: 'SL0640' });
    expect(error.message).toContain('is cut off: 17179869176 bytes are announced');
  });

  test('a sequence of more numbers than memory holds', async () => {
    const bomb = Buffer.concat([
      r.int(238),
      r.int(2),
      r.symbol('compact_intseq'),
      r.int(254),
      r.doubles([1e12, 1, 1]),
      r.int(254),
    ]);
    expect((await errorOf(r.rds(bomb))).message).toContain('a sequence of 1000000000000 numbers');
  });

  test('more than the limit allows', async () => {
    const file = write(gzipSync(r.rds(r.texts(['x'.repeat(3 << 20)]))));
    expect((await refusal(folder, { file, options: { max_expanded_mb: '1' } }))[0]).toMatchObject({ code: 'SL0616' });
  });
});

test('a list that is nested a hundred thousand deep does not overflow', async () => {
  const depth = 100_000;
  const deep = Buffer.concat([...Array.from({ length: depth }, () => Buffer.concat([r.int(19), r.int(1)])), r.nil]);
  const file = await converted(r.list({ deep }));
  expect(await file.value('uns', 'count(*)')).toBe('1');
});

test('mutants are converted or refused by name, and leave nothing behind', { timeout: 120_000 }, async () => {
  const object = r.list({ m: r.dgC(), df: r.frame({ x: r.ints([7]), t: r.texts(['a']) }, r.texts(['n'])) });
  for (const mutant of mutants(r.rds(object), 300, 3)) await survives(folder, { file: write(mutant), format: 'rds' });
});
