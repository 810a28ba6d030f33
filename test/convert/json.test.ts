import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { type Converted, convert, refusal, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

function write(name: string, content: string | Buffer): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), name);
  fs.writeFileSync(file, content);
  return file;
}

async function converted(
  name: string,
  content: string | Buffer,
  options: Record<string, string> = {},
): Promise<Converted> {
  const result = await convert(database, folder, { file: write(name, content), options });
  expect(schemaOf(result.conversion)).toEqual(result.inspected);
  return result;
}

function types(file: Converted): Readonly<Record<string, string>> {
  return Object.fromEntries(file.inspected.flatMap((element) => element.columns.map(({ name, type }) => [name, type])));
}

describe('the layout of records', () => {
  const rows = [
    { id: '1', gene: 'CD3D' },
    { id: '2', gene: 'LYZ' },
  ];
  const cases: readonly (readonly [string, string, string])[] = [
    ['lines', 'cells.jsonl', '{"id": 1, "gene": "CD3D"}\r\n\n{"id": 2, "gene": "LYZ"}'],
    ['lines with a byte order mark', 'cells.ndjson', '\uFEFF{"id": 1, "gene": "CD3D"}\n{"id": 2, "gene": "LYZ"}\n'],
    ['an array', 'cells.json', ' [ {"id": 1,\n "gene": "CD3D"} ,\n{"id": 2, "gene": "LYZ"}]\n'],
    ['values one after another', 'cells.json', '{"id": 1, "gene": "CD3D"}{"id": 2,\n"gene": "LYZ"}'],
  ];
  test.each(cases)('is recognised: %s', async (_, name, text) => {
    const file = await converted(name, text);
    expect(file.inspected[0]?.table).toBe('cells');
    expect(types(file)).toEqual({ id: 'BIGINT', gene: 'VARCHAR' });
    expect(await file.rows('table')).toEqual(rows);
    expect(fs.readdirSync(file.out).sort()).toEqual(['cells.parquet', 'manifest.json']);
  });

  test('is found by content where the name says nothing', async () => {
    const file = await converted('cells.dat', '{"id": 1, "gene": "CD3D"}\n{"id": 2, "gene": "LYZ"}\n');
    expect(file.conversion.format).toBe('json');
  });

  test('of lists on lines needs no objects', async () => {
    const file = await converted('points.jsonl', '[1, 2]\n[3.5]\nnull\n');
    expect(types(file)).toEqual({ value: 'DOUBLE[]' });
    expect(await file.rows('table')).toEqual([{ value: [1, 2] }, { value: [3.5] }, { value: null }]);
  });

  test('may be compressed', async () => {
    const file = await converted('cells.json.gz', gzipSync('[{"id": 1, "gene": "CD3D"}, {"id": 2, "gene": "LYZ"}]'));
    expect(await file.rows('table')).toEqual(rows);
  });
});

