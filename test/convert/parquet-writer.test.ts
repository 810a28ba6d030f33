import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { checkParquet } from '../../src/effects/check-parquet.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { type ParquetRequest, type RowBlock, writeParquet } from '../../src/effects/parquet-writer.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

function request(name: string, columns: ParquetRequest['columns'], blocks: Iterable<RowBlock>): ParquetRequest {
  return { file: path.join(folder, `${name}.parquet`), columns, blocks };
}

test('blocks of any length come back in order, with their NULLs, NaN and infinities', async () => {
  const count = 5_000;
  const columns = [
    { name: 'id', type: 'INTEGER' },
    { name: 'text', type: 'VARCHAR' },
    { name: 'x', type: 'DOUBLE' },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'long', type: 'BIGINT' },
  ] as const;
  const block = (from: number, length: number): RowBlock => ({
    rowCount: length,
    columns: [
      { kind: 'numbers', numbers: Int32Array.from({ length }, (_, i) => from + i) },
      {
        kind: 'texts',
        texts: Array.from({ length }, (_, i) => ((from + i) % 3 === 0 ? null : `text\0 number ${from + i}`)),
      },
      {
        kind: 'numbers',
        numbers: Float64Array.from([Number.NaN, Number.POSITIVE_INFINITY, 0.5].concat(Array(length - 3).fill(-1))),
      },
      {
        kind: 'numbers',
        numbers: new Uint8Array(length).fill(1),
        isNull: Uint8Array.from({ length }, (_, i) => i % 2),
      },
      { kind: 'numbers', numbers: new BigInt64Array(length).fill(-(2n ** 62n)) },
    ],
  });
  const wanted = request('all', columns, [block(0, 3_000), { rowCount: 0, columns: [] }, block(3_000, 2_000)]);
  const facts = await writeParquet(database, wanted);
  expect(facts.rowCount).toBe(count);
  expect(await checkParquet(database, wanted, facts)).toEqual([]);
  const rows = await database.rows(`SELECT * FROM read_parquet(${literal(wanted.file)})`);
  expect(rows.map((row) => row.id)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(rows.slice(0, 4).map((row) => row.text)).toEqual([null, 'text\0 number 1', 'text\0 number 2', null]);
  expect(rows.slice(3_000, 3_003).map((row) => row.x)).toEqual(['NaN', 'Infinity', 0.5]);
  expect(rows.slice(0, 2).map((row) => row.flag)).toEqual([true, null]);
  expect(rows[4_999]?.long).toBe('-4611686018427387904');
});

test('texts of any characters come back, half a surrogate pair as the character that stands for what cannot be read', async () => {
  const columns = [{ name: 'text', type: 'VARCHAR' }] as const;
  const texts = ['', 'µ', '\0', 'a\0µ', 'gene 🧬', '\ud83e', `${'x'.repeat(70_000)}é`, '\uffff'];
  const wanted = request('texts', columns, [{ rowCount: texts.length, columns: [{ kind: 'texts', texts }] }]);
  const facts = await writeParquet(database, wanted);
  expect(await checkParquet(database, wanted, facts)).toEqual([]);
  const rows = await database.rows(`SELECT text FROM read_parquet(${literal(wanted.file)})`);
  expect(rows.map((row) => row.text)).toEqual(texts.map((text) => (text === '\ud83e' ? '\ufffd' : text)));
});

test('how rows are cut into blocks leaves no trace in the file', async () => {
  const columns = [
    { name: 'id', type: 'INTEGER' },
    { name: 'text', type: 'VARCHAR' },
  ] as const;
  const total = 130_000;
  const cut = (length: number): readonly RowBlock[] =>
    Array.from({ length: Math.ceil(total / length) }, (_, b) => {
      const rowCount = Math.min(length, total - b * length);
      const at = (i: number): number => b * length + i;
      return {
        rowCount,
        columns: [
          {
            kind: 'numbers',
            numbers: Int32Array.from({ length: rowCount }, (_, i) => at(i)),
            isNull: Uint8Array.from({ length: rowCount }, (_, i) => (at(i) % 7 === 0 ? 1 : 0)),
          },
          { kind: 'texts', texts: Array.from({ length: rowCount }, (_, i) => (at(i) % 5 === 0 ? null : `t${at(i)}`)) },
        ],
      };
    });
  const wholes = request('whole', columns, cut(total));
  const pieces = request('pieces', columns, cut(777));
  const facts = await writeParquet(database, wholes);
  expect(await writeParquet(database, pieces)).toEqual(facts);
  expect(await checkParquet(database, pieces, facts)).toEqual([]);
  expect(fs.readFileSync(pieces.file).equals(fs.readFileSync(wholes.file))).toBe(true);
});

