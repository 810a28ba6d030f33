import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ident } from '../../src/domain/names.js';
import { columnKey, type QueryPrint } from '../../src/domain/query-print.js';
import type { Database } from '../../src/effects/duckdb.js';
import { printOf, shadow } from '../support/database.js';
import { type LineageCase, lineageCases, setupOf } from './cases.js';

/**
 * DuckDB itself is the oracle: an output column that changes when one source column changes, and nothing else, is
 * computed from it or has its rows chosen by it. A lineage that does not say so is wrong.
 */
const moreQueries: readonly string[] = [
  'SELECT list(id) AS ids FROM (SELECT id FROM orders ORDER BY amount, id)',
  'SELECT id, row_number() OVER () AS n FROM (SELECT id FROM orders ORDER BY amount, id)',
  'SELECT id FROM orders ORDER BY id LIMIT (SELECT max(score)::INT FROM customers)',
  'SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.parent_id = o.customer_id AND c.score > o.amount)',
  'SELECT id, (SELECT max(score) FROM customers c WHERE c.id = o.customer_id) AS s FROM orders o',
  'SELECT id, amount > ALL (SELECT score FROM customers WHERE country = o.status) AS a FROM orders o',
  'SELECT status, count(*) AS n, sum(amount) AS s FROM orders GROUP BY ALL HAVING max(discount) > 1',
  'SELECT customer_id, status, grouping(status) AS g, count(*) AS n FROM orders GROUP BY ROLLUP (customer_id, status)',
  'SELECT o.id, c.name FROM orders o FULL JOIN customers c ON o.customer_id = c.id AND c.score > 1',
  'SELECT id FROM orders SEMI JOIN customers USING (id)',
  'SELECT id FROM orders ANTI JOIN customers ON orders.customer_id = customers.parent_id',
  'SELECT amount, lag(amount) OVER w AS before, sum(discount) OVER w AS total FROM orders WINDOW w AS (PARTITION BY status ORDER BY ts, id)',
  'SELECT id FROM orders UNION SELECT parent_id FROM customers WHERE score > 1',
  'SELECT id, unnest(range(customer_id)) AS u FROM orders',
  'SELECT CASE WHEN discount > 1 THEN amount ELSE id END AS v, coalesce(status, ts::VARCHAR) AS w FROM orders',
  'WITH RECURSIVE up(id, parent, depth) AS (SELECT id, parent_id, 0 FROM customers UNION ALL SELECT c.id, c.parent_id, depth + 1 FROM customers c JOIN up ON c.id = up.parent WHERE depth < 3) SELECT id, max(depth) AS d FROM up GROUP BY id',
  'WITH t AS MATERIALIZED (SELECT customer_id, sum(amount) AS s FROM orders GROUP BY 1) SELECT a.customer_id, b.s FROM t a JOIN t b ON a.customer_id > b.customer_id',
  'SELECT count(*) AS n FROM orders WHERE status IS NOT NULL',
  'SELECT max(amount) AS m, min(amount) FILTER (WHERE discount > 0) AS f, first(id ORDER BY ts, id) AS earliest FROM orders',
];
const shop = Object.assign({}, ...lineageCases.map((one) => one.schemas)) satisfies LineageCase['schemas'];
const cases: readonly (Pick<LineageCase, 'schemas' | 'setup' | 'sql'> & { readonly name: string })[] = [
  ...lineageCases,
  ...moreQueries.map((sql) => ({
    name: sql,
    sql,
    schemas: { orders: shop.orders ?? [], customers: shop.customers ?? [] },
  })),
];

