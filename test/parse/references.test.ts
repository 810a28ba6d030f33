import { describe, expect, test } from 'vitest';
import { lineageOf, referencesOf, useShadow } from '../support/database.js';

const shadow = useShadow([
  'CREATE SCHEMA raw',
  'CREATE TABLE raw.t (id INT, v INT, s STRUCT(x STRUCT(y INT)))',
  'CREATE TABLE raw.u (id INT, w INT)',
  'CREATE SCHEMA "my raw"',
  'CREATE TABLE "my raw"."a.b" (id INT)',
  'CREATE TABLE t (id INT)',
]);

const tablesOf = async (sql: string): Promise<readonly string[]> =>
  (await referencesOf(shadow(), sql)).tables.map(({ schema, table }) => (schema === '' ? table : `${schema}.${table}`));

describe('the tables that a query names are', () => {
  test.each([
    ['SELECT * FROM raw.t', ['raw.t']],
    ['FROM raw.t, raw.u', ['raw.t', 'raw.u']],
    ['SELECT (SELECT max(id) FROM raw.u) FROM raw.t', ['raw.u', 'raw.t']],
    ['SELECT * FROM raw.t WHERE id IN (SELECT id FROM raw.u)', ['raw.u', 'raw.t']],
    ['SELECT * FROM raw.t UNION ALL SELECT id, w, NULL FROM raw.u', ['raw.t', 'raw.u']],
    ['PIVOT raw.t ON v IN (1, 2) USING sum(id)', ['raw.t']],
    ['SELECT * FROM "my raw"."a.b"', ['my raw.a.b']],
    ['SELECT * FROM range(3)', []],
    ['VALUES (1)', []],
  ])('%s', async (sql, expected) => {
    expect([...(await tablesOf(sql))].sort()).toEqual([...expected].sort());
  });
});

describe('a CTE', () => {
  test.each([
    ['hides a table of its name', 'WITH t AS (SELECT 1 AS id) SELECT * FROM t', []],
    ['does not hide a table with a schema', 'WITH t AS (SELECT 1 AS id) SELECT t.id FROM t, raw.t AS r', ['raw.t']],
    ['means the table inside itself', 'WITH t AS (SELECT * FROM t) SELECT * FROM t', ['t']],
    [
      'means itself inside itself where it is recursive',
      'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t',
      [],
    ],
    ['is seen by those after it only', 'WITH a AS (SELECT * FROM t), t AS (SELECT 1 AS id) SELECT * FROM a, t', ['t']],
    ['of an inner query hides nothing outside', 'SELECT (WITH t AS (SELECT 1 AS id) SELECT id FROM t) FROM t', ['t']],
    ['of an outer query is seen inside', 'WITH t AS (SELECT 1 AS id) SELECT (SELECT max(id) FROM t)', []],
    ['hides in any case', 'WITH T AS (SELECT 1 AS id) SELECT * FROM t', []],
    ['that is materialized hides too', 'WITH t AS MATERIALIZED (SELECT 1 AS id) SELECT * FROM t', []],
  ])('%s', async (_, sql, expected) => {
    expect(await tablesOf(sql)).toEqual(expected);
    // The engine that runs the query is the authority.
    const lineage = await lineageOf(shadow(), sql);
    const bound = lineage.known ? lineage.print.tables : lineage.tables;
    expect(bound.map((key) => key.replace(/^main\./, ''))).toEqual(expected);
  });
});

describe('a name’s position', () => {
  const placesOf = async (sql: string): Promise<readonly string[]> => {
    const { tables, qualifiedColumns } = await referencesOf(shadow(), sql);
    return [...tables, ...qualifiedColumns].map(({ byteOffset }) =>
      Buffer.from(sql)
        .subarray(byteOffset ?? 0)
        .toString()
        .slice(0, 8),
    );
  };

  test('is counted in bytes', async () => {
    expect(await placesOf('SELECT \'😀żółć\' AS "ź" FROM raw.t  AS o, raw.u ')).toEqual(['raw.t  A', 'raw.u ']);
  });

  test('is the schema’s', async () => {
    expect(await placesOf('SELECT raw.t.id   FROM "raw" . "t"')).toEqual(['"raw" . ', 'raw.t.id']);
  });
});

test.each(['raw.t.id', 'raw.t.s.x', 'raw.t.s.x.y'])('the column %s is known to hang on its schema', async (column) => {
  const { qualifiedColumns } = await referencesOf(shadow(), `SELECT ${column} FROM raw.t`);
  expect(qualifiedColumns).toEqual([{ schema: 'raw', table: 't', byteOffset: 7 }]);
});

describe('the files that a query reads', () => {
  test.each([
    ["FROM read_parquet('a.parquet')", ['a.parquet'], false],
    ["SELECT (SELECT max(id) FROM read_csv(['b.csv', 'c.csv'], header = true)) FROM raw.t", ['b.csv', 'c.csv'], false],
    ["FROM 'x/y.parquet' JOIN glob('*.csv') ON true", ['x/y.parquet', '*.csv'], false],
    ['FROM raw.t', [], false],
    ["FROM read_parquet('a' || '.parquet')", [], true],
    ["FROM read_parquet(['a.parquet', 'b' || '.parquet'])", [], true],
    ["FROM query_table('raw.t')", [], true],
    ["FROM sqlite_scan('a.db', 't')", [], true],
  ])('%s', async (sql, files, readsUnnamed) => {
    expect(await referencesOf(shadow(), sql)).toMatchObject({ files, readsUnnamed });
  });
});
