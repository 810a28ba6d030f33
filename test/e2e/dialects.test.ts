import { afterEach, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig?.dispose());

const source =
  "MODEL (name s.src, kind FULL);\nSELECT 1 AS id, 'a' AS cls, DATE '2024-01-02' AS ds UNION ALL SELECT 2, NULL, DATE '2024-01-03'";

test('models in other dialects run as their translation, macros included', async () => {
  rig = makeRig({
    'models/src.sql': source,
    'models/snow.sql': `MODEL (name s.snow, dialect snowflake, kind INCREMENTAL_BY_TIME_RANGE (time_column ds));
SELECT id, IFF(id > @limit, 'big', 'small') AS size, DATEADD(day, 1, ds)::DATE AS next_day, ds
FROM s.src
WHERE ds BETWEEN @start_ds AND @end_ds
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY ds) = 1`,
    'models/big.sql':
      'MODEL (name s.big, dialect bigquery, kind FULL);\nSELECT `id`, SAFE_CAST(cls AS INT64) AS n, IFNULL(cls, "none") AS cls FROM `s`.src',
    'models/spark.sql':
      "MODEL (name s.spark, dialect 'spark, normalization_strategy = lowercase', kind VIEW);\nSELECT date_format(ds, 'yyyy/MM') AS month, nvl(cls, '-') AS cls FROM s.src",
    'scilake.yaml': "name: test\nmodel_defaults:\n  start: '2024-01-01'\nvariables: {limit: 1}\n",
  });
  await rig.ok('apply');
  expect(await rig.rows('SELECT id, size, next_day FROM s.snow ORDER BY id')).toEqual([
    { id: 1, size: 'small', next_day: '2024-01-03' },
    { id: 2, size: 'big', next_day: '2024-01-04' },
  ]);
  expect(await rig.rows('FROM s.big ORDER BY id')).toEqual([
    { id: 1, n: null, cls: 'a' },
    { id: 2, n: null, cls: 'none' },
  ]);
  expect(await rig.rows('FROM s.spark ORDER BY ALL')).toEqual([
    { month: '2024/01', cls: '-' },
    { month: '2024/01', cls: 'a' },
  ]);
  expect((await rig.ok('lineage', 's.big.n', '--json')).json()).toMatchObject({
    models: { 's.big': { columns: { n: ['s.src.cls'] } } },
  });
  expect((await rig.ok('plan', '--json')).json<{ changes: readonly object[] }>().changes).toEqual([]);
});

test('a project may name its dialect once', async () => {
  rig = makeRig({
    'scilake.yaml': "name: test\nmodel_defaults: {dialect: tsql, start: '2024-01-01'}\n",
    'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT TOP 1 [x y] AS v, ISNULL(z, 0) AS z FROM s.b ORDER BY [x y]',
    'models/b.sql':
      'MODEL (name s.b, kind FULL, dialect duckdb);\nSELECT * FROM (VALUES (1, NULL::INT), (2, 5)) AS t("x y", z)',
  });
  await rig.ok('apply');
  expect(await rig.rows('FROM s.a')).toEqual([{ v: 1, z: 0 }]);
});

test.each([
  [
    'what cannot be read in its dialect',
    'MODEL (name s.a, dialect mysql);\n\nSELECT a FROM (',
    'models/a.sql:3:1  error SL0136',
  ],
  [
    'a translation that does not bind',
    'MODEL (name s.a, dialect snowflake);\n\nSELECT 1 AS x,\n  nope FROM s.src',
    'models/a.sql:3:1  error SL0204  column "nope" not found',
  ],
  [
    'a function that DuckDB does not have',
    'MODEL (name s.a, dialect snowflake);\nSELECT PARSE_URL(cls) AS x FROM s.src',
    'models/a.sql:2:1  error SL0202',
  ],
  [
    'a Jinja block',
    'MODEL (name s.a, dialect mysql);\nJINJA_QUERY_BEGIN;\nSELECT 1 AS x\nJINJA_END;',
    'models/a.sql:2:1  error SL0136',
  ],
  ['a dialect that there is not', 'MODEL (name s.a, dialect snowflak);\nSELECT 1 AS x', 'did you mean "snowflake"'],
])('%s is an error at its statement', async (_, text, expected) => {
  rig = makeRig({ 'models/src.sql': source, 'models/a.sql': text });
  expect(await rig.run('plan')).toMatchObject({ code: 1, err: expect.stringContaining(expected) });
});
