import { describe, expect, test } from 'vitest';
import type { DataPrint } from '../../src/domain/snapshot.js';
import { dataPrint, versionedData } from '../../src/lineage/data-print.js';
import { readPlan } from '../../src/lineage/read-plan.js';
import { compareColumns } from '../../src/plan/compare.js';
import { lineageOf, useShadow } from '../support/database.js';
import { baseQueries, columns, mutantOf, Random, randomContent, tables } from './mutations.js';

/**
 * DuckDB itself is the oracle: what two versions of a query are said to have in common must be equal in their rows, on
 * whatever data. Each query is run on several sets of random data, and on each a second time with the rows stored the
 * other way round: a query whose result depends on that says nothing.
 */
const random = new Random(20_240_611);
const dataSets = 4;
const mutantsOfEach = 24;

const shadow = useShadow(
  Array.from({ length: dataSets }, (_, set) => {
    const content = randomContent(random);
    return ['there', 'back'].flatMap((way) => [
      `CREATE SCHEMA d${set}_${way}`,
      ...content.flatMap(({ table, rows }) => [
        `CREATE TABLE d${set}_${way}.${table} (${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`,
        `INSERT INTO d${set}_${way}.${table} VALUES ${(way === 'there' ? rows : rows.toReversed()).join(', ')}`,
      ]),
    ]);
  }).flat(),
);

interface Version {
  readonly sql: string;
  readonly how: string;
  readonly data: DataPrint;
  readonly names: readonly string[];
  /** Rows by data set, each a list of cells as text; undefined where the query fails. */
  readonly rows: readonly (readonly (readonly string[])[] | undefined)[];
}

const parents = new Map(
  tables.map((table) => [
    `d0_there.${table}`,
    versionedData(
      `d0_there.${table}`,
      'v1',
      columns.map(([name]) => ({ name })),
    ),
  ]),
);

/** The rows of a query on one data set; 'unstable' where they depend on the order in which rows are stored. */
async function rowsOn(set: number, sql: string): Promise<Version['rows'][number] | 'unstable'> {
  const results: (readonly (readonly string[])[])[] = [];
  for (const way of ['there', 'back']) {
    await shadow().database.run(`USE d${set}_${way}`);
    // A mutated recursion may never end.
    const limit = setTimeout(() => shadow().database.interrupt(), 1_000);
    try {
      const { rows } = await shadow().database.table(sql);
      results.push(rows.map((row) => row.map((cell) => JSON.stringify(cell))));
    } catch (thrown) {
      if (String(thrown).includes('INTERRUPT')) return 'unstable';
      return undefined;
    } finally {
      clearTimeout(limit);
    }
  }
  const [there, back] = results.map((rows) =>
    rows
      .map((row) => row.join())
      .sort()
      .join('\n'),
  );
  return there === back ? results[0] : 'unstable';
}

/** A query with its print and its rows; undefined where it does not bind, or says nothing. */
async function versionOf(sql: string, how: string): Promise<Version | undefined> {
  await shadow().database.run('USE d0_there');
  const bound = await shadow().bind(sql);
  if (bound.type !== 'bound') return undefined;
  const names = bound.columns.map((column) => column.name.toLowerCase());
  if (new Set(names).size < names.length) return undefined;
  const lineage = readPlan(bound.plan, bound.columns, sql);
  if (!lineage.known) throw new Error(`lineage unknown: ${lineage.reason}\n${sql}`);
  const rows: Version['rows'][number][] = [];
  for (let set = 0; set < dataSets; set += 1) {
    const found = await rowsOn(set, sql);
    if (found === 'unstable') return undefined;
    rows.push(found);
  }
  return { sql, how, names, rows, data: dataPrint(lineage, 'FULL', (table) => parents.get(table)) };
}

/** What a table of this query would hold. */
async function dataOf(sql: string): Promise<DataPrint> {
  await shadow().database.run('USE d0_there');
  return dataPrint(await lineageOf(shadow(), sql), 'FULL', (table) => parents.get(table));
}

/** The rows of all data sets, over some columns only, without regard to order. */
function content(version: Version, only: readonly string[]): readonly (string | undefined)[] {
  const indexes = only.map((name) => version.names.indexOf(name));
  return version.rows.map((rows) =>
    rows
      ?.map((row) => indexes.map((index) => row[index]).join())
      .sort()
      .join('\n'),
  );
}

/** Equal on every data set on which both give rows. */
function isEqualContent(one: Version, other: Version, only: readonly string[]): boolean {
  const [left, right] = [content(one, only), content(other, only)];
  return left.every((rows, set) => rows === undefined || right[set] === undefined || rows === right[set]);
}

/** What the two are said to have in common and do not; undefined where what is said holds. */
function violation(before: Version, after: Version): string | undefined {
  if (before.data.rows !== after.data.rows) return undefined;
  const { changed, removed } = compareColumns(before.data, after.data);
  const kept = before.names.filter((name) => !changed.includes(name) && !removed.includes(name));
  if (isEqualContent(before, after, kept)) return undefined;
  return `said to keep its rows and ${kept.join(', ') || 'no column'}:\n  ${before.sql}\n  ${after.sql}\n  (${before.how || 'as written'}; ${after.how})`;
}

type Category = 'none' | 'non-breaking' | 'breaking';

