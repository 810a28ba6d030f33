import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportFolder } from '../../src/convert/index.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { Hdf5Writer, TEXT, type WrittenType } from '../../src/effects/hdf5-writer.js';
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
import { type Converted, convert, effects, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

/** Exports what was converted, and converts that. */
async function again(first: Converted, options: Readonly<Record<string, string>> = {}): Promise<Converted> {
  const out = path.join(fs.mkdtempSync(path.join(folder, 'again-')), 'again.h5ad');
  const exported = await exportFolder(first.out, { out, displayName: 'first', compression: 'gzip' }, effects);
  if (!exported.ok) throw new Error(JSON.stringify(exported.errors));
  expect(fs.readdirSync(path.dirname(out))).toEqual(['again.h5ad']);
  return convert(database, folder, { file: out, options });
}

/** The way there and back leaves manifest and parquet as they were, byte by byte. */
async function expectRoundTrip(file: string, options: Readonly<Record<string, string>> = {}): Promise<Converted> {
  const first = await convert(database, folder, { file, options });
  const second = await again(first, options);
  const { source_sha256: _, ...manifest } = second.manifest;
  const { source_sha256: __, ...wanted } = first.manifest;
  expect(manifest).toEqual(wanted);
  for (const element of first.manifest.elements) {
    const [a, b] = [first.out, second.out].map((place) => fs.readFileSync(path.join(place, element.file)));
    if (a === undefined || b === undefined || !a.equals(b)) throw new Error(`${element.path} is not the same`);
  }
  return first;
}

function groupOf(root: Group, name: string): Group {
  const group = root.get(name);
  if (group === null || !('create_group' in group)) throw new Error(`no ${name}`);
  return group;
}

/** Something of everything that h5wasm can write. */
function everything(root: Group): void {
  sparse(root, 'X', SMALL);
  const obs = groupOf(root, 'obs');
  categorical(obs, 'type', { codes: [1, -1, 0], categories: ['b', 'a', 'unused'], isOrdered: true });
  numbers(obs, 'score', new Float64Array([0.1, Number.NaN, Number.NEGATIVE_INFINITY]));
  numbers(obs, 'id', new BigInt64Array([2n ** 60n + 1n, -1n, 0n]));
  texts(obs, 'Note', ['', 'é', 'x']);
  texts(obs, 'note', ['1', '2', '3']);
  order(obs, ['type', 'score', 'id', 'Note', 'note']);
  const layers = root.create_group('layers');
  encode(layers, 'dict', '0.1.0');
  numbers(layers, 'dense', new Int32Array([...Array(12).keys()]), [3, 4]);
  sparse(layers, 'csc', {
    ...SMALL,
    layout: 'csc',
    pointers: [0, 2, 2, 3, 3],
    indices: [0, 2, 1],
    values: new BigUint64Array([1n, 2n ** 64n - 1n, 3n]),
  });
  const raw = root.create_group('raw');
  encode(raw, 'raw', '0.1.0');
  frame(raw, 'var', ['r0', 'r1']);
  sparse(raw, 'X', {
    layout: 'csr',
    shape: [3, 2],
    pointers: [0, 0, 1, 2],
    indices: [1, 1],
    values: new Int8Array([5, 6]),
  });
  const obsm = root.create_group('obsm');
  encode(obsm, 'dict', '0.1.0');
  numbers(obsm, 'X_pca', new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]);
  numbers(obsm, 'cube', new Float64Array([...Array(12).keys()]), [3, 2, 2]);
  numbers(frame(obsm, 'table', ['c0', 'c1', 'c2']), 'q', new Float64Array([1, 2, 3]));
  order(groupOf(obsm, 'table'), ['q']);
  sparse(obsm, 'sparse', {
    layout: 'csr',
    shape: [3, 9],
    pointers: [0, 1, 1, 2],
    indices: [8, 0],
    values: new Float64Array([1, 2]),
  });
  const obsp = root.create_group('obsp');
  encode(obsp, 'dict', '0.1.0');
  sparse(obsp, 'knn', {
    layout: 'csr',
    shape: [3, 3],
    pointers: [0, 1, 2, 2],
    indices: [1, 2],
    values: new Float64Array([0.5, 1]),
  });
  numbers(obsp, 'dense', new Float32Array([...Array(9).keys()]), [3, 3]);
  const uns = root.create_group('uns');
  encode(uns, 'dict', '0.1.0');
  const inner = uns.create_group('inner');
  encode(inner, 'dict', '0.1.0');
  encode(inner.create_dataset({ name: 'text', data: 'hé "quoted"', shape: [], dtype: 'S' }), 'string', '0.2.0');
  encode(
    inner.create_dataset({ name: 'n', data: new BigInt64Array([2n ** 62n]), shape: [] }),
    'numeric-scalar',
    '0.2.0',
  );
  encode(inner.create_dataset({ name: 'x', data: new Float64Array([1.5e-7]), shape: [] }), 'numeric-scalar', '0.2.0');
  numbers(uns, 'matrix', new Float64Array([1, Number.NaN, 3, 4.25]), [2, 2]);
  numbers(
    uns,
    'long',
    Float64Array.from({ length: 20_000 }, (_, i) => i / 7),
    [10_000, 2],
  );
  texts(uns, 'names', ['a', '', 'ü']);
  categorical(uns, 'groups', { codes: [0, 1], categories: ['p', 'q'] });
  sparse(uns, 'graph', {
    layout: 'csc',
    shape: [2, 2],
    pointers: [0, 1, 2],
    indices: [1, 0],
    values: new Float64Array([1, 2]),
  });
  texts(frame(uns, 'table', ['i', 'j']), 'v', ['x', 'y']);
  order(groupOf(uns, 'table'), ['v']);
}