describe('the types of JSON records', () => {
  test('are settled by all of them, not by a sample', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `{"v": ${i}}`);
    const file = await converted('late.jsonl', [...lines, '{"v": 0.5, "late": true}'].join('\n'));
    expect(types(file)).toEqual({ v: 'DOUBLE', late: 'BOOLEAN' });
    expect(await file.value('table', 'count(late)::INTEGER')).toBe(1);
  });

  test('keep every digit', async () => {
    const file = await converted(
      'long.jsonl',
      '{"i": 9007199254740993, "u": 18446744073709551615, "d": 99999999999999999999999999999999999999, "x": 1e-300}\n' +
        '{"i": -9223372036854775808, "u": 0, "d": -1, "x": 0.30000000000000004}\n',
    );
    expect(types(file)).toEqual({ i: 'BIGINT', u: 'UBIGINT', d: 'DECIMAL(38,0)', x: 'DOUBLE' });
    expect(await file.rows('table')).toEqual([
      { i: '9007199254740993', u: '18446744073709551615', d: '99999999999999999999999999999999999999', x: 1e-300 },
      { i: '-9223372036854775808', u: '0', d: '-1', x: 0.30000000000000004 },
    ]);
  });

  test('are JSON text, with a warning, where no one type holds the values', async () => {
    const file = await converted(
      'mixed.jsonl',
      '{"a": 1, "b": 9007199254740993, "c": {}, "d": 1e999}\n{"a": "1", "b": 0.5, "c": {}, "d": 1}\n{"a": {"k": [1, null]}}\n{"a": null}\n',
    );
    expect(types(file)).toEqual({ a: 'VARCHAR', b: 'VARCHAR', c: 'VARCHAR', d: 'VARCHAR' });
    expect((await file.rows('table')).map((row) => [row.a, row.b, row.d])).toEqual([
      ['1', '9007199254740993', '1e999'],
      ['"1"', '0.5', '1'],
      ['{"k": [1, null]}', null, null],
      [null, null, null],
    ]);
    expect(file.conversion.warnings).toEqual([
      'column "a" is kept as JSON text: its values are of different kinds',
      'column "b" is kept as JSON text: as DOUBLE its whole numbers would lose digits',
      'column "c" is kept as JSON text: its objects are empty',
      'column "d" is kept as JSON text: a number is beyond the range of DOUBLE',
    ]);
  });

  test('nest', async () => {
    const file = await converted(
      'nested.json',
      '[{"cell": {"id": 1, "tags": ["a", "b\\u0000\\ud83d\\ude00"], "at": [{"x": 1}, {"y": 2.5}]}}, {"cell": null}, {}]',
    );
    expect(types(file)).toEqual({
      cell: 'STRUCT("id" BIGINT, "tags" VARCHAR[], "at" STRUCT("x" BIGINT, "y" DOUBLE)[])',
    });
    expect(await file.rows('table')).toEqual([
      {
        cell: {
          id: '1',
          tags: ['a', 'b\0😀'],
          at: [
            { x: '1', y: null },
            { x: null, y: 2.5 },
          ],
        },
      },
      { cell: null },
      { cell: null },
    ]);
  });

  test('of nothing but null are text', async () => {
    expect(types(await converted('null.jsonl', '{"a": null, "b": [null], "c": []}\n'))).toEqual({
      a: 'VARCHAR',
      b: 'VARCHAR[]',
      c: 'VARCHAR[]',
    });
  });

  test('with names that differ only in case keep both, also inside', async () => {
    const file = await converted('case.jsonl', '{"Gene": 1, "gene": 2, "": {"A": 3, "a": 4}, "quo\'te\\"": 5}\n');
    expect(await file.rows('table')).toEqual([{ Gene: '1', gene_2: '2', _: { A: '3', a_2: '4' }, 'quo\'te"': '5' }]);
    expect(file.manifest.elements[0]?.columns).toMatchObject([
      { name: 'Gene', col: 'Gene' },
      { name: 'gene', col: 'gene_2' },
      { name: '', col: '_', fields: [{ name: 'a', col: 'a_2' }] },
      { name: 'quo\'te"' },
    ]);
  });

  test('with a NUL in a name have a name without one', async () => {
    const file = await converted('nul.jsonl', '{"a\\u0000b": 1}\n');
    expect(await file.rows('table')).toEqual([{ a_b: '1' }]);
    expect(file.manifest.elements[0]?.columns).toMatchObject([{ name: 'a\0b', col: 'a_b' }]);
  });

  test('of an object with very many keys are JSON text', async () => {
    const counts = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`gene${i}`, i]));
    const file = await converted('wide.jsonl', `${JSON.stringify({ counts })}\n`);
    expect(types(file)).toEqual({ counts: 'VARCHAR' });
    expect(JSON.parse(String((await file.rows('table'))[0]?.counts))).toEqual(counts);
  });
});

