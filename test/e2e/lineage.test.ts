import { statSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { literal } from '../../src/domain/names.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

interface LineageDocument {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly tables: readonly string[];
        readonly columns: Readonly<Record<string, readonly string[]>>;
        readonly rows: readonly string[];
        readonly unknown: boolean;
      }
    >
  >;
}

let rig: Rig;
afterEach(() => rig.dispose());

const project = {
  'sources/raw.sql': "SOURCE (name raw, uri 'cells.csv', doi '10.1000/x', license 'CC0-1.0');",
  'sources/cells.csv': 'id,cls,mag\n1,a,2.5\n2,b,3.5\n',
  'models/clean.sql':
    'MODEL (name s.clean, kind VIEW);\nSELECT id, upper(cls) AS class, mag FROM raw.cells WHERE mag IS NOT NULL',
  'models/mean.sql':
    'MODEL (name s.mean, kind FULL);\nSELECT class, avg(mag) AS mean_mag, row_number() OVER (ORDER BY class) AS n FROM s.clean GROUP BY class',
};
const lineage = async (...argv: readonly string[]): Promise<LineageDocument['models']> =>
  (await rig.ok('lineage', ...argv, '--json')).json<LineageDocument>().models;

describe('lineage', () => {
  test('names columns and row sets one level up', async () => {
    rig = makeRig(project);
    expect(await lineage('s.mean')).toEqual({
      's.mean': {
        tables: ['s.clean'],
        columns: { class: ['s.clean.class'], mean_mag: ['s.clean.mag'], n: ['s.clean.class'] },
        rows: ['s.clean.class'],
        unknown: false,
      },
    });
  });

  test('follows to the columns of the source with --to-sources', async () => {
    rig = makeRig(project);
    expect((await lineage('s.mean', '--to-sources'))['s.mean']).toMatchObject({
      tables: ['raw.cells'],
      columns: { class: ['raw.cells.cls'], mean_mag: ['raw.cells.mag'] },
      rows: ['raw.cells.cls'],
    });
  });

  test('turns round with --downstream', async () => {
    rig = makeRig(project);
    expect((await lineage('s.clean', '--downstream'))['s.clean']).toMatchObject({
      tables: ['s.mean'],
      columns: { id: [], class: ['s.mean.class', 's.mean.n'], mag: ['s.mean.mean_mag'] },
      rows: ['s.mean'],
    });
  });

  test('of one column is a tree with the kind of each edge', async () => {
    rig = makeRig(project);
    expect((await rig.ok('lineage', 's.mean.mean_mag')).out).toBe(
      's.mean.mean_mag\n└─ s.clean.mag (aggregate)\n   └─ raw.cells.mag (copy)\n',
    );
  });

  test('of a model that DuckDB shows no plan of is marked unknown, with the reason', async () => {
    rig = makeRig({
      ...project,
      'models/pivoted.sql': 'MODEL (name s.pivoted, kind FULL);\nPIVOT s.clean ON class USING sum(mag) GROUP BY id',
    });
    expect((await lineage('s.pivoted'))['s.pivoted']).toEqual({
      tables: ['s.clean'],
      columns: {},
      rows: [],
      unknown: true,
    });
    const planned = await rig.run('plan');
    expect(planned.code).toBe(1);
    for (const line of ['models/pivoted.sql:2:1  warning SL0213', 'SL0410', 'give PIVOT an IN list'])
      expect(planned.err).toContain(line);
    rig.write({
      'models/pivoted.sql':
        'MODEL (name s.pivoted, kind FULL, columns (id BIGINT, a DOUBLE, b DOUBLE));\nPIVOT s.clean ON class USING sum(mag) GROUP BY id',
    });
    await rig.ok('apply');
    expect(await rig.rows('SELECT id, a FROM s.pivoted ORDER BY id')).toEqual([
      { id: 1, a: 2.5 },
      { id: 2, a: null },
    ]);
  });

  test('is written as Mermaid and as OpenLineage facets', async () => {
    rig = makeRig(project);
    const { out } = await rig.ok('lineage', 's.mean', '--mermaid');
    expect(out).toContain('flowchart LR');
    expect(out).toContain('-->|aggregate|');
    expect(out).toContain('-.->|group|');
    const facets = (await rig.ok('lineage', 's.mean', '--openlineage')).json<
      Record<
        string,
        { readonly columnLineage: { readonly fields: Record<string, { readonly inputFields: readonly object[] }> } }
      >
    >();
    expect(facets['s.mean']?.columnLineage.fields.mean_mag?.inputFields).toEqual([
      {
        namespace: 'test',
        name: 's.clean',
        field: 'mag',
        transformations: [{ type: 'DIRECT', subtype: 'AGGREGATION', description: 'aggregate', masking: false }],
      },
    ]);
  });

  test('ends, as trace, at file, DOI and license', async () => {
    rig = makeRig(project);
    const { origins } = (await rig.ok('trace', 's.mean.mean_mag', '--json')).json<{
      readonly origins: readonly object[];
    }>();
    expect(origins).toMatchObject([
      { source: 'raw', uri: 'cells.csv', doi: '10.1000/x', license: 'CC0-1.0', values: ['raw.cells.mag'] },
    ]);
  });
});

