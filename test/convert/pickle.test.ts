import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { mutants } from './mutants.js';
import { FRAME } from './pickle-frame.js';
import { convert, refusal, schemaOf, survives, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

function write(bytes: Buffer): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), 'table.pkl');
  fs.writeFileSync(file, bytes);
  return file;
}

test('a DataFrame of pandas 3 keeps its index and every type', async () => {
  const file = await convert(database, folder, { file: write(FRAME) });
  expect(schemaOf(file.conversion)).toEqual(file.inspected);
  const types = file.inspected[0]?.columns.map(({ name, type }) => [name, type]);
  expect(types).toEqual([
    ['index', 'VARCHAR'],
    ['a', 'VARCHAR'],
    ['n', 'BIGINT'],
    ['c', 'VARCHAR'],
    ['t', 'TIMESTAMP'],
    ['tz', 'TIMESTAMP WITH TIME ZONE'],
    ['td', 'BIGINT'],
    ['f', 'DOUBLE'],
  ]);
  const rows = await file.rows('table');
  expect(rows.map((row) => [row.index, row.a, row.n, row.c, row.t, row.f])).toEqual([
    ['r1', 'x', '1', 'u', '2024-01-01 00:00:00', 1.5],
    ['r2', null, '2', 'v', '2024-01-02 00:00:00', null],
    ['r3', 'z', '3', 'u', null, 2],
  ]);
  expect(rows[0]?.tz).toBe('2023-12-31 23:00:00+00');
  const columns = file.manifest.elements[0]?.columns;
  expect(columns?.find(({ name }) => name === 'c')).toMatchObject({ dtype: 'category', categories: ['u', 'v'] });
  expect(columns?.find(({ name }) => name === 'tz')?.dtype).toContain('Europe/Berlin');
});

describe('a pickle is refused by name', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    [
      'when it calls the shell',
      Buffer.from('\x80\x02cos\nsystem\n(U\x0ctouch PWNED\n\x85R.', 'latin1'),
      'names os.system',
    ],
    [
      'when it reaches for attributes',
      Buffer.from('\x80\x02cbuiltins\ngetattr\ncnumpy\nndarray\nU\x01x\x86R.', 'latin1'),
      'names builtins.getattr',
    ],
    [
      'when a length is beyond the end',
      Buffer.from('\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x3f.', 'latin1'),
      'is cut off',
    ],
    ['when a mark is missing', Buffer.from('\x80\x02t.', 'latin1'), 'a mark that is not there'],
    ['when an operation is unknown', Buffer.from('\x80\x02\xfe.', 'latin1'), 'the operation 0xfe'],
    ['when it is no table', Buffer.from('\x80\x02K\x01.', 'latin1'), 'holds number, which is no table'],
    [
      'when it is nested without end',
      Buffer.concat([
        Buffer.from('\x80\x02', 'latin1'),
        Buffer.alloc(100_000, ']'),
        Buffer.alloc(99_999, 'a'),
        Buffer.from('.'),
      ]),
      'holds list',
    ],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    const errors = await refusal(folder, { file: write(bytes), format: 'pickle' });
    expect(errors.map((error) => error.code)).toEqual(['SL0650']);
    expect(errors[0]?.message).toContain(message);
  });
});

test('a boolean that is neither false nor true is refused', async () => {
  const bytes = Buffer.from(
    'gAJjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQBjbnVtcHkKbmRhcnJheQpxAUsAhXECY19jb2RlY3MKZW5jb2RlCnEDWAEAAABicQRYBgAAAGxhdGluMXEFhnEGUnEHh3EIUnEJKEsBSwSFcQpjbnVtcHkKZHR5cGUKcQtYAgAAAGIxcQyJiIdxDVJxDihLA1gBAAAAfHEPTk5OSv////9K/////0sAdHEQYoloA1gEAAAAAQABAXERaAWGcRJScRN0cRRiLg==',
    'base64',
  );
  const file = await convert(database, folder, { file: write(bytes) });
  expect((await file.rows('table')).map((row) => row.value)).toEqual([true, false, true, true]);
  bytes[bytes.indexOf(Buffer.from([1, 0, 1, 1])) + 3] = 2;
  const errors = await refusal(folder, { file: write(bytes), format: 'pickle' });
  expect(errors.map(({ code }) => code)).toEqual(['SL0650']);
  expect(errors[0]?.message).toContain('a boolean that is 2');
});

test('mutants are converted or refused by name, and leave nothing behind', { timeout: 120_000 }, async () => {
  for (const mutant of mutants(FRAME, 250, 5)) await survives(folder, { file: write(mutant), format: 'pickle' });
});