describe('a JSON file is refused by one named error at its line', () => {
  const cases: readonly (readonly [string, string, string, number, string])[] = [
    ['when a line is cut off', 'a.jsonl', '{"a": 1}\n{"a": \n{"a": 3}\n', 2, 'ends where a value should be'],
    ['when a line holds two values', 'a.jsonl', '{"a": 1}\n{"a": 1} {"a": 2}\n', 2, 'goes on after its value'],
    ['when an array is cut off', 'a.json', '[{"a": 1},\n{"a": 2}', 2, 'where the file ends, before the array does'],
    ['when a record is cut off', 'a.json', '[{"a": 1},\n{"a": ', 2, 'where the file ends, inside a value'],
    ['when a comma trails', 'a.json', '[{"a": 1},\n{"a": 2},\n]', 3, 'where a record should be'],
    ['when a comma is missing', 'a.json', '[{"a": 1}\n{"a": 2}]', 2, 'between two records'],
    ['when something follows', 'a.json', '[{"a": 1}]\n\n{"a": 2}', 3, 'after the end of the array'],
    ['when a key stands twice', 'a.json', '{"a": 1,\n"a": 2}', 2, 'has the key "a" twice in one object'],
    ['when a number has a leading zero', 'a.jsonl', '{"a": 01}', 1, 'has neither "," nor "}" after a value'],
    ['when NaN stands for a number', 'a.jsonl', '{"a": NaN}', 1, 'has "N" where a value should be'],
    ['when a string has half a character', 'a.jsonl', '{"a": "\\ud83d"}', 1, 'half a character'],
    [
      'when a control character stands between records',
      'a.json',
      '[{"a": 1},\u001a{"a": 2}]',
      1,
      'where a value should be',
    ],
    ['when a string has a line break', 'a.json', '{"a": "x\ny"}', 1, 'control character'],
    ['when an object follows a number', 'a.jsonl', '1\n{"a": 1}', 2, 'holds an object, and those before it do not'],
    ['when it is nested without end', 'a.json', '[1]'.replace('1', '['.repeat(100_000)), 1, 'inside a value'],
    ['when it is nested very deep', 'a.jsonl', `${'['.repeat(100)}${']'.repeat(100)}`, 1, 'more than 64 levels'],
  ];
  test.each(cases)('%s', async (_, name, text, line, message) => {
    const errors = await refusal(folder, { file: write(name, text) });
    expect(errors.map(({ code }) => code)).toEqual(['SL0670']);
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.location?.line).toBe(line);
  });

  test('when it is not UTF-8', async () => {
    const errors = await refusal(folder, {
      file: write('a.jsonl', Buffer.from('{"a": 1}\n{"a": "caf\xe9"}\n', 'latin1')),
    });
    expect(errors[0]).toMatchObject({ code: 'SL0611', location: { line: 2 } });
  });

  test('when it holds nothing', async () => {
    for (const text of ['', '[]', '{}\n{}', ' \n']) {
      const errors = await refusal(folder, { file: write('a.json', text) });
      expect(errors.map(({ code }) => code)).toEqual(['SL0671']);
    }
  });

  test('when its gzip is cut off at a line end', async () => {
    const text = Array.from({ length: 5000 }, (_, i) => `{"a": ${i * 7919}}\n`).join('');
    const packed = gzipSync(text);
    const errors = await refusal(folder, { file: write('a.jsonl.gz', packed.subarray(0, packed.length >> 1)) });
    expect(errors.map(({ code }) => code)).toEqual(['SL0610']);
  });

  test('when it expands beyond its limit', async () => {
    const file = write('a.json.gz', gzipSync(`[${'{"a":1},'.repeat(300_000)}{"a":1}]`));
    const errors = await refusal(folder, { file, options: { max_expanded_mb: '1' } });
    expect(errors.map(({ code }) => code)).toEqual(['SL0616']);
  });

  test('when it is declared as another format', async () => {
    const errors = await refusal(folder, { file: write('a.csv', '{"a": 1}\n'), format: 'csv' });
    expect(errors[0]?.message).toContain('declared as csv, but its content is json');
  });
});
