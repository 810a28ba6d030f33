import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { mutants } from './mutants.js';
import { convert, refusal, schemaOf, survives, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

/** A DataFrame of three rows with an index of texts, written by pandas 3.1.1, protocol 5. */
const FRAME = gunzipSync(
  Buffer.from(
    'H4sIAEWkBGsC/61WW2vcRhTe1d6ci+OUUNfQ4KYPhc1DtuRCqcE0iddNSUS20KQEAkGMpNkdYV2W0ajxmoS40DgxTKGXaZ77U/qUn9C+9Be0T33zU9tvRpL3ZkgbIljNSDNnzjnf+b6z2m389P1CxVyyOSSxT1Ilj20SQW5wElH1ozr/tXqs2rLuRAOu5Gq+p+MlnHaCWFAekzDtRCQmA8phe3IjTLyt2/kzzNtyuTBxwsBNxzZKLjlZPAy8rZA6rjbCbnlmajPhnIyw86zjDEfb4+29zet6ZYN4W9TXZouFWWlw4o7gQTwwu7B+673mX/XeM/WFYpVybVOMhjo/pD0SLInVZ08OciD2sE8ux1k0HHUck2iUhSIwZyNBh1MviVPBM09o+4bZqWQLERT+7MpT1a26Snts21W79lSxs7Lhly6tzz9W+8/z1ZqsPlK9Xu/WP7jMzb4qlLv/ANBVt8dRyeqOoljYU65ccLMAEcXItJGGgUeNTziq6jNty2R6Qp6ZzAFzygMP2Dh9nkRu1u/nBXqxkjuoVIvRKsZaMSr2gbSCqYjXZyKuIDCd556S1a4S2v0lPFvTAbFTGv4uEXSQIBQSzpbm9MRaWZ+Cf8e9Yoki6ZVpFvp0m6Ydl6RUyeNOTB86N/U7GOPMRjk3LPbBbIU43prw+zZbnqo9e5et6gqyc2X9LDy084pkyPCrw0LUYy2SXmYo00q4TzkIuZ+5bK39osQPwOYQXhxDyM4fAaCmyXUNHo4GfpZdm8VvjuiLkCoVQUSPoDpc3h5Xrc4+mXHZa3etLFWaNnZVwClimM/dVPW1ztrvrlTOvX/6t8VmpbJ7cOFPPebXrl5+DOk5HvEYRWlkPYsDAWXgkDR9ZvKv2fU5/mxP8WWpzP7u/Wm6sB/MSdISO2pSLa0BFUQIzXu5sJPENIj7Cab3Mb2pp3h/7LDPKFPWxU8zngzphxuUh0GMFPXb7I0j9ejbtV81Qr/79/7Q4/p69jdGlTMNcNTtxivpcOouwPBpKMjRfIjeFB9eIuRrG0t5Nb9ZNeMvLy/k/eIw5IbdnGlJc/y9ESZETLTqQu4NJ1fq2rg95dfB1WJ8Ury4ZhLrT7SnucSmtIWjI5JuqaMU6v5nhbLvwNmioYOIJ00aH12ZYGGaaQSadmsSAaHQRNgd9qXm6L3/3Yda4z5E0Idi/NDQUSv2M6juY9ovWxOjeVd6fWe1Q2cWvwgp8Uv6dnnWATUiqTvIHNrRVeubLwfoKILYTBkfACstu1QZ0fdDMjDTd0gYJg9Tx8+G+BeDlp2QuBTfBs+BXudfCO+Ph5wIAAA=',
    'base64',
  ),
);

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

test('mutants are converted or refused by name, and leave nothing behind', { timeout: 120_000 }, async () => {
  for (const mutant of mutants(FRAME, 250, 5)) await survives(folder, { file: write(mutant), format: 'pickle' });
});
