import { describe, expect, test } from 'vitest';
import { isRecord, type Json } from '../../src/domain/json.js';
import type { QueryPrint } from '../../src/domain/query-print.js';
import type { DataPrint } from '../../src/domain/snapshot.js';
import { dataPrint, versionedData } from '../../src/lineage/data-print.js';
import { readPlan } from '../../src/lineage/read-plan.js';
import { lineageOf, printOf, shadow, useShadow } from '../support/database.js';
import { lineageCases, semanticDiffCases, setupOf } from './cases.js';

/** Cases name tables without the schema main, in lower case. */
const plain = (keys: readonly string[]): readonly string[] => keys.map((key) => key.replace(/^main\./, '')).sort();
const lower = (names: readonly string[]): readonly string[] => names.map((name) => name.toLowerCase()).sort();

describe('every column comes from where the case says', () => {
  test.each(lineageCases)('$name', async (one) => {
    const catalog = await shadow(setupOf(one));
    try {
      const print = await printOf(catalog, one.sql);
      const found = new Map(print.columns.map((column) => [column.name.toLowerCase(), plain(column.sources)]));
      for (const [column, sources] of Object.entries(one.lineage)) {
        const right = [sources, ...(one.accept?.[column] ?? [])].map(lower);
        expect(right, column).toContainEqual(found.get(column.toLowerCase()));
      }
      expect(plain(print.tables)).toEqual(lower(one.tables));
    } finally {
      catalog.close();
    }
  });
});

const shop = useShadow([
  'CREATE TABLE orders (id INT, customer_id INT, amount DOUBLE, discount DOUBLE, status VARCHAR, ts TIMESTAMP, a INT, b INT, tags VARCHAR[], big BIGINT)',
  'CREATE TABLE customers (id INT, name VARCHAR, country VARCHAR, region VARCHAR)',
  'CREATE TABLE items (order_id INT, sku VARCHAR, qty INT)',
  'CREATE MACRO net(x, y) AS x - y',
  'CREATE SEQUENCE counter',
]);
const print = (sql: string): Promise<QueryPrint> => printOf(shop(), sql);

/** What a table of this query would hold, over parents that stay as they are. */
async function dataOf(sql: string): Promise<DataPrint> {
  const lineage = await lineageOf(shop(), sql);
  const parents = new Map<string, DataPrint>();
  for (const table of lineage.known ? lineage.print.tables : lineage.tables)
    parents.set(table, versionedData(table, 'v1', await shop().database.describe(`SELECT * FROM ${table}`)));
  return dataPrint(lineage, 'FULL', (table) => parents.get(table));
}

/** What a reader of the table sees change. */
async function judge(before: string, after: string): Promise<'none' | 'non-breaking' | 'breaking'> {
  const [was, is] = [await dataOf(before), await dataOf(after)];
  const isKept = Object.entries(was.columns).every(([name, hash]) => is.columns[name] === hash);
  if (was.rows !== is.rows || !isKept) return 'breaking';
  return Object.keys(is.columns).length > Object.keys(was.columns).length ? 'non-breaking' : 'none';
}