test('an error while rows are read comes out as it was thrown', async () => {
  const thrown = new Error('row 7 is broken');
  const blocks = {
    *[Symbol.iterator](): Iterator<RowBlock> {
      yield { rowCount: 1, columns: [{ kind: 'numbers', numbers: new Int32Array(1) }] };
      throw thrown;
    },
  };
  await expect(writeParquet(database, request('broken', [{ name: 'a', type: 'INTEGER' }], blocks))).rejects.toBe(
    thrown,
  );
});

test('a file that does not hold what was handed over is told column by column', async () => {
  const columns = [{ name: 'a', type: 'INTEGER' }] as const;
  const block = { rowCount: 2, columns: [{ kind: 'numbers', numbers: new Int32Array([1, 2]) }] } as const;
  const wanted = request('other', columns, [block]);
  const facts = await writeParquet(database, wanted);
  const [column] = facts.columns;
  if (column === undefined) throw new Error('no facts');
  const changed = { rowCount: 3, columns: [{ ...column, sum: 4n, max: 3 }] };
  expect(await checkParquet(database, wanted, changed)).toEqual([
    'the number of rows is 2 in the parquet file, 3 were read',
    'the number of values of "a" is 2 in the parquet file, 3 were read',
    'the sum of "a" is 3 in the parquet file, 4 were read',
    'the maximum of "a" is 2 in the parquet file, 3 were read',
  ]);
});

test('rows that have no NULL, which reach DuckDB in lists, make one file, however they are cut', async () => {
  const columns = [
    { name: 'gene "idx"', type: 'INTEGER' },
    { name: 'value', type: 'FLOAT' },
    { name: 'count', type: 'UBIGINT' },
  ] as const;
  const total = 300_001;
  const cut = (length: number): readonly RowBlock[] =>
    Array.from({ length: Math.ceil(total / length) }, (_, b) => {
      const rowCount = Math.min(length, total - b * length);
      const at = (i: number): number => b * length + i;
      return {
        rowCount,
        columns: [
          { kind: 'numbers', numbers: Int32Array.from({ length: rowCount }, (_, i) => at(i) % 777) },
          { kind: 'numbers', numbers: Float32Array.from({ length: rowCount }, (_, i) => at(i) / 7 - 1e4) },
          { kind: 'numbers', numbers: BigUint64Array.from({ length: rowCount }, (_, i) => BigInt(at(i)) << 40n) },
        ],
      };
    });
  const single = { ...request('single', columns, cut(total)), neverNull: true };
  const lists = { ...request('lists', columns, cut(99_999)), neverNull: true };
  const plain = request('plain', columns, cut(total));
  const facts = await writeParquet(database, single);
  const listed = await writeParquet(database, lists);
  expect(await checkParquet(database, lists, facts)).toEqual([]);
  expect(fs.readFileSync(lists.file).equals(fs.readFileSync(single.file))).toBe(true);
  await writeParquet(database, plain);
  expect(
    await database.rows(
      `SELECT count(*) AS n FROM read_parquet(${literal(plain.file)}) AS a POSITIONAL JOIN read_parquet(${literal(lists.file)}) AS b WHERE a IS DISTINCT FROM b`,
    ),
  ).toEqual([{ n: '0' }]);
  expect(listed).toMatchObject({ rowCount: total });
  // The range of floats is the one of the file's statistics.
  const [gene, value, count] = facts.columns;
  if (gene === undefined || value === undefined || count === undefined) throw new Error('no facts');
  const other = { ...facts, columns: [gene, { ...value, min: -10_001, max: 32_858 }, count] };
  expect(await checkParquet(database, lists, other)).toEqual([
    'the minimum of "value" is -10000 in the parquet file, -10001 were read',
    `the maximum of "value" is ${value.max} in the parquet file, 32858 were read`,
  ]);
  const empty = { ...request('empty', columns, []), neverNull: true };
  expect(await checkParquet(database, empty, await writeParquet(database, empty))).toEqual([]);
});

test('a NULL where none was promised is an error', async () => {
  const block: RowBlock = {
    rowCount: 1,
    columns: [{ kind: 'numbers', numbers: new Int32Array(1), isNull: new Uint8Array(1) }],
  };
  const promised = { ...request('promised', [{ name: 'a', type: 'INTEGER' }], [block]), neverNull: true };
  await expect(writeParquet(database, promised)).rejects.toThrow('column "a" may have NULLs after all');
});