function categoryOf(before: Version, after: Version): Category {
  const { added, changed, removed } = compareColumns(before.data, after.data);
  if (before.data.rows !== after.data.rows || changed.length + removed.length > 0) return 'breaking';
  return added.length > 0 ? 'non-breaking' : 'none';
}

/** Nothing was lost or changed on any data set, though it was judged so. */
function isTooCautious(before: Version, after: Version): boolean {
  return (
    categoryOf(before, after) === 'breaking' &&
    before.names.every((name) => after.names.includes(name)) &&
    isEqualContent(before, after, before.names)
  );
}

test('what two versions of a query are said to have in common is equal in their data, always', {
  timeout: 180_000,
}, async () => {
  const violations: string[] = [];
  const count = { mutants: 0, none: 0, 'non-breaking': 0, breaking: 0, cautious: 0, pairs: 0 };
  for (const sql of baseQueries) {
    const base = await versionOf(sql, '');
    if (base === undefined) throw new Error(`of no use: ${sql}`);
    const family = new Map([[base.sql, base]]);
    for (let tries = 0; tries < 6 * mutantsOfEach && family.size <= mutantsOfEach; tries += 1) {
      const mutant = mutantOf(sql, random);
      if (family.has(mutant.sql)) continue;
      const version = await versionOf(mutant.sql, mutant.how);
      if (version === undefined) continue;
      family.set(version.sql, version);
      count.mutants += 1;
      count[categoryOf(base, version)] += 1;
      if (isTooCautious(base, version)) {
        count.cautious += 1;
      }
    }
    // Mutants are versions of each other too.
    const versions = [...family.values()];
    for (const [at, before] of versions.entries()) {
      for (const after of versions.slice(at + 1)) {
        count.pairs += 1;
        const found = violation(before, after);
        if (found !== undefined) violations.push(found);
      }
    }
  }
  process.stdout.write(
    `${count.mutants} mutants: ${count.none} judged no change, ${count['non-breaking']} non-breaking, ${count.breaking} breaking; ` +
      `of these ${count.cautious} too cautiously (no data set shows a change). ${count.pairs} pairs compared.
`,
  );
  expect(violations).toEqual([]);
  expect(count.mutants).toBeGreaterThanOrEqual(500);
});

describe('found by mutation, and no more said to be the same:', () => {
  test.each([
    [
      'two further uses of one table in a chain of joins',
      'SELECT y.id AS j FROM t x JOIN t y ON x.k = y.a JOIN t z ON x.k = z.b',
      'SELECT z.id AS j FROM t x JOIN t y ON x.k = y.a JOIN t z ON x.k = z.b',
    ],
    [
      'a default below and above a join that leaves out its left side',
      'SELECT x.a AS p FROM (SELECT k, coalesce(a, 0) AS a FROM t) x RIGHT JOIN u y ON x.k = y.k',
      'SELECT coalesce(x.a, 0) AS p FROM t x RIGHT JOIN u y ON x.k = y.k',
    ],
    [
      'a constant below and above a full join',
      'SELECT x.c AS p FROM (SELECT k, 1 AS c FROM t) x FULL JOIN u y ON x.k = y.k',
      'SELECT 1 AS p FROM (SELECT k, 1 AS c FROM t) x FULL JOIN u y ON x.k = y.k',
    ],
    ['a condition on constants that a cast makes false', 'SELECT id FROM t', 'SELECT id FROM t WHERE 1.5::INT = 1.5'],
    [
      'a limit above a union of ordered queries',
      'SELECT a FROM ((SELECT a FROM t ORDER BY id) UNION ALL (SELECT a FROM u)) LIMIT 2',
      'SELECT a FROM ((SELECT a FROM t ORDER BY id DESC) UNION ALL (SELECT a FROM u)) LIMIT 2',
    ],
    [
      'a limit above a difference of ordered queries',
      'SELECT a FROM ((SELECT a FROM t ORDER BY id) EXCEPT (SELECT a FROM u)) LIMIT 2',
      'SELECT a FROM ((SELECT a FROM t ORDER BY id DESC) EXCEPT (SELECT a FROM u)) LIMIT 2',
    ],
    [
      'rows that meet by position',
      'SELECT x.id, y.a FROM (SELECT id FROM t ORDER BY id) x POSITIONAL JOIN (SELECT a FROM u ORDER BY id) y',
      'SELECT x.id, y.a FROM (SELECT id FROM t ORDER BY id) x POSITIONAL JOIN (SELECT a FROM u ORDER BY id DESC) y',
    ],
    [
      'the key of a recursion',
      'WITH RECURSIVE r(n, d) USING KEY (n) AS (SELECT id, k FROM t UNION SELECT n, d + 1 FROM r WHERE d < 3) FROM r',
      'WITH RECURSIVE r(n, d) USING KEY (d) AS (SELECT id, k FROM t UNION SELECT n, d + 1 FROM r WHERE d < 3) FROM r',
    ],
    [
      'the last round of a recursion and all of it so far',
      'WITH RECURSIVE r(n, d) USING KEY (n) AS (SELECT id, k FROM t UNION SELECT n, d + 1 FROM r WHERE d < 3) FROM r',
      'WITH RECURSIVE r(n, d) USING KEY (n) AS (SELECT id, k FROM t UNION SELECT n, d + 1 FROM recurring.r WHERE d < 3) FROM r',
    ],
  ])('%s', async (_, before, after) => {
    const [was, is] = [await dataOf(before), await dataOf(after)];
    expect(was).not.toEqual(is);
  });
});