describe('a rewritten query is judged by its rows and columns', () => {
  test.each(semanticDiffCases)('$name: $expected', async ({ old, new: rewritten, expected }) => {
    expect(await judge(old, rewritten)).toBe(expected.replace(/\(.*/, ''));
  });
});

describe('what changes values changes the print:', () => {
  test.each([
    [
      'a constant beyond the integers of JavaScript',
      'SELECT id FROM orders WHERE big = 9007199254740993',
      'SELECT id FROM orders WHERE big = 9007199254740992',
    ],
    [
      'a large constant in a column',
      'SELECT 9007199254740993 AS c FROM orders',
      'SELECT 9007199254740992 AS c FROM orders',
    ],
    [
      'the field names of a struct inside JSON',
      "SELECT to_json({'x': a}) AS j FROM orders",
      "SELECT to_json({'y': a}) AS j FROM orders",
    ],
    [
      'the fields of a named struct_pack',
      'SELECT struct_pack(x := a, y := b)::VARCHAR AS j FROM orders',
      'SELECT struct_pack(y := a, x := b)::VARCHAR AS j FROM orders',
    ],
    [
      'the field that is read of a struct',
      "SELECT {'x': a, 'y': b}.x AS v FROM orders",
      "SELECT {'x': a, 'y': b}.y AS v FROM orders",
    ],
    [
      'the type of a cast on the way',
      'SELECT amount::INT::VARCHAR AS v FROM orders',
      'SELECT amount::FLOAT::VARCHAR AS v FROM orders',
    ],
    [
      'a cast that fails softly',
      'SELECT TRY_CAST(status AS INT) AS v FROM orders',
      'SELECT CAST(status AS INT) AS v FROM orders',
    ],
    ['the sides of a comparison', 'SELECT a < b AS v FROM orders', 'SELECT b < a AS v FROM orders'],
    ['the order of arguments', 'SELECT a - b AS v FROM orders', 'SELECT b - a AS v FROM orders'],
    [
      'the branches of a CASE',
      'SELECT CASE WHEN a > 0 THEN a ELSE b END AS v FROM orders',
      'SELECT CASE WHEN a > 0 THEN b ELSE a END AS v FROM orders',
    ],
    ['DISTINCT in an aggregate', 'SELECT count(a) AS v FROM orders', 'SELECT count(DISTINCT a) AS v FROM orders'],
    [
      'the filter of an aggregate',
      'SELECT count(*) FILTER (WHERE a > 0) AS v FROM orders',
      'SELECT count(*) FILTER (WHERE b > 0) AS v FROM orders',
    ],
    [
      'the order of an aggregate',
      'SELECT list(a ORDER BY b) AS v FROM orders',
      'SELECT list(a ORDER BY b DESC) AS v FROM orders',
    ],
    [
      'the frame of a window',
      'SELECT sum(a) OVER (ORDER BY id ROWS 1 PRECEDING) AS v FROM orders',
      'SELECT sum(a) OVER (ORDER BY id ROWS 2 PRECEDING) AS v FROM orders',
    ],
    [
      'the partition of a window',
      'SELECT sum(a) OVER (PARTITION BY status) AS v FROM orders',
      'SELECT sum(a) OVER (PARTITION BY customer_id) AS v FROM orders',
    ],
    [
      'what a window leaves out',
      'SELECT sum(a) OVER (ORDER BY id ROWS 2 PRECEDING EXCLUDE CURRENT ROW) AS v FROM orders',
      'SELECT sum(a) OVER (ORDER BY id ROWS 2 PRECEDING) AS v FROM orders',
    ],
    [
      'the NULLs that a window skips',
      'SELECT last_value(a IGNORE NULLS) OVER (ORDER BY id) AS v FROM orders',
      'SELECT last_value(a) OVER (ORDER BY id) AS v FROM orders',
    ],
    [
      'the body of a lambda',
      'SELECT list_transform(tags, lambda x: x || status) AS v FROM orders',
      'SELECT list_transform(tags, lambda x: status || x) AS v FROM orders',
    ],
    [
      'a column that a lambda captures',
      'SELECT list_transform([1], lambda x: x + a) AS v FROM orders',
      'SELECT list_transform([1], lambda x: x + b) AS v FROM orders',
    ],
    ['a limit', 'SELECT id FROM orders ORDER BY id LIMIT 1', 'SELECT id FROM orders ORDER BY id LIMIT 2'],
    [
      'a limit that is a query',
      'SELECT id FROM orders ORDER BY id LIMIT (SELECT min(qty) FROM items)',
      'SELECT id FROM orders ORDER BY id LIMIT (SELECT max(qty) FROM items)',
    ],
    [
      'UNION and UNION ALL',
      'SELECT id FROM orders UNION SELECT id FROM customers',
      'SELECT id FROM orders UNION ALL SELECT id FROM customers',
    ],
    [
      'the sides of EXCEPT',
      'SELECT id FROM orders EXCEPT SELECT id FROM customers',
      'SELECT id FROM customers EXCEPT SELECT id FROM orders',
    ],
    [
      'grouping sets',
      'SELECT a, b, count(*) AS n FROM orders GROUP BY ROLLUP (a, b)',
      'SELECT a, b, count(*) AS n FROM orders GROUP BY CUBE (a, b)',
    ],
    [
      'the row that DISTINCT ON keeps',
      'SELECT DISTINCT ON (a) a, b FROM orders ORDER BY a, ts',
      'SELECT DISTINCT ON (a) a, b FROM orders ORDER BY a, ts DESC',
    ],
    [
      'the order of a subquery whose rows are listed',
      'SELECT list(id) AS v FROM (SELECT id FROM orders ORDER BY a)',
      'SELECT list(id) AS v FROM (SELECT id FROM orders ORDER BY b)',
    ],
    [
      'the order of a subquery whose rows are numbered',
      'SELECT row_number() OVER () AS v FROM (SELECT id FROM orders ORDER BY a)',
      'SELECT row_number() OVER () AS v FROM (SELECT id FROM orders ORDER BY b)',
    ],
    [
      'the recursive step',
      'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r',
      'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 2 FROM r WHERE n < 5) FROM r',
    ],
    [
      'the values of VALUES',
      "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(x, y)",
      "SELECT * FROM (VALUES (1, 'b'), (2, 'a')) AS v(x, y)",
    ],
    [
      'EXISTS and NOT EXISTS',
      'SELECT id FROM orders o WHERE EXISTS (FROM items WHERE order_id = o.id)',
      'SELECT id FROM orders o WHERE NOT EXISTS (FROM items WHERE order_id = o.id)',
    ],
    [
      'a quantified comparison',
      'SELECT id FROM orders WHERE a > ANY (SELECT qty FROM items)',
      'SELECT id FROM orders WHERE a > ALL (SELECT qty FROM items)',
    ],
    [
      'a sample',
      'SELECT id FROM orders USING SAMPLE reservoir(10 ROWS) REPEATABLE (1)',
      'SELECT id FROM orders USING SAMPLE reservoir(20 ROWS) REPEATABLE (1)',
    ],
    ['the arguments of a table function', 'SELECT * FROM range(3)', 'SELECT * FROM range(4)'],
    [
      'a collation',
      'SELECT id FROM orders WHERE status COLLATE NOCASE = $$x$$',
      'SELECT id FROM orders WHERE status = $$x$$',
    ],
  ])('%s', async (_, before, after) => {
    expect(await dataOf(before)).not.toEqual(await dataOf(after));
  });
});

describe('what only spells a query differently leaves its print alone:', () => {
  test.each([
    ['an alias', 'SELECT o.id FROM orders o WHERE o.a > 1', 'SELECT orders.id FROM orders WHERE orders.a > 1'],
    [
      'the order of conditions',
      'SELECT id FROM orders WHERE a > 1 AND b > 2',
      'SELECT id FROM orders WHERE b > 2 AND a > 1',
    ],
    ['WHERE and a subquery', 'SELECT id FROM orders WHERE a > 1', 'SELECT id FROM (SELECT * FROM orders WHERE a > 1)'],
    ['a star and its columns', 'SELECT * FROM items', 'SELECT order_id, sku, qty FROM items'],
    ['FROM first', 'FROM items SELECT sku', 'SELECT sku FROM items'],
    [
      'the order of groups',
      'SELECT count(*) AS n FROM orders GROUP BY a, b',
      'SELECT count(*) AS n FROM orders GROUP BY b, a',
    ],
    ['a condition that is always true', 'SELECT id FROM orders WHERE TRUE', 'SELECT id FROM orders'],
    ['a cast to the type that is there', 'SELECT a::INT AS a FROM orders', 'SELECT a FROM orders'],
    ['an order that no limit follows', 'SELECT id FROM orders ORDER BY a', 'SELECT id FROM orders'],
  ])('%s', async (_, before, after) => {
    expect(await judge(before, after)).toBe('none');
  });
});

describe('functions that give another value at each call are named:', () => {
  test.each([
    ['SELECT random() AS r FROM orders', ['random']],
    ['SELECT id FROM orders WHERE random() < 0.5', ['random']],
    ['SELECT uuid() AS u, gen_random_uuid() AS g FROM orders', ['gen_random_uuid', 'uuid']],
    ["SELECT nextval('counter') AS n FROM orders", ['nextval']],
    ['SELECT sum(random()) AS s FROM orders', ['random']],
    ['SELECT id FROM orders ORDER BY random() LIMIT 1', ['random']],
    ['SELECT a + b AS c FROM orders', []],
  ])('%s', async (sql, names) => {
    expect((await print(sql)).volatile).toEqual(names);
  });

  test.each(['now()', 'current_date', 'current_timestamp', 'today()'])('the clock in %s', async (clock) => {
    expect((await print(`SELECT ${clock} AS t FROM orders`)).volatile).toHaveLength(1);
  });
});

describe('a plan that cannot be read', () => {
  const operator = { type: 'LOGICAL_FROM_THE_FUTURE', children: [] };

  test('because of an unknown operator is no lineage, with the reason', () => {
    expect(readPlan(operator, [{ name: 'a', type: 'INTEGER' }], 'SELECT 1 AS a')).toMatchObject({
      known: false,
      reason: 'operator LOGICAL_FROM_THE_FUTURE',
      columns: [{ name: 'a', type: 'INTEGER' }],
    });
  });

  test('because of an unknown expression is no lineage, with the reason', () => {
    const plan = {
      type: 'LOGICAL_PROJECTION',
      expressions: [{ expression_class: 'BOUND_MAGIC' }],
      children: [{ type: 'LOGICAL_DUMMY_SCAN', children: [] }],
    };
    expect(readPlan(plan, [{ name: 'a', type: 'INTEGER' }], 'SELECT 1 AS a')).toMatchObject({
      known: false,
      reason: 'expression of class BOUND_MAGIC',
    });
  });

  test('because it has too few columns is no lineage', () => {
    expect(
      readPlan(
        { type: 'LOGICAL_DUMMY_SCAN', children: [] },
        [
          { name: 'a', type: 'INTEGER' },
          { name: 'b', type: 'INTEGER' },
        ],
        '',
      ).known,
    ).toBe(false);
  });

  test('knows the text, so that a change of it is seen', () => {
    const [one, other] = ['SELECT 1', 'SELECT 2'].map((text) => readPlan(operator, [], text));
    expect(one?.known === false && other?.known === false && one.textHash !== other.textHash).toBe(true);
  });

  test('of a function whose plan DuckDB does not show is no lineage', async () => {
    expect(
      await lineageOf(shop(), "SELECT * FROM read_csv('test/lineage/lineage-cases.jsonl', columns = {'a': 'VARCHAR'})"),
    ).toMatchObject({ known: false, tables: [] });
  });
});

test('every operator and expression that DuckDB uses for the cases is known', async () => {
  const met = new Set<string>();
  const visit = (node: Json): void => {
    if (Array.isArray(node)) for (const item of node) visit(item);
    if (!isRecord(node)) return;
    if (typeof node.type === 'string' && node.type.startsWith('LOGICAL_')) met.add(node.type);
    if (typeof node.expression_class === 'string') met.add(node.expression_class);
    for (const value of Object.values(node)) visit(value);
  };
  const unknown: string[] = [];
  for (const one of lineageCases) {
    const catalog = await shadow(setupOf(one));
    try {
      const bound = await catalog.bind(one.sql);
      if (bound.type !== 'bound') unknown.push(`${one.name}: ${bound.type}`);
      else {
        visit(bound.plan);
        const lineage = readPlan(bound.plan, bound.columns, one.sql);
        if (!lineage.known) unknown.push(`${one.name}: ${lineage.reason}`);
      }
    } finally {
      catalog.close();
    }
  }
  expect(unknown).toEqual([]);
  // The set itself tells when a new version of DuckDB plans otherwise.
  expect([...met].sort()).toMatchInlineSnapshot(`
    [
      "BOUND_AGGREGATE",
      "BOUND_CASE",
      "BOUND_CAST",
      "BOUND_COLUMN_REF",
      "BOUND_COMPARISON",
      "BOUND_CONSTANT",
      "BOUND_FUNCTION",
      "BOUND_OPERATOR",
      "BOUND_REF",
      "BOUND_UNNEST",
      "BOUND_WINDOW",
      "LOGICAL_AGGREGATE_AND_GROUP_BY",
      "LOGICAL_ASOF_JOIN",
      "LOGICAL_COMPARISON_JOIN",
      "LOGICAL_CROSS_PRODUCT",
      "LOGICAL_CTE_REF",
      "LOGICAL_DELIM_GET",
      "LOGICAL_DELIM_JOIN",
      "LOGICAL_DISTINCT",
      "LOGICAL_EXCEPT",
      "LOGICAL_FILTER",
      "LOGICAL_GET",
      "LOGICAL_INTERSECT",
      "LOGICAL_LIMIT",
      "LOGICAL_MATERIALIZED_CTE",
      "LOGICAL_ORDER_BY",
      "LOGICAL_PROJECTION",
      "LOGICAL_RECURSIVE_CTE",
      "LOGICAL_UNNEST",
      "LOGICAL_WINDOW",
    ]
  `);
});