/** SQL of a random value of a type; few values, so that joins meet and groups form. */
function literalOf(type: string): fc.Arbitrary<string> {
  const small = fc.integer({ min: 0, max: 3 }).map(String);
  const text = fc.constantFrom("'ok'", "'PL'", "'Q1'", "'Q2'", "'a'", "'A'");
  const byType: Readonly<Record<string, fc.Arbitrary<string>>> = {
    INTEGER: small,
    DOUBLE: fc.constantFrom('0.5', '1.5', '2.5', '3.5'),
    VARCHAR: text,
    TIMESTAMP: fc.integer({ min: 1, max: 6 }).map((day) => `TIMESTAMP '2024-01-0${day}'`),
    'INTEGER[]': fc.array(small, { minLength: 1, maxLength: 3 }).map((list) => `[${list.join(', ')}]`),
    'STRUCT(x INTEGER, y INTEGER, z STRUCT(k VARCHAR, v DOUBLE))': fc
      .tuple(small, small, text)
      .map(([x, y, k]) => `{'x': ${x}, 'y': ${y}, 'z': {'k': ${k}, 'v': 1.5}}`),
    'MAP(VARCHAR, INTEGER)': fc
      .tuple(fc.constantFrom("'k'", "'l'"), small)
      .map(([key, value]) => `MAP {${key}: ${value}}`),
    'STRUCT(sku VARCHAR, qty INTEGER)[]': fc
      .array(fc.tuple(text, small), { minLength: 1, maxLength: 2 })
      .map((list) => `[${list.map(([sku, qty]) => `{'sku': ${sku}, 'qty': ${qty}}`).join(', ')}]`),
    JSON: small.map((value) => `'{"a": {"b": ${value}}}'`),
  };
  const known = byType[type];
  if (known === undefined) throw new Error(`no random values of type ${type}`);
  return fc.oneof({ weight: 6, arbitrary: known }, { weight: 1, arbitrary: fc.constant('NULL') });
}

type Content = Readonly<Record<string, readonly (readonly string[])[]>>;

/** The content of all tables, and the same with other values in one column. */
function experiment(
  schemas: LineageCase['schemas'],
): fc.Arbitrary<{ readonly before: Content; readonly after: Content; readonly changed: string }> {
  const content = fc.record(
    Object.fromEntries(
      Object.entries(schemas).map(([table, columns]) => [
        table,
        fc.array(fc.tuple(...columns.map(([, type]) => literalOf(type))), { minLength: 2, maxLength: 5 }),
      ]),
    ),
  );
  const places = Object.entries(schemas).flatMap(([table, columns]) =>
    columns.map(([column, type], at) => ({ table, column, type, at })),
  );
  return fc.tuple(content, fc.constantFrom(...places)).chain(([before, { table, column, type, at }]) => {
    const rows: readonly (readonly string[])[] = before[table] ?? [];
    return fc.array(literalOf(type), { minLength: rows.length, maxLength: rows.length }).map((values) => {
      const changedRows = rows.map((row, index) =>
        row.map((cell, position) => (position === at ? (values[index] ?? 'NULL') : cell)),
      );
      return { before, after: { ...before, [table]: changedRows }, changed: columnKey(`main.${table}`, column) };
    });
  });
}

/** The values of each output column, without regard to the order of rows; undefined when the query fails on these data. */
async function outcome(database: Database, sql: string, content: Content): Promise<readonly string[] | undefined> {
  for (const [table, rows] of Object.entries(content)) {
    await database.run(`DELETE FROM ${ident(table)}`);
    await database.run(`INSERT INTO ${ident(table)} VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`);
  }
  try {
    const { columns, rows } = await database.table(sql);
    return columns.map((_, at) =>
      rows
        .map((row) => JSON.stringify(row[at] ?? null))
        .sort()
        .join(),
    );
  } catch {
    return undefined;
  }
}

function unexplained(
  print: QueryPrint,
  changed: string,
  before: readonly string[],
  after: readonly string[],
): readonly string[] {
  return print.columns
    .filter(
      (column, at) =>
        before[at] !== after[at] && !column.sources.includes(changed) && !print.rowSources.includes(changed),
    )
    .map((column) => column.name);
}

describe('no output column changes but by its lineage', () => {
  test.each(cases)('$name', async (one) => {
    const catalog = await shadow(setupOf(one));
    try {
      const print = await printOf(catalog, one.sql);
      await fc.assert(
        fc.asyncProperty(experiment(one.schemas), async ({ before, after, changed }) => {
          const [was, is] = [
            await outcome(catalog.database, one.sql, before),
            await outcome(catalog.database, one.sql, after),
          ];
          if (was === undefined || is === undefined) return;
          expect(unexplained(print, changed, was, is), `changed by ${changed}`).toEqual([]);
        }),
        { numRuns: 25 },
      );
    } finally {
      catalog.close();
    }
  });
});
