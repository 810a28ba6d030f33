import { describe, expect, test } from 'vitest';
import { lineageCases, setupOf } from '../lineage/cases.js';
import { shadow, useShadow } from '../support/database.js';

describe('queries asked together are answered as one by one', () => {
  test.each(lineageCases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const catalog = await shadow(setupOf(one));
    try {
      const [together] = await catalog.bindAll([one.sql, 'SELECT 1 AS other']);
      const alone = await catalog.bind(one.sql);
      expect(together?.type).toBe(alone.type);
      if (together?.type !== 'bound' || alone.type !== 'bound') return;
      expect(together.columns).toEqual(alone.columns);
      expect(withoutPlaces(together.plan)).toEqual(withoutPlaces(alone.plan));
    } finally {
      catalog.close();
    }
  });
});

/** Where names stand in the text, and the numbers that tables get in the order of binding, differ behind CREATE TABLE. */
function withoutPlaces(plan: unknown): unknown {
  return JSON.parse(JSON.stringify(plan, (key, value) => (key === 'query_location' ? undefined : value)));
}

describe('a batch', () => {
  const catalog = useShadow([
    "CREATE TABLE every_type (b BOOLEAN, t TINYINT, s SMALLINT, i INTEGER, l BIGINT, h HUGEINT, ut UTINYINT, us USMALLINT, ui UINTEGER, ul UBIGINT, uh UHUGEINT, f FLOAT, d DOUBLE, n DECIMAL(12,3), v VARCHAR, x BLOB, dt DATE, tm TIME, ts TIMESTAMP, tz TIMESTAMPTZ, s_ TIMESTAMP_S, ms TIMESTAMP_MS, ns TIMESTAMP_NS, tmz TIMETZ, iv INTERVAL, u UUID, j JSON, bits BIT, e ENUM('a', 'b'), li INTEGER[], ar FLOAT[3], st STRUCT(a INTEGER, \"B c\" VARCHAR[]), m MAP(VARCHAR, DOUBLE), un UNION(num INTEGER, str VARCHAR))",
  ]);

  test('gives every type as the driver prints it', async () => {
    const columns = await catalog().database.describe('FROM every_type');
    const queries = columns.map(({ name }) => `SELECT "${name}" FROM every_type`);
    const bound = await catalog().bindAll(queries);
    expect(bound.map((one) => (one.type === 'bound' ? one.columns[0] : one))).toEqual(columns);
  });

  test('shows two columns of one name, which CREATE TABLE would rename', async () => {
    const [twice, named] = await catalog().bindAll(['SELECT 1 AS a, 2 AS a', 'SELECT 1 AS a, 2 AS a_1']);
    expect(twice?.type === 'bound' && twice.columns.map((column) => column.name)).toEqual(['a', 'a']);
    expect(named?.type === 'bound' && named.columns.map((column) => column.name)).toEqual(['a', 'a_1']);
  });

  test('answers each query for itself: one that is wrong leaves the others bound', async () => {
    const bound = await catalog().bindAll(['SELECT i FROM every_type', 'SELECT nothing FROM every_type', 'SELEC']);
    expect(bound.map((one) => one.type)).toEqual(['bound', 'error', 'error']);
    expect(bound[1]).toMatchObject({ error: { type: 'column', name: 'nothing', byteOffset: 7 } });
  });
});
