import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { convert, refusal, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

/** A parquet file of a query's rows. */
async function write(query: string, options = 'ROW_GROUP_SIZE 2048'): Promise<string> {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), 'peaks.parquet');
  await database.run('SET threads = 1');
  await database.run(`COPY (${query}) TO ${literal(file)} (FORMAT parquet, ${options})`);
  return file;
}

const ROWS = "SELECT i AS id, 'peak ' || i AS name, i / 8 AS score, nullif(i % 3, 0) AS rest FROM range(5000) AS t(i)";

/** A file that pyarrow 26 wrote. */
function written(packed: string): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), 'arrow.parquet');
  fs.writeFileSync(file, gunzipSync(Buffer.from(packed, 'base64')));
  return file;
}

/** Columns `Gene` (1) and `gene` (2). */
const CASE =
  'H4sIAAAAAAACA5VTwU7CQBCdrqSpiYdC3KZNeujFRhNAIUGJgZhZLGoUhR4kciOkKSYKWMT+gh/l0aMfxMGDuy1QETkw2ey8fTt5b2aTbaJboCmq0t0bSihkABRTgjgo0AzVspxXqUxlU1fmNwnSYP8fNp3m27ZF+E4kicBfB7LWgSy0yC+HVXbVwaiUQJfHvb733KUpTuwRPXXhDbwZ9AXUiGEaWRtMXl8CWTXiEko0on1I2qdkl21ls0GNLJ8OKBHDqDxVDmTDBtHYko2/bPMt2V/SZvOuN9KmXNhWtPctMEx9B133rn0av4Q+lQ5FnKCIFsZxjRgi87GO6GPNjzjGEBsC1BCvIiLJGEOWnG/PuWiZA6fmRGQk4uAihBUbdNqlp+jYmNcja81E6pHoA7Iw9nWS/hj2o+wn/rjQd4v3k05r3lQo+r2clSb6WK2Cbo26wcvEe831RqNcNwiGofXmBePH4cAqHueP8gUjawLwBWf8GZv8K/wAbVKbUw8DAAA=';
/** A time in nanoseconds, a column of NULLs only, and an integer. */
const ODD_TYPES =
  'H4sIAAAAAAACA5VTzU7CQBCerqZyUFKabNMmPXCx0Sj4E/Rg8DBFIEaMlYvxSICgUQHxpxefwvgwHjAx0YOP4RP4DO5MqUXFg5Pt7vSbmW++TrMB1tfktDSkUZNCggkg5+4/nrLqBGlKc1mhhtSl7tqpOJJ4FixMQDMZABD0aJoAxa64arSZzJqW6YQ1zgT4rmIGIvutIo4kHqn4jf5U4dQ2wNavmifti4bUFTAvbO36/M50i1EnQUD3fEg+BcVpCyzhuE7RA1fVb4BuOKpEKtQaamp5BS/1v7k4yzwOQd9lqKO4qDseq6QeIu7R5R6BFXjvmveqLU6qoiIYV6b0jkl7Ft6D+N+4/hZnvU1ZwkupAxzXnsV6/eBoKxql/ShWyJaQ7BAj20MM0e9gBbGDpQ5jvo+4T04JcZeB5MQo5BfIC76oSmdEzSknDDaTfBxRITaOKLeDO8zXjEC2Cu/rgSIJibLM+qrfpI7cKrcu04s/alJhvmP0w0h3OSnyS/WJethtsct6qvz9cTQcy8TtbbCz/cbg8qZ9nWv2+7nGYNALs7ftwdVpr5td38yv5tecoroh0YIX9ScCdV0/AWi3HSezAwAA';
/** Three genes, `CCCC` the second; each page with its CRC. */
const WITH_CRC =
  'H4sIAAAAAAACA21STU7CQBR+rc2ERV1O00m6YEMTE0AxgRiDi9emKFEUiYSEHcGmkmipRekxvINx4zHcegE3rl15Ale+6RTY8E36fr/308z0cdDgwNt0/j6/3ncdzshlnDkAoNPHNA0U9ELvFLooe/15ezG2lBkkkSC1T5D6lMAN0W6CzRbTu/Bhwg3gRkW39dktcJMMIwrjsAIXspHFhCOqLjhUU2EgJItT1Iqt2C11HS530KG9x4QLjAok1VTUvM+avNyQLVus6Na3ZjG3RAqEY5s4GFyNjtVe9q+2L9GK5D9co8I5YoZehB3ECP08hZ6H2JOGj9jNAxuNyvSCtX95Q02PyAg6KphJGeAacpQXj0fN+5XvFXkSQzmX5p/JPVZJhcDf3i+fn4zVfr28PlP75Rjm8gTscjJJH5/Dp9o0SWqTNJ1n5WWYLmbzuHzYqh/UG6JKVyJv5YMeRJ+ezT/aCNdtOwIAAA==';