describe('the way to parquet and back', () => {
  test('of a file with something of everything changes nothing', async () => {
    const first = await expectRoundTrip(await writeAnnData(path.join(folder, 'everything.h5ad'), everything));
    expect(first.manifest.elements.map((element) => element.path)).toContain('uns/graph');
  });

  test('goes from matrices by cell, and in both orders, as well', async () => {
    const file = await writeAnnData(path.join(folder, 'orders.h5ad'), everything);
    await expectRoundTrip(file, { x_order: 'cell' });
    await expectRoundTrip(file, { x_order: 'both' });
  });

  test('of a file without cells changes nothing', async () => {
    const file = path.join(folder, 'empty.h5ad');
    const writer = new Hdf5Writer(file, 'none');
    const encoding = (type: string, version: string) => ({ 'encoding-type': type, 'encoding-version': version });
    writer.group('', encoding('anndata', '0.1.0'));
    for (const name of ['obs', 'var']) {
      writer.group(name, { ...encoding('dataframe', '0.2.0'), _index: '_index', 'column-order': [] });
      writer.values(`${name}/_index`, { type: TEXT, shape: [0], attributes: encoding('string-array', '0.2.0') }, []);
    }
    writer.finish();
    writer.close();
    await expectRoundTrip(file);
  });

  test('keeps booleans, missing values and 16-bit floats', async () => {
    const file = path.join(folder, 'types.h5ad');
    const writer = new Hdf5Writer(file, 'gzip');
    const encoding = (type: string, version: string) => ({ 'encoding-type': type, 'encoding-version': version });
    const array = encoding('array', '0.2.0');
    const boolean: WrittenType = { class: 'boolean', bytes: 1 };
    const columns = ['flag', 'maybe', 'count', 'word', 'half'];
    writer.group('', encoding('anndata', '0.1.0'));
    writer.group('obs', { ...encoding('dataframe', '0.2.0'), _index: 'barcode', 'column-order': columns });
    writer.group('var', { ...encoding('dataframe', '0.2.0'), _index: '_index', 'column-order': [] });
    const names = encoding('string-array', '0.2.0');
    writer.values('obs/barcode', { type: TEXT, shape: [3], attributes: names }, ['a', 'b', 'b']);
    writer.values('var/_index', { type: TEXT, shape: [1], attributes: names }, ['g']);
    writer.values('obs/flag', { type: boolean, shape: [3], attributes: array }, new Uint8Array([1, 0, 1]));
    const half: WrittenType = { class: 'float', bytes: 2 };
    writer.values('obs/half', { type: half, shape: [3], attributes: array }, new Uint8Array([0, 0x3e, 1, 0, 0, 0x7e]));
    for (const [name, kind, type, values] of [
      ['maybe', 'nullable-boolean', boolean, new Uint8Array([1, 0, 0])],
      ['count', 'nullable-integer', { class: 'integer', bytes: 2, signed: false }, new Uint8Array([9, 1, 0, 0, 7, 0])],
      ['word', 'nullable-string-array', TEXT, ['w', '', '']],
    ] as const) {
      writer.group(`obs/${name}`, encoding(kind, '0.1.0'));
      const attributes = type === TEXT ? names : array;
      writer.values(`obs/${name}/values`, { type, shape: [3], attributes }, values);
      writer.values(`obs/${name}/mask`, { type: boolean, shape: [3], attributes: array }, new Uint8Array([0, 1, 0]));
    }
    const x: WrittenType = { class: 'float', bytes: 2 };
    writer.values('X', { type: x, shape: [3, 1], attributes: array }, new Uint8Array([0, 0x3c, 0, 0, 0xff, 0x7b]));
    writer.finish();
    writer.close();
    const first = await expectRoundTrip(file);
    const obs = first.manifest.elements.find((element) => element.path === 'obs');
    expect(obs?.columns?.map(({ dtype }) => dtype)).toEqual(['bool', 'boolean', 'UInt16', 'string', 'float16']);
    expect(obs?.index_name).toBe('barcode');
    expect((await first.rows('obs')).map((row) => [row.maybe, row.count, row.word, row.half])).toEqual([
      [true, 265, 'w', 1.5],
      [null, null, null, 2 ** -24],
      [false, 7, '', 'NaN'],
    ]);
  });
});

