import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertFile, formats, inspectFile } from '../../src/convert/index.js';
import { tableOfFile } from '../../src/convert/names.js';
import { fileLiteral } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { convert, effects, refusal, temporaryFolder } from './support.js';

const folder = temporaryFolder();

function write(name: string, content: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

test('a file of no known format lists the endings that are known', async () => {
  const [error] = await refusal(folder, { file: write('data.xyz', 'hello') });
  expect(error).toMatchObject({ code: 'SL0602' });
  expect(error?.hint).toContain('.h5ad');
});

test('a format that is misspelt is refused with the nearest one', async () => {
  const [error] = await refusal(folder, { file: write('data.xyz', 'a\n1\n'), format: 'h5da' });
  expect(error).toMatchObject({ code: 'SL0602', hint: 'did you mean "h5ad"?' });
});

test('a named format goes before the name of the file', async () => {
  const inspected = await inspectFile(
    { file: write('data.xyz', 'a\n1\n'), displayName: 'data.xyz', format: 'CSV' },
    effects,
  );
  expect(inspected).toMatchObject({ ok: true, value: { format: 'csv', elements: [{ path: 'table', table: 'data' }] } });
});

test('a file that is missing and a folder that holds nothing are refused', async () => {
  expect((await refusal(folder, { file: path.join(folder, 'none.csv') }))[0]).toMatchObject({ code: 'SL0601' });
  expect((await refusal(folder, { file: folder }))[0]).toMatchObject({ code: 'SL0663' });
});

test('an output folder that holds something is left as it is', async () => {
  const out = path.join(folder, 'occupied');
  fs.mkdirSync(out);
  fs.writeFileSync(path.join(out, 'mine.txt'), 'mine');
  const result = await convertFile({ file: write('a.csv', 'a\n1\n'), displayName: 'a.csv', out }, effects);
  expect(result).toMatchObject({ ok: false, errors: [{ code: 'SL0605' }] });
  expect(fs.readdirSync(out)).toEqual(['mine.txt']);
});

test('an output folder that is empty is used, missing parents are made', async () => {
  const file = write('b.csv', 'a\n1\n');
  const empty = path.join(folder, 'empty');
  fs.mkdirSync(empty);
  for (const out of [empty, path.join(folder, 'deep', 'er', 'out')]) {
    expect(await convertFile({ file, displayName: 'b.csv', out }, effects)).toMatchObject({ ok: true });
    expect(fs.readdirSync(out).sort()).toEqual(['b.parquet', 'manifest.json']);
  }
});

test('progress counts up to its total', async () => {
  const seen: (readonly [number, number, string])[] = [];
  const progress = (done: number, total: number, unit: string): void => void seen.push([done, total, unit]);
  const file = write('c.csv', `a\n${'1\n'.repeat(1000)}`);
  await convertFile({ file, displayName: 'c.csv', out: path.join(folder, 'c') }, { ...effects, progress });
  expect(seen.at(-1)).toEqual([2002, 2002, 'bytes']);
});

test('no two formats share a name', () => {
  expect(new Set(formats.map((format) => format.name)).size).toBe(formats.length);
});

test('a table is called after its file, as an identifier', () => {
  const endings = ['.csv', '.tsv', '.tsv.gz'];
  const names = ['markers.tsv.gz', '/a/B-Cells (2).csv', '2024.csv', '__x__.tsv', '.csv', 'other.data'];
  expect(names.map((name) => tableOfFile(name, endings))).toEqual([
    'markers',
    'b_cells_2',
    't_2024',
    'x',
    'data',
    'other',
  ]);
});

describe('a file whose path looks like a pattern', () => {
  test.each([
    ['x[1].csv', 'x1.csv', 'id,v\n1,a\n', 'id,v\n2,b\n'],
    ['y*.csv', 'yz.csv', 'id,v\n1,a\n', 'id,v\n2,b\n'],
    ['z?.jsonl', 'zz.jsonl', '{"id": 1, "v": "a"}\n', '{"id": 2, "v": "b"}\n'],
  ])('(%s) is read itself, not what the pattern finds', async (name, other, content, otherContent) => {
    const place = fs.mkdtempSync(path.join(folder, 'in [a-z]*'));
    fs.writeFileSync(path.join(place, name), content);
    fs.writeFileSync(path.join(place, other), otherContent);
    const database = await duckdb.open();
    const file = await convert(database, place, { file: path.join(place, name) });
    const [row] = await database.rows(
      `FROM read_parquet(${fileLiteral(path.join(file.out, file.conversion.elements[0]?.file ?? ''))})`,
    );
    database.close();
    expect(row).toEqual({ id: '1', v: 'a' });
  });
});