describe('a parquet file', () => {
  test('is kept byte for byte, as a file of its own', async () => {
    const file = await write(ROWS);
    fs.chmodSync(file, 0o444);
    const { conversion, inspected, out, manifest } = await convert(database, folder, { file });
    expect(schemaOf(conversion)).toEqual(inspected);
    expect(inspected).toEqual([
      {
        path: 'table',
        table: 'peaks',
        kind: 'table',
        columns: [
          { name: 'id', type: 'BIGINT' },
          { name: 'name', type: 'VARCHAR' },
          { name: 'score', type: 'DOUBLE' },
          { name: 'rest', type: 'BIGINT' },
        ],
      },
    ]);
    const kept = path.join(out, 'peaks.parquet');
    expect(fs.readFileSync(kept).equals(fs.readFileSync(file))).toBe(true);
    expect(fs.statSync(kept).ino).not.toBe(fs.statSync(file).ino);
    expect(fs.readdirSync(out).sort()).toEqual(['manifest.json', 'peaks.parquet']);
    expect(manifest.elements[0]).toMatchObject({
      rows: 5000,
      row_groups: 3,
      columns: [
        { name: 'id', nulls: 0, min: '0', max: '4999', sum: '12497500' },
        { name: 'name', nulls: 0, min: 'peak 0', max: 'peak 999' },
        { name: 'score', sum: '1562187.5' },
        { name: 'rest', nulls: 1667, min: '1', max: '2' },
      ],
    });
  });

  test('without rows keeps its columns', async () => {
    const { conversion } = await convert(database, folder, { file: await write(`${ROWS} LIMIT 0`) });
    expect(conversion.elements.map((element) => [element.rows, element.columns.length])).toEqual([[0, 4]]);
  });

  test('with names that differ only in case gets the second renamed', async () => {
    const converted = await convert(database, folder, { file: written(CASE) });
    expect(await converted.rows('table')).toEqual([{ Gene: '1', gene_2: '2' }]);
    expect(converted.manifest.elements[0]?.columns).toMatchObject([
      { name: 'Gene', col: 'Gene' },
      { name: 'gene', col: 'gene_2' },
    ]);
    expect(converted.conversion.warnings).toEqual(['column "gene" is called "gene_2"']);
  });

  test('keeps nested values', async () => {
    const file = await write("SELECT {'a': [i, i + 1], 'b': MAP {'k': i}} AS s, [[i]] AS l FROM range(10) AS t(i)");
    const converted = await convert(database, folder, { file });
    expect(converted.inspected[0]?.columns).toEqual([
      { name: 's', type: 'STRUCT("a" BIGINT[], "b" MAP(VARCHAR, BIGINT))' },
      { name: 'l', type: 'BIGINT[][]' },
    ]);
    expect(await converted.value('table', "sum(s.a[2] + s.b['k'] + l[1][1])::INTEGER")).toBe(145);
  });
});