describe('an export is refused', () => {
  const request = (name: string) => ({
    out: path.join(folder, `${name}.h5ad`),
    displayName: name,
    compression: 'gzip' as const,
  });

  test('from a folder without a manifest', async () => {
    const result = await exportFolder(folder, request('no-manifest'), effects);
    expect(result.ok ? '' : result.errors[0]?.code).toBe('SL0660');
  });

  test('when the tables were changed after their manifest was written, and leaves no file', async () => {
    const first = await convert(database, folder, {
      file: await writeAnnData(path.join(folder, 'c.h5ad'), everything),
    });
    const change = async (table: string, query: string): Promise<void> => {
      const file = path.join(first.out, `${table}.parquet`);
      await database.run(`COPY (${query.replace('$t', `'${file}'`)}) TO '${file}.new' (FORMAT parquet)`);
      fs.renameSync(`${file}.new`, file);
    };
    await change('obs', "SELECT * REPLACE (CASE cell_idx WHEN 0 THEN 'other' ELSE type END AS type) FROM $t");
    const wrong = await exportFolder(first.out, request('category'), effects);
    expect(wrong.ok ? [] : wrong.errors).toMatchObject([
      { code: 'SL0663', message: expect.stringContaining('"other"') },
    ]);
    await change('obs', "SELECT * REPLACE ('a' AS type) FROM $t WHERE cell_idx <> 1");
    const short = await exportFolder(first.out, request('rows'), effects);
    expect(short.ok ? [] : short.errors).toMatchObject([
      { code: 'SL0661', message: 'rows: obs : cell_idx does not count its 2 rows from 0' },
    ]);
    expect(fs.readdirSync(folder).filter((name) => /category|rows/.test(name))).toEqual([]);
  });

  test('where a matrix has entries outside its cells and genes', async () => {
    const first = await convert(database, folder, {
      file: await writeAnnData(path.join(folder, 'd.h5ad'), everything),
    });
    const file = path.join(first.out, 'X.parquet');
    await database.run(
      `COPY (SELECT gene_idx + 4 AS gene_idx, cell_idx, value FROM '${file}') TO '${file}.new' (FORMAT parquet)`,
    );
    fs.renameSync(`${file}.new`, file);
    const result = await exportFolder(first.out, request('outside'), effects);
    expect(result.ok ? [] : result.errors).toMatchObject([
      { code: 'SL0664', message: 'outside: X has entries outside its 3 x 4 cells and genes' },
    ]);
  });
});
