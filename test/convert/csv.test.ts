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
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

async function converted(
  name: string,
  content: string | Buffer,
  options: Record<string, string> = {},
): Promise<Converted> {
  return convert(database, folder, { file: write(name, content), options });
}

function types(file: Converted): Readonly<Record<string, string>> {
  return Object.fromEntries(file.inspected.flatMap((element) => element.columns.map(({ name, type }) => [name, type])));
}

describe('the types of a table', () => {
  test('are settled by all values, not by a sample', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i},${i}`);
    const file = await converted('late.csv', `id,v\n${lines.join('\n')}\n30000,late\n`);
    expect(types(file)).toEqual({ id: 'BIGINT', v: 'VARCHAR' });
    expect(await file.value('table', 'count(*)')).toBe('30001');
  });

  test('never lose what a value was written as', async () => {
    const file = await converted(
      'types.csv',
      [
        'zeros,long,huge,mixed,flag,day,time,score',
        '007,9007199254740993,12345678901234567890,1,true,2024-02-29,2024-02-29 10:00:00,1e-300',
        '010,-9007199254740993,1,2.5,FALSE,1999-12-31,2024-02-29 23:59:59,NaN',
      ].join('\n'),
    );
    expect(types(file)).toEqual({
      zeros: 'VARCHAR',
      long: 'BIGINT',
      huge: 'VARCHAR',
      mixed: 'DOUBLE',
      flag: 'BOOLEAN',
      day: 'DATE',
      time: 'TIMESTAMP',
      score: 'DOUBLE',
    });
    expect((await file.rows('table'))[1]).toEqual({
      zeros: '010',
      long: '-9007199254740993',
      huge: '1',
      mixed: 2.5,
      flag: false,
      day: '1999-12-31',
      time: '2024-02-29 23:59:59',
      score: 'NaN',
    });
  });

  test('stay text where long integers and fractions share a column', async () => {
    const file = await converted('long.csv', 'v\n9007199254740993\n0.5\n');
    expect(types(file)).toEqual({ v: 'VARCHAR' });
  });

  test('do not suffer from missing values; a quoted NA is a text', async () => {
    const file = await converted('na.csv', 'n,t\n1,NA\nNA,"NA"\n,""\n');
    expect(await file.rows('table')).toEqual([
      { n: '1', t: null },
      { n: null, t: 'NA' },
      { n: null, t: '' },
    ]);
  });

  test('are text without rows', async () => {
    const file = await converted('header-only.csv', 'a,b\n');
    expect(types(file)).toEqual({ a: 'VARCHAR', b: 'VARCHAR' });
    expect(await file.value('table', 'count(*)')).toBe('0');
  });
});

describe('the header', () => {
  test('may begin with # below lines of ##', async () => {
    const file = await converted('plink.tsv', '##source=x\n#CHROM\tPOS\n1\t10\n');
    expect(await file.rows('table')).toEqual([{ CHROM: '1', POS: '10' }]);
  });

  test('is the first line below comments of another width', async () => {
    const file = await converted('comments.tsv', '# made by hand\n# twice\na\tb\n1\t2\n');
    expect(await file.rows('table')).toEqual([{ a: '1', b: '2' }]);
  });

  test('gets names that differ, its own names in the manifest', async () => {
    const file = await converted('clash.csv', ',Gene,gene\n1,2,3\n');
    expect(types(file)).toEqual({ _: 'BIGINT', Gene: 'BIGINT', gene_2: 'BIGINT' });
    expect(file.manifest.elements[0]?.columns?.map(({ name, col }) => [name, col])).toEqual([
      ['', '_'],
      ['Gene', 'Gene'],
      ['gene', 'gene_2'],
    ]);
  });

  test('may be absent', async () => {
    const file = await converted('bare.csv', '1,x\n2,y\n', { header: 'false' });
    expect(await file.rows('table')).toEqual([
      { column0: '1', column1: 'x' },
      { column0: '2', column1: 'y' },
    ]);
  });
});

describe('the text', () => {
  test('may have a byte order mark, CR LF and values of several lines', async () => {
    const file = await converted('windows.csv', '\ufeffid,txt\r\n1,"a\r\nb"\r\n2,"say ""hi"""\r\n');
    expect(await file.rows('table')).toEqual([
      { id: '1', txt: 'a\r\nb' },
      { id: '2', txt: 'say "hi"' },
    ]);
  });

  test('may hold comment lines anywhere, when they are announced', async () => {
    const file = await converted('within.csv', '# one\n# two\na,b\n1,2\n# between\n3,4\n', { comment: '#' });
    expect(await file.rows('table')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
  });

  test('may be a gzip file of several members, as bgzip writes', async () => {
    const file = await converted('members.csv.gz', Buffer.concat([gzipSync('a,b\n1,2\n'), gzipSync('3,4\n')]));
    expect((await file.rows('table')).length).toBe(2);
    expect(file.conversion.elements[0]?.table).toBe('members');
  });

  test('may be delimited by what its header shows, or by what the option says', async () => {
    expect(types(await converted('semicolons.csv', 'a;b\n1;2\n'))).toEqual({ a: 'BIGINT', b: 'BIGINT' });
    expect(types(await converted('pipes.txt', 'a,b|c\n1|2\n', { delim: '|' }))).toEqual({
      'a,b': 'BIGINT',
      c: 'BIGINT',
    });
  });

  test('gives equal bytes for equal input', async () => {
    const lines = Array.from({ length: 150_000 }, (_, i) => `${i},name ${i % 97},${Math.sin(i)}`);
    const first = await converted('equal.csv', `id,name,x\n${lines.join('\n')}\n`);
    const second = await convert(database, folder, { file: path.join(folder, 'equal.csv') });
    for (const name of fs.readdirSync(first.out)) {
      expect(
        fs.readFileSync(path.join(second.out, name)).equals(fs.readFileSync(path.join(first.out, name))),
        name,
      ).toBe(true);
    }
    expect(schemaOf(first.conversion)).toEqual(first.inspected);
  });
});

describe('a damaged text', () => {
  test('cut off within its gzip stream is refused', async () => {
    const whole = gzipSync(Array.from({ length: 5_000 }, (_, i) => `${i},${i * 7}\n`).join(''));
    const [error] = await refusal(folder, { file: write('cut.csv.gz', whole.subarray(0, whole.length - 9)) });
    expect(error?.code).toBe('SL0610');
    expect(error?.message).toContain('unexpected end of file');
  });

  test('with a wrong gzip checksum is refused', async () => {
    const whole = gzipSync('a,b\n1,2\n');
    whole[whole.length - 8] = (whole[whole.length - 8] ?? 0) ^ 1;
    const [error] = await refusal(folder, { file: write('crc.csv.gz', whole) });
    expect(error?.message).toContain('incorrect data check');
  });

  test('with a record of another length is located', async () => {
    const [error] = await refusal(folder, { file: write('ragged.csv', 'a,b,c\n1,2,3\n4,5\n') });
    expect(error).toMatchObject({
      code: 'SL0613',
      message: 'ragged.csv: line 3 has 2 values, the header has 3',
      location: { file: 'ragged.csv', line: 3, column: 1, text: '4,5' },
    });
  });

  test('with a quote that is not closed is located', async () => {
    const [error] = await refusal(folder, { file: write('quote.csv', 'a,b\n1,"x\n3,4\n') });
    expect(error).toMatchObject({ code: 'SL0613', location: { line: 2 } });
  });

  test('that is not UTF-8 names byte and line, and is read once its encoding is given', async () => {
    const content = Buffer.concat([Buffer.from('id,name\n1,caf'), Buffer.from([0xe9]), Buffer.from('\n2,ok\n')]);
    const [error] = await refusal(folder, { file: write('latin1.csv', content) });
    expect(error).toMatchObject({ code: 'SL0611', message: 'latin1.csv: line 2 is not UTF-8 (byte 13 of the text)' });
    const file = await converted('latin1.csv', content, { encoding: 'latin1' });
    expect((await file.rows('table')).map((row) => row.name)).toEqual(['café', 'ok']);
  });

  test('with a NUL byte is located', async () => {
    const [error] = await refusal(folder, { file: write('nul.csv', 'id,name\n1,a\0b\n') });
    expect(error).toMatchObject({ code: 'SL0612', location: { line: 2 } });
  });

  test('that is empty, or comments only, is refused', async () => {
    const codes = [];
    for (const content of ['', '\n', '# a\n# b\n']) {
      codes.push((await refusal(folder, { file: write('empty.csv', content) })).map((error) => error.code));
    }
    expect(codes).toEqual([['SL0614'], ['SL0614'], ['SL0614']]);
  });
});

test('an option that csv does not have is refused with the nearest one', async () => {
  const [error] = await refusal(folder, { file: write('option.csv', 'a\n1\n'), options: { delimm: ',' } });
  expect(error).toMatchObject({ code: 'SL0603', hint: 'did you mean "delim"?' });
});

test('a value that an option cannot have is refused', async () => {
  const file = write('value.csv', 'a\n1\n');
  expect((await refusal(folder, { file, options: { delim: 'ab' } }))[0]?.code).toBe('SL0606');
  expect((await refusal(folder, { file, options: { header: 'perhaps' } }))[0]?.code).toBe('SL0606');
  expect((await refusal(folder, { file, options: { encoding: 'utf-9' } }))[0]).toMatchObject({
    hint: 'did you mean "utf-8"?',
  });
});

describe('a compressed table', () => {
  const packed: readonly (readonly [string, string])[] = [
    ['bz2', 'QlpoOTFBWSZTWaXBm8IAAAnfAAAQAAQ4AAwEADAGoSAAMUwAAUNPQNR6hiw5fAia3Z8kKXxdyRThQkKXBm8I'],
    [
      'xz',
      '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAUaWQsZ2VuZQoxLENEM0QKMixMWVoKAAAAAHxhiPo//qzpAAEtFS8LcW0ftvN9AQAAAAAEWVo=',
    ],
    ['zst', 'KLUv/QRYqQAAaWQsZ2VuZQoxLENEM0QKMixMWVoKUL9WCQ=='],
  ];

  test.each(packed)('in .%s keeps its values and its name', async (ending, text) => {
    const file = await converted(`cells.csv.${ending}`, Buffer.from(text, 'base64'));
    expect(file.inspected[0]?.table).toBe('cells');
    expect(await file.rows('table')).toEqual([
      { id: '1', gene: 'CD3D' },
      { id: '2', gene: 'LYZ' },
    ]);
    expect(fs.readdirSync(file.out).sort()).toEqual(['cells.parquet', 'manifest.json']);
  });

  test.each(packed)('in .%s is refused when it is cut off or changed', async (ending, text) => {
    const bytes = Buffer.from(text, 'base64');
    const changed = Buffer.from(bytes);
    const at = bytes.length - 8;
    changed[at] = (changed[at] ?? 0) ^ 1;
    for (const damaged of [bytes.subarray(0, -3), changed]) {
      const errors = await refusal(folder, { file: write(`damaged.csv.${ending}`, damaged) });
      expect(errors.map(({ code }) => code)).toEqual(['SL0610']);
      expect(errors[0]?.message).toMatch(/is a damaged (bzip2|xz|zstd) file/);
    }
  });

  test('may not hold more than the option max_expanded_mb says', async () => {
    const bomb = Buffer.from(
      'QlpoOTFBWSZTWUphn7AG3cXZAAAQAARAADAAIABQZoBNVD1N6lQhE2lQhExUIRPd+YoKyTKay36xVoAVXO7AAACAACIAAQACgzAmqaYhQkl2goSS5ChJLxdyRThQkPsVFbA=',
      'base64',
    );
    for (const [name, bytes] of [
      ['zeros.csv.bz2', bomb],
      ['zeros.csv.gz', gzipSync(`a,b\n${'0,0\n'.repeat(400_000)}`)],
    ] as const) {
      const file = write(name, bytes);
      const errors = await refusal(folder, { file, options: { max_expanded_mb: '1' } });
      expect(errors.map(({ code }) => code)).toEqual(['SL0616']);
      const whole = await convert(database, folder, { file, options: { max_expanded_mb: '2' } });
      expect(whole.conversion.elements[0]?.rows).toBe(400_000);
    }
  });
});

test('a table whose first bytes are those of a binary format is a table all the same', async () => {
  for (const name of ['PAR1', 'PARENT', 'PK', 'BZh', 'A']) {
    const file = await converted(`${name}.csv`, `${name},v\n1,2\n`);
    expect(file.conversion.format).toBe('csv');
    expect(await file.rows('table')).toEqual([{ [name]: '1', v: '2' }]);
  }
});
