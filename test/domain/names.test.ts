import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  environmentName,
  ident,
  inLake,
  literal,
  physicalName,
  qualified,
  tableKey,
  viewName,
} from '../../src/domain/names.js';
import { useDatabase, valuesOf } from '../support/database.js';

interface NameCase {
  readonly id: string;
  readonly kind: 'physical_table' | 'view';
  readonly env?: string;
  readonly expected?: string;
}

const cases: readonly NameCase[] = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, 'name-cases.json'), 'utf8'),
);
const obs = { schema: 'sky', table: 'obs' };

describe('names in the lake', () => {
  test.each(cases.filter((one) => one.kind === 'view'))(
    'case $id: the view of $env stands where SQLMesh puts it, without the catalog',
    ({ env, expected }) => {
      const view = viewName(obs, env ?? '');
      expect(`${view.schema}.${view.table}`).toBe(expected?.replace('cat.', ''));
    },
  );

  test('an environment other than prod has schemas of its own', () => {
    expect(viewName(obs, 'dev')).toEqual({ schema: 'sky__dev', table: 'obs' });
  });

  test('versions of a model stand side by side in a schema that is not the model’s', () => {
    expect(physicalName(obs, '123')).toEqual({ schema: 'scilake__sky', table: 'obs__123' });
  });

  test('a table of the lake is named in three quoted parts', () => {
    expect(inLake({ schema: 's', table: 'a"b' })).toBe('"__scilake"."s"."a""b"');
  });

  test.each([
    ['Dev', 'dev'],
    [' feature/x-1 ', 'feature_x_1'],
    ['prod', 'prod'],
  ])('environment "%s" is called %s', (raw, name) => {
    expect(environmentName(raw)).toBe(name);
  });
});

describe('keys of tables', () => {
  test('are plain where the parts are', () => {
    expect(tableKey(obs)).toBe('sky.obs');
  });

  test('tell a dot in a name from a dot between names', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '.', '"'), minLength: 1, maxLength: 4 }),
        fc.string({ unit: fc.constantFrom('a', '.', '"'), minLength: 1, maxLength: 4 }),
        (joined, other) => {
          for (const [a, b] of [
            ['x', joined],
            [joined, 'x'],
            [joined, other],
          ] as const) {
            const twins = [
              { schema: `${a}.${b}`, table: 'x' },
              { schema: a, table: `${b}.x` },
            ];
            for (const twin of twins) {
              const isSame = twin.schema === a && twin.table === b;
              expect(tableKey(twin) === tableKey({ schema: a, table: b })).toBe(isSame);
            }
          }
        },
      ),
    );
  });
});

describe('quoting', () => {
  const database = useDatabase();
  const hostile = ["it's", 'a"b', 'a b', 'żółć 😀', 'a.b', 'select', "'; DROP TABLE x; --", '\\', '$1', '-- x'];

  test.each(hostile)('a string literal of %s gives the string back', async (text) => {
    expect(await valuesOf(database(), `SELECT ${literal(text)}`)).toEqual([text]);
  });

  test.each(hostile)('a column called %s keeps its name', async (text) => {
    const [column] = await database().describe(`SELECT 1 AS ${ident(text)}`);
    expect(column?.name).toBe(text);
  });

  test('a qualified name finds its table', async () => {
    await database().run(`CREATE SCHEMA ${ident('a.b')}`);
    await database().run(`CREATE TABLE ${qualified('a.b', 'c"d')} AS SELECT 7 AS x`);
    expect(await valuesOf(database(), `SELECT x FROM ${qualified('a.b', 'c"d')}`)).toEqual([7]);
  });
});
