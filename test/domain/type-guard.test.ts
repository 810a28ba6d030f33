import { describe, expect, test } from 'vitest';
import { storedType } from '../../src/domain/type-guard.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase();

async function typeOf(value: string): Promise<string> {
  const [column] = await database().describe(`SELECT ${value} AS c`);
  return column?.type ?? '';
}

describe('a type that the lake keeps as it is', () => {
  test.each([
    'true',
    '1::TINYINT',
    '1::SMALLINT',
    '1',
    '1::BIGINT',
    '1::UTINYINT',
    '1::USMALLINT',
    '1::UINTEGER',
    '1::UBIGINT',
    '1.5::FLOAT',
    '1.5::DOUBLE',
    '1.5::DECIMAL(18,3)',
    '1::DECIMAL(38,0)',
    "'x'",
    "'x'::BLOB",
    'uuid()',
    "DATE '2024-01-01'",
    "TIME '10:00:00'",
    "TIMETZ '10:00:00+01'",
    "TIMESTAMP '2024-01-01'",
    "TIMESTAMPTZ '2024-01-01'",
    "'2024-01-01'::TIMESTAMP_S",
    "'2024-01-01'::TIMESTAMP_MS",
    "'2024-01-01'::TIMESTAMP_NS",
    'INTERVAL 1 DAY',
    '[1, 2]',
    "{'a': 1, 'b': 'x'}",
    "MAP {'a': 1}",
    "{'hugeint': 1, 'bit': 'x', 'a, ENUM': 2}",
    "MAP {'a': [{'x': 1.5::DECIMAL(10,2)}]}",
  ])('%s', async (value) => {
    expect(storedType(await typeOf(value))).toEqual({ type: 'kept' });
  });
});

describe('a type that the lake would break is cast to one that keeps the value', () => {
  // The value, and its text after the cast where that is not the text before.
  test.each([
    ['170141183460469231731687303715::HUGEINT', 'DECIMAL(38,0)'],
    ['7::UHUGEINT', 'DECIMAL(38,0)'],
    ["'0101'::BIT", 'VARCHAR'],
    ['123456789012345678901234567890123456789012::BIGNUM', 'VARCHAR'],
    ["TIME_NS '10:00:00.123456'", 'TIME'],
    ["'a'::ENUM ('a', 'b')", 'VARCHAR'],
    ["'b (it''s)'::ENUM ('a', 'b (it''s)', 'c, d')", 'VARCHAR'],
    ['[1, 2]::INTEGER[2]', 'INTEGER[]'],
    ['[[1, 2], [3, 4]]::INTEGER[2][2]', 'INTEGER[][]'],
    ['[1::HUGEINT]', 'DECIMAL(38,0)[]'],
    ["{'bit': '1'::BIT, 'x y': 1::HUGEINT}", 'STRUCT("bit" VARCHAR, "x y" DECIMAL(38,0))'],
    ['MAP {1::HUGEINT: 2::HUGEINT}', 'MAP(DECIMAL(38,0), DECIMAL(38,0))'],
    ["MAP {{'a': 1}: 2::HUGEINT}", 'MAP(STRUCT("a" INTEGER), DECIMAL(38,0))'],
    ['MAP {1::DECIMAL(10,2): 2::HUGEINT}', 'MAP(DECIMAL(10,2), DECIMAL(38,0))'],
    [
      "{'m': MAP {'k': 1}, 'e': ['a'::ENUM ('a', ')')], 'h': 3::HUGEINT}",
      'STRUCT("m" MAP(VARCHAR, INTEGER), "e" VARCHAR[], "h" DECIMAL(38,0))',
    ],
  ])('%s', async (value, to) => {
    const stored = storedType(await typeOf(value));
    expect(stored).toMatchObject({ type: 'cast', to });
    const [row] = await database().rows(
      `SELECT CAST(CAST(${value} AS ${to}) AS VARCHAR) = CAST(${value} AS VARCHAR) AS same, typeof(CAST(${value} AS ${to})) AS type`,
    );
    expect(row?.same).toBe(true);
    expect(storedType(String(row?.type))).toEqual({ type: 'kept' });
  });

  test('the type of sum(int) is one of them', async () => {
    expect(storedType(await typeOf('(SELECT sum(x) FROM (VALUES (1)) AS t(x))'))).toMatchObject({
      type: 'cast',
      to: 'DECIMAL(38,0)',
    });
  });

  test('a declared type without quotes is read the same way', () => {
    expect(storedType('struct(bit hugeint, m map(varchar, uhugeint))')).toMatchObject({
      type: 'cast',
      to: 'struct(bit DECIMAL(38,0), m map(varchar, DECIMAL(38,0)))',
    });
  });

  test('a column of nothing but NULL becomes text', () => {
    expect(storedType('"NULL"')).toMatchObject({ type: 'cast', to: 'VARCHAR' });
    expect(storedType('SQLNULL')).toMatchObject({ type: 'cast', to: 'VARCHAR' });
  });

  test('each reason is given once', () => {
    const stored = storedType('MAP(HUGEINT, HUGEINT)');
    expect(stored.type === 'cast' && stored.why.match(/HUGEINT/g)).toHaveLength(1);
  });
});

test.each([
  'union_value(a := 1)',
  '[union_value(a := 1)]',
  "{'u': union_value(a := 1)}",
  "MAP {{'k': 1}: union_value(a := 1)}",
])('the union %s is refused, however deep it stands', async (value) => {
  expect(storedType(await typeOf(value))).toMatchObject({ type: 'refused' });
});