describe('why', () => {
  test('a model would be built, or not, is said in a sentence', async () => {
    rig = makeRig({ ...project, 'models/ids.sql': 'MODEL (name s.ids, kind FULL);\nSELECT id FROM s.clean' });
    await rig.ok('apply');
    rig.write({
      'models/clean.sql':
        'MODEL (name s.clean, kind VIEW);\nSELECT id, upper(cls) AS class, mag * 2 AS mag FROM raw.cells WHERE mag IS NOT NULL',
    });
    expect((await rig.ok('why', 's.mean')).out).toBe(
      's.mean would be built: reads changed s.clean.mag\n  reads s.clean: changes column mag; rows unchanged\n',
    );
    expect((await rig.ok('why', 's.ids')).out).toBe(
      's.ids would not be built: reads no changed column\n  reads s.clean: changes column mag; rows unchanged\n',
    );
  });

  test('names functions that give other values each time', async () => {
    rig = makeRig({ 'models/r.sql': 'MODEL (name s.r, kind FULL);\nSELECT random() AS x' });
    expect((await rig.ok('why', 's.r')).out).toContain('it calls random');
  });
});

describe('a column that somebody reads', () => {
  test('is not taken away without naming its readers, and where they got it from', async () => {
    rig = makeRig(project);
    await rig.ok('apply');
    rig.write({
      'models/clean.sql': 'MODEL (name s.clean, kind VIEW);\nSELECT id, upper(cls) AS class FROM raw.cells',
      'models/other.sql': 'MODEL (name s.other, kind FULL);\nSELECT max(mag) AS m FROM s.clean',
    });
    const refused = await rig.run('apply');
    expect(refused.code).toBe(1);
    for (const line of [
      'models/mean.sql:2:19  error SL0204  column "mag" not found',
      'models/other.sql:2:12  error SL0204  column "mag" not found',
      'models/clean.sql:1:1  s.clean gives id, class',
    ])
      expect(refused.err).toContain(line);
    expect(await rig.rows('SELECT sum(mag) AS s FROM s.clean')).toEqual([{ s: 6 }]);
  });
});

describe('what was bound before', () => {
  const answers = async (): Promise<string> => (await rig.ok('lineage', '--json')).out;

  test('is not asked again, and gives the same answers', async () => {
    rig = makeRig(project);
    const cold = await answers();
    const kept = rig.read('.scilake/cache/bindings.txt');
    expect(await answers()).toBe(cold);
    expect(rig.read('.scilake/cache/bindings.txt')).toBe(kept);
  });

  test('and was damaged since is asked again', async () => {
    rig = makeRig(project);
    const cold = await answers();
    const kept = rig.read('.scilake/cache/bindings.txt');
    rig.write({ '.scilake/cache/bindings.txt': kept.replaceAll('cells', 'cellz').replaceAll('mag', 'gam') });
    expect(await answers()).toBe(cold);
    const lines = (text: string): readonly string[] => text.split('\n').sort();
    expect(lines(rig.read('.scilake/cache/bindings.txt'))).toEqual(lines(kept));
  });

  test('over another schema is asked again', async () => {
    rig = makeRig({ ...project, 'models/all.sql': 'MODEL (name s.all, kind FULL);\nSELECT * FROM s.clean' });
    await answers();
    rig.write({
      'models/clean.sql':
        'MODEL (name s.clean, kind VIEW);\nSELECT id, cls, mag, upper(cls) AS class, 1 AS one FROM raw.cells',
    });
    expect(Object.keys((await lineage('s.all'))['s.all']?.columns ?? {})).toEqual(['id', 'cls', 'mag', 'class', 'one']);
  });

  test('orders by what only the plan shows: a table whose name is an argument', async () => {
    rig = makeRig({
      // By name and by file the reader comes first, and no text says that it reads s.z.
      'models/a.sql': "MODEL (name s.a, kind FULL);\nSELECT x + 1 AS y FROM query_table('s.z')",
      'models/b.sql': 'MODEL (name s.b, kind FULL);\nSELECT y FROM s.a',
      'models/z.sql': 'MODEL (name s.z, kind FULL);\nSELECT 41 AS x',
    });
    expect((await lineage('s.a'))['s.a']).toMatchObject({ tables: ['s.z'], columns: { y: ['s.z.x'] } });
    await rig.ok('apply', '-y');
    expect(await rig.rows('SELECT y FROM s.b')).toEqual([{ y: 42 }]);
  });

  test('says which table is missing when its name is an argument', async () => {
    rig = makeRig({ 'models/a.sql': "MODEL (name s.a, kind FULL);\nSELECT x FROM query_table('s.nothing')" });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain('s.nothing');
  });
});

test('a file that a query reads itself is looked at again when it changes, and only then', async () => {
  rig = makeRig({ 'models/a.sql': "MODEL (name s.a, kind FULL);\nSELECT * FROM 'a.parquet'" });
  const put = async (query: string): Promise<void> => {
    const database = await duckdb.open();
    await database.run(`COPY (${query}) TO ${literal(path.join(rig.folder, 'a.parquet'))}`);
    database.close();
  };
  const columns = async (): Promise<readonly string[]> => Object.keys((await lineage('s.a'))['s.a']?.columns ?? {});
  const cache = path.join(rig.folder, '.scilake/cache/bindings.txt');
  await put('SELECT 1 AS id, 2 AS name');
  expect(await columns()).toEqual(['id', 'name']);
  const written = statSync(cache).mtimeMs;
  expect(await columns()).toEqual(['id', 'name']);
  expect(statSync(cache).mtimeMs).toBe(written);
  await put('SELECT 1 AS id, 2 AS title');
  expect(await columns()).toEqual(['id', 'title']);
});