describe('a damaged parquet file is refused by one named error', () => {
  async function message(file: string): Promise<string> {
    const errors = await refusal(folder, { file });
    expect(errors.map(({ code }) => code)).toEqual(['SL0655']);
    return errors[0]?.message ?? '';
  }

  test('when it is cut off', async () => {
    const file = await write(ROWS);
    fs.truncateSync(file, fs.statSync(file).size - 5);
    expect(await message(file)).toContain('peaks.parquet is no parquet file that can be read whole');
  });

  test('when only its magic bytes are there', async () => {
    const file = path.join(folder, 'magic.parquet');
    fs.writeFileSync(file, 'PAR1PAR1');
    await message(file);
  });

  test('when a page in the middle does not read', async () => {
    const file = await write(ROWS, 'ROW_GROUP_SIZE 2048, COMPRESSION zstd');
    const [page] = await database.rows(
      `SELECT data_page_offset::INTEGER AS at FROM parquet_metadata(${literal(file)}) WHERE row_group_id = 1 AND path_in_schema = 'score'`,
    );
    const bytes = fs.readFileSync(file);
    bytes.fill(0xa5, Number(page?.at), Number(page?.at) + 40);
    fs.writeFileSync(file, bytes);
    await message(file);
  });

  test('when a page is not what its CRC says', async () => {
    await convert(database, folder, { file: written(WITH_CRC) });
    const file = written(WITH_CRC);
    const bytes = fs.readFileSync(file);
    bytes.write('TTTT', bytes.indexOf('CCCC'));
    fs.writeFileSync(file, bytes);
    const errors = await refusal(folder, { file });
    expect(errors.map(({ code }) => code)).toEqual(['SL0655']);
    expect(errors[0]?.message).toContain('a page of column "gene" in row group 0 has another CRC');
  });

  test('when a size or a count in it is negative', async () => {
    const bytes = fs.readFileSync(await write("SELECT i::INTEGER AS id, 'x' || i AS name FROM range(40) AS t(i)"));
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const said: string[] = [];
    // The lowest bit of a number in Thrift's encoding is its sign. Those of the first page's header, and of the footer.
    for (const at of [...Array.from({ length: 24 }, (_, i) => 4 + i), ...bytes.keys()].filter(
      (i) => i < 28 || i >= footer,
    )) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      // DuckDB keeps the footer of a file by its name.
      const file = path.join(folder, `negative-${at}.parquet`);
      fs.writeFileSync(file, changed);
      const [found] = await database
        .rows(
          `SELECT count(*) FILTER (total_compressed_size < 0 OR total_uncompressed_size < 0 OR num_values < 0) AS n FROM parquet_metadata(${literal(file)})`,
        )
        .catch(() => []);
      if (at >= footer && Number(found?.n ?? 0) === 0) continue;
      const errors = await refusal(folder, { file }).catch(() => []);
      if (at >= footer) expect(errors.length, `byte ${at}`).toBeGreaterThan(0);
      said.push(...errors.map(({ message: text }) => text));
    }
    expect(said.filter((text) => text.includes('a negative size or place')).length).toBeGreaterThan(3);
    expect(said.filter((text) => text.includes('has a negative size or count (byte 4)')).length).toBeGreaterThan(1);
  });

  test('when it is encrypted', async () => {
    const file = path.join(folder, 'closed.parquet');
    fs.writeFileSync(file, 'PARE0000PARE');
    expect(await message(file)).toContain('is encrypted');
  });

  test('when it is declared as another format', async () => {
    const errors = await refusal(folder, { file: await write(ROWS), format: 'csv' });
    expect(errors[0]?.message).toContain('declared as csv, but its content is parquet');
  });
});

test('statistics that would hide rows are not believed', async () => {
  const file = await write('SELECT 1000000007::BIGINT + i AS id FROM range(3) AS t(i)', 'DICTIONARY_SIZE_LIMIT 0');
  const max = Buffer.alloc(8);
  max.writeBigInt64LE(1_000_000_009n);
  const lower = Buffer.alloc(8);
  lower.writeBigInt64LE(1_000_000_008n);
  const bytes = fs.readFileSync(file);
  const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  for (let at = bytes.indexOf(max, footer); at >= 0; at = bytes.indexOf(max, at + 1)) lower.copy(bytes, at);
  fs.writeFileSync(file, bytes);
  const hidden = await database.rows(`FROM read_parquet(${literal(file)}) WHERE id = 1000000009`);
  expect(hidden).toEqual([]);
  const converted = await convert(database, folder, { file });
  expect(converted.conversion.warnings).toEqual([expect.stringContaining('statistics of the file are not true')]);
  expect(await converted.rows('table', 'WHERE id = 1000000009')).toHaveLength(1);
});

test('a type that the lake cannot hold is cast, with a warning', async () => {
  const converted = await convert(database, folder, { file: written(ODD_TYPES) });
  expect(schemaOf(converted.conversion)).toEqual(converted.inspected);
  expect(converted.inspected[0]?.columns).toEqual([
    { name: 't', type: 'TIME' },
    { name: 'n', type: 'VARCHAR' },
    { name: 'id', type: 'BIGINT' },
  ]);
  expect(converted.conversion.warnings).toEqual([
    expect.stringContaining('column "t" is read as TIME'),
    expect.stringContaining('column "n" is stored as VARCHAR'),
  ]);
  expect(await converted.rows('table')).toEqual([{ t: '10:00:00.123456', n: null, id: '7' }]);
});
