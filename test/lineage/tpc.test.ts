import { describe, expect, test } from 'vitest';
import { isRecord, type Json } from '../../src/domain/json.js';
import { readPlan } from '../../src/lineage/read-plan.js';
import { useShadow } from '../support/database.js';
import { tpcQueries, tpcSetup } from './tpc/queries.js';

const shadow = useShadow(tpcSetup);

async function bindIn(benchmark: string, sql: string) {
  await shadow().database.run(`USE ${benchmark}`);
  const bound = await shadow().bind(sql);
  if (bound.type !== 'bound') throw new Error(`${bound.type}: ${sql}`);
  return bound;
}

describe('every output column of TPC-H and TPC-DS has the sources that sqlglot finds', () => {
  test.each(tpcQueries)('$benchmark $number', async ({ benchmark, sql, lineage }) => {
    const bound = await bindIn(benchmark, sql);
    const read = readPlan(bound.plan, bound.columns, sql);
    const found = read.known
      ? read.print.columns.map((column) => column.sources.map((source) => source.slice(benchmark.length + 1)))
      : read.reason;
    expect(found).toEqual(lineage);
  });
});

test('the fixture holds all 22 + 99 queries with their 694 output columns', () => {
  expect(tpcQueries).toHaveLength(121);
  expect(tpcQueries.flatMap((query) => query.lineage)).toHaveLength(694);
});

describe('the plan format of this version of DuckDB', () => {
  /** All operators and expression classes of a plan, wherever they stand. */
  function kindsIn(node: Json, met: Set<string>): void {
    if (Array.isArray(node)) for (const item of node) kindsIn(item, met);
    if (!isRecord(node)) return;
    if (typeof node.type === 'string' && node.type.startsWith('LOGICAL_')) met.add(node.type);
    if (typeof node.expression_class === 'string') met.add(node.expression_class);
    for (const value of Object.values(node)) kindsIn(value, met);
  }

  /** The plan with the one kind renamed to one that no version has. */
  function withUnknown(plan: Json, kind: string): Json {
    return JSON.parse(JSON.stringify(plan).replaceAll(`"${kind}"`, `"${kind}_FROM_THE_FUTURE"`));
  }

  test('uses for TPC-H and TPC-DS only operators and expressions that are known', async () => {
    const met = new Set<string>();
    for (const { benchmark, sql } of tpcQueries) kindsIn((await bindIn(benchmark, sql)).plan, met);
    // The set itself tells when a new version of DuckDB plans otherwise.
    expect([...met].sort()).toMatchInlineSnapshot(`
      [
        "BOUND_AGGREGATE",
        "BOUND_CASE",
        "BOUND_CAST",
        "BOUND_COMPARISON",
        "BOUND_CONJUNCTION",
        "BOUND_CONSTANT",
        "BOUND_FUNCTION",
        "BOUND_OPERATOR",
        "BOUND_REF",
        "BOUND_WINDOW",
        "LOGICAL_AGGREGATE_AND_GROUP_BY",
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
        "LOGICAL_UNION",
        "LOGICAL_WINDOW",
      ]
    `);
  });

  test('is not guessed at: each operator and expression under another name is unknown lineage, by that name', async () => {
    const wrong: string[] = [];
    const tried = new Set<string>();
    for (const { benchmark, number, sql } of tpcQueries) {
      const bound = await bindIn(benchmark, sql);
      const met = new Set<string>();
      kindsIn(bound.plan, met);
      for (const kind of met) {
        if (tried.has(kind)) continue;
        tried.add(kind);
        const read = readPlan(withUnknown(bound.plan, kind), bound.columns, sql);
        if (read.known || !read.reason.includes(`${kind}_FROM_THE_FUTURE`))
          wrong.push(`${benchmark} ${number}: ${kind}: ${read.known ? 'known' : read.reason}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
