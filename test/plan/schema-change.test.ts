import { describe, expect, test } from 'vitest';
import { compareSchemas } from '../../src/plan/schema-change.js';
import { addedFields } from '../../src/plan/struct-type.js';

const columns = (listed: Readonly<Record<string, string>>) =>
  Object.entries(listed).map(([name, type]) => ({ name, type }));
const none = { adds: [], drops: [], widens: [], replaces: [], renames: [], fields: [] };

describe('what turns one schema into another', () => {
  test.each([
    ['a new column', { i: 'INTEGER' }, { i: 'INTEGER', j: 'VARCHAR' }, { adds: columns({ j: 'VARCHAR' }) }],
    ['a column that goes', { i: 'INTEGER', j: 'VARCHAR' }, { i: 'INTEGER' }, { drops: columns({ j: 'VARCHAR' }) }],
    [
      'a wider integer',
      { i: 'INTEGER' },
      { i: 'BIGINT' },
      { widens: [{ column: { name: 'i', type: 'BIGINT' }, from: 'INTEGER' }] },
    ],
    [
      'a narrower integer',
      { i: 'BIGINT' },
      { i: 'INTEGER' },
      { replaces: [{ column: { name: 'i', type: 'INTEGER' }, from: 'BIGINT' }] },
    ],
    [
      'a decimal of more digits',
      { i: 'DECIMAL(10,2)' },
      { i: 'DECIMAL(12,2)' },
      { widens: [{ column: { name: 'i', type: 'DECIMAL(12,2)' }, from: 'DECIMAL(10,2)' }] },
    ],
    [
      'what may be a rename, and is not said to be one',
      { i: 'INTEGER' },
      { k: 'INTEGER' },
      { adds: columns({ k: 'INTEGER' }), drops: columns({ i: 'INTEGER' }) },
    ],
    [
      'a field more',
      { s: 'STRUCT("a" INTEGER)' },
      { s: 'STRUCT("a" INTEGER, "b" VARCHAR)' },
      { fields: [{ path: ['s', 'b'], type: 'VARCHAR' }] },
    ],
    [
      'a field less',
      { s: 'STRUCT("a" INTEGER, "b" VARCHAR)' },
      { s: 'STRUCT("a" INTEGER)' },
      { replaces: [{ column: { name: 's', type: 'STRUCT("a" INTEGER)' }, from: 'STRUCT("a" INTEGER, "b" VARCHAR)' }] },
    ],
  ])('is found for %s', (_, before, after, expected) => {
    expect(compareSchemas(columns(before), columns(after))).toEqual({ ...none, ...expected });
  });

  test('is a rename where the header says so, with a wider type on the way', () => {
    expect(compareSchemas(columns({ i: 'INTEGER' }), columns({ k: 'BIGINT' }), { k: 'i' })).toEqual({
      ...none,
      renames: [{ from: 'i', to: 'k' }],
      widens: [{ column: { name: 'k', type: 'BIGINT' }, from: 'INTEGER' }],
    });
  });

  test('is no rename of a column that is still there', () => {
    expect(compareSchemas(columns({ i: 'INTEGER' }), columns({ i: 'INTEGER', k: 'INTEGER' }), { k: 'i' })).toEqual({
      ...none,
      adds: columns({ k: 'INTEGER' }),
    });
  });
});

test('fields are found in structs of structs and in lists of them, under any name', () => {
  const from = 'STRUCT("a, b" STRUCT("x" DECIMAL(3,1)), "l" STRUCT("k" INTEGER)[])';
  const to = 'STRUCT("a, b" STRUCT("x" DECIMAL(3,1), "y" DATE), "l" STRUCT("k" INTEGER, "z ""q""" VARCHAR[])[])';
  expect(addedFields(from, to, ['c'])).toEqual([
    { path: ['c', 'a, b', 'y'], type: 'DATE' },
    { path: ['c', 'l', 'element', 'z "q"'], type: 'VARCHAR[]' },
  ]);
});
