import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { convert, refusal, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
let runs: string;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());
beforeEach(() => {
  runs = path.join(fs.mkdtempSync(path.join(folder, 'set-')), 'runs');
  fs.mkdirSync(runs);
});

const write = (name: string, content: string | Buffer): void => fs.writeFileSync(path.join(runs, name), content);

/** Parquet files of one query each. */
async function writeParquet(queries: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, query] of Object.entries(queries))
    await database.run(`COPY (${query}) TO ${literal(path.join(runs, name))} (FORMAT parquet)`);
}

async function oneTable(options: Readonly<Record<string, string>> = {}) {
  const { conversion, inspected, rows } = await convert(database, folder, { file: runs, options });
  expect(schemaOf(conversion)).toEqual(inspected);
  expect(conversion.elements.map(({ table }) => table)).toEqual(['runs']);
  const [element] = conversion.elements;
  return { rowCount: element?.rows, columns: element?.columns, rows: await rows('table') };
}

const problems = async (): Promise<readonly string[]> =>
  (await refusal(folder, { file: runs })).map(({ code, message }) => `${code} ${message}`);

describe('JSON files of one folder', () => {
  test('become one table: types hold the values of all, and what one has not got is not there', async () => {
    write('a.jsonl', '{"id": 1, "x": 2}\n{"id": 2}\n');
    write('b.json', '[{"id": 3, "x": 0.5, "tags": ["k"]}]');
    write('c.jsonl.gz', gzipSync('{"id": 12345678901234567}\n'));
    expect(await oneTable()).toEqual({
      rowCount: 4,
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'x', type: 'DOUBLE' },
        { name: 'tags', type: 'VARCHAR[]' },
      ],
      rows: [
        { id: '1', x: 2, tags: null },
        { id: '2', x: null, tags: null },
        { id: '3', x: 0.5, tags: ['k'] },
        { id: '12345678901234567', x: null, tags: null },
      ],
    });
  });

  test('say which file a record is from when asked, under a name that no record has', async () => {
    write('a.jsonl', '{"filename": "own"}\n');
    write('b.jsonl', '{"filename": null}\n');
    const { rows } = await oneTable({ filename: 'true' });
    expect(rows).toEqual([
      { filename: 'own', filename_2: 'a.jsonl' },
      { filename: null, filename_2: 'b.jsonl' },
    ]);
  });

  test('name the file and the line of what is wrong', async () => {
    write('a.jsonl', '{"id": 1}\n');
    write('b.jsonl', '{"id": 1}\n{"id": }\n');
    expect(await problems()).toEqual([expect.stringMatching(/SL0670 .*b\.jsonl: line 2/)]);
  });
});

describe('Parquet files of one folder', () => {
  test('become one table: columns by name, numbers as wide as the widest', async () => {
    await writeParquet({
      'a.parquet': "SELECT 1::INTEGER AS id, 'x' AS name",
      'b.parquet': 'SELECT 0.25::DOUBLE AS Id, NULL::VARCHAR AS name, [1, 2] AS list',
      'c.parquet': 'SELECT 7::UTINYINT AS id',
    });
    expect(await oneTable()).toEqual({
      rowCount: 3,
      columns: [
        { name: 'id', type: 'DOUBLE' },
        { name: 'name', type: 'VARCHAR' },
        { name: 'list', type: 'INTEGER[]' },
      ],
      rows: expect.arrayContaining([
        { id: 1, name: 'x', list: null },
        { id: 0.25, name: null, list: [1, 2] },
        { id: 7, name: null, list: null },
      ]),
    });
  });

  test('of signed and unsigned numbers take a type that holds both', async () => {
    await writeParquet({ 'a.parquet': 'SELECT -1::INTEGER AS n', 'b.parquet': 'SELECT 4294967295::UINTEGER AS n' });
    expect(await oneTable()).toMatchObject({
      columns: [{ name: 'n', type: 'BIGINT' }],
      rows: expect.arrayContaining([{ n: '-1' }, { n: '4294967295' }]),
    });
  });

  test('say which file a row is from when asked', async () => {
    await writeParquet({ 'a.parquet': 'SELECT 1 AS id', 'b.parquet': 'SELECT 2 AS id, true AS filename' });
    const { rows } = await oneTable({ filename: 'true' });
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: 1, filename: null, filename_2: 'a.parquet' },
        { id: 2, filename: true, filename_2: 'b.parquet' },
      ]),
    );
  });

  test('whose types lose values in one another are refused, with both files and every column', async () => {
    await writeParquet({
      'a.parquet': "SELECT 1::BIGINT AS n, DATE '2024-01-01' AS d",
      'b.parquet': "SELECT 0.5::DOUBLE AS n, 'soon' AS d",
    });
    expect(await problems()).toEqual([
      expect.stringMatching(/SL0657 column "n" is BIGINT in .*a\.parquet, and DOUBLE in .*b\.parquet/),
      expect.stringMatching(/SL0657 column "d" is DATE in .*a\.parquet, and VARCHAR in .*b\.parquet/),
    ]);
  });

  test('of which one is cut short are refused by its name', async () => {
    await writeParquet({ 'a.parquet': 'SELECT 1 AS id', 'b.parquet': 'SELECT 2 AS id' });
    fs.truncateSync(path.join(runs, 'b.parquet'), 100);
    expect(await problems()).toEqual([expect.stringMatching(/SL0655 .*b\.parquet/)]);
  });
});
