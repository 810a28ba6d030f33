import { beforeAll, describe, expect, test } from 'vitest';
import { patchReferences } from '../../src/parse/patch-references.js';
import { referencesOf, useShadow } from '../support/database.js';

const shadow = useShadow([
  'CREATE SCHEMA raw',
  'CREATE SCHEMA phys',
  `CREATE TABLE raw.t AS SELECT * FROM (VALUES (1, 'k', {'x': {'y': 2}}, [1, 2]), (2, 'ł', {'x': {'y': 3}}, [3])) AS v(id, k, s, l)`,
  'CREATE TABLE raw."we ird" AS SELECT 1 AS id, 2 AS "c d"',
  'CREATE TABLE phys.t__1 AS FROM raw.t',
  'CREATE TABLE phys.w__2 AS FROM raw."we ird"',
]);

const physical: Readonly<Record<string, string>> = { 'raw.t': '"phys"."t__1"', 'raw.we ird': '"phys"."w__2"' };

async function patched(sql: string): Promise<string | undefined> {
  return patchReferences(sql, await referencesOf(shadow(), sql), (key) => physical[key]);
}

describe('the patched text gives the same rows, and no longer names the logical table:', () => {
  // Every column is named: an expression without a name takes one from its own text.
  test.each([
    'SELECT * FROM raw.t',
    'FROM raw.t',
    'SELECT t.id FROM raw.t',
    'SELECT x.id FROM raw.t x',
    'SELECT x.id FROM raw.t AS x',
    'SELECT a FROM raw.t AS x(a, b, c, d)',
    'SELECT raw.t.id FROM raw.t',
    'SELECT RAW.T.ID FROM Raw.T',
    'SELECT raw.t.s.x FROM raw.t',
    'SELECT raw.t.s.x.y FROM raw.t',
    'SELECT t.s.x.y, t.* FROM raw.t',
    'SELECT t AS whole FROM raw.t',
    'SELECT "raw" . "t" . id FROM "raw" /* here */ . -- and\n "t"',
    `SELECT '😀 raw.t' AS "ż😀", raw.t.k FROM raw.t WHERE raw.t.k <> 'raw.t'`,
    'SELECT raw."we ird"."c d" FROM raw."we ird"',
    'SELECT raw.t.id FROM raw.t JOIN raw."we ird" USING (id)',
    'SELECT a.id, b.id AS other FROM raw.t a, raw.t b ORDER BY ALL',
    'SELECT id FROM raw.t WHERE EXISTS (SELECT 1 FROM raw.t u WHERE u.id > raw.t.id)',
    'SELECT id FROM raw.t WHERE (raw.t.id, 1) IN (SELECT raw."we ird".id, 1 FROM raw."we ird")',
    'WITH t AS (SELECT 7 AS id) SELECT t.id, z.id AS other FROM t, raw.t AS z ORDER BY ALL',
    'SELECT id, n FROM raw.t, LATERAL (SELECT raw.t.id + 1 AS n)',
    'SELECT id, u FROM raw.t, unnest(raw.t.l) AS q(u) ORDER BY ALL',
    "PIVOT raw.t ON k IN ('k', 'ł') USING sum(id) GROUP BY l ORDER BY ALL",
    'SELECT max(raw.t.id) AS m FROM raw.t GROUP BY raw.t.k HAVING max(raw.t.id) > 0 ORDER BY raw.t.k',
    'SELECT sum(id) OVER (PARTITION BY raw.t.k ORDER BY raw.t.id) AS w FROM raw.t ORDER BY ALL',
    'SELECT list_transform(raw.t.l, lambda q: q + raw.t.id) AS f FROM raw.t',
    'SELECT * REPLACE (raw.t.id + 1 AS id) FROM raw.t',
    'SELECT id FROM raw.t UNION ALL BY NAME SELECT id FROM raw."we ird"',
    'SELECT * FROM (VALUES (1)) AS v(id) JOIN raw.t ON v.id = raw.t.id',
    'TABLE raw.t',
    'SUMMARIZE raw.t',
    'DESCRIBE raw.t',
  ])('%s', async (sql) => {
    const text = await patched(sql);
    const { database } = shadow();
    expect(text).toBeDefined();
    expect(text?.replace(/'[^']*'/g, '')).not.toMatch(/raw"?\s*(?:\/\*.*?\*\/\s*)?\.\s*"?(?:t|we ird)\b/i);
    expect(await database.table(text ?? '')).toEqual(await database.table(sql));
  });
});

describe('the rest of the text', () => {
  test('stays as it was, comments and layout included', async () => {
    expect(await patched('SELECT  id -- raw.t\n FROM raw.t /* x */ WHERE 1=1')).toBe(
      'SELECT  id -- raw.t\n FROM "phys"."t__1" AS "t" /* x */ WHERE 1=1',
    );
  });

  test('keeps the names of tables that are not asked for', async () => {
    const sql = 'SELECT raw.t.id FROM raw.t, unknown.u, plain';
    expect(patchReferences(sql, await referencesOf(shadow(), sql), () => undefined)).toBe(sql);
  });
});

describe('a position that holds another name', () => {
  let references: Awaited<ReturnType<typeof referencesOf>>;
  beforeAll(async () => {
    references = await referencesOf(shadow(), 'SELECT raw.t.id FROM raw.t');
  });

  test.each(['SELECT raw.t.id FROM  raw.t', 'SELECT raw.t.id FROM raw.u', 'SELECT 1'])(
    'gives no text at all: %s',
    (sql) => {
      expect(patchReferences(sql, references, (key) => physical[key])).toBeUndefined();
    },
  );
});
