import { describe, expect, test } from 'vitest';
import type { Lineage } from '../../src/domain/query-print.js';
import type { DataPrint } from '../../src/domain/snapshot.js';
import { dataPrint, versionedData } from '../../src/lineage/data-print.js';
import { lineageOf, shadow } from '../support/database.js';

const source = { id: 'v1', cls: 'v1', mag: 'v1', rows: 'v1' };

/** Data of a source whose columns and rows have versions of their own. */
function sourceData(versions: Readonly<Record<string, string>>): DataPrint {
  const { rows = '', ...columns } = versions;
  return {
    rows: `rows ${rows}`,
    columns: Object.fromEntries(Object.entries(columns).map(([name, version]) => [name, `${name} ${version}`])),
  };
}

/** Data of models that read each other, in the order given, over the source s.src. */
async function dataOf(
  models: Readonly<Record<string, string>>,
  versions: Readonly<Record<string, string>> = source,
): Promise<Readonly<Record<string, DataPrint>>> {
  const catalog = await shadow([
    'CREATE SCHEMA s',
    `CREATE TABLE s.src (${Object.keys(versions)
      .filter((name) => name !== 'rows')
      .map((name) => `${name} INT`)
      .join(', ')})`,
  ]);
  try {
    const found = new Map<string, DataPrint>([['s.src', sourceData(versions)]]);
    for (const [name, sql] of Object.entries(models)) {
      found.set(
        `s.${name}`,
        dataPrint(await lineageOf(catalog, sql), 'FULL', (table) => found.get(table)),
      );
      await catalog.declareTables([
        { name: { schema: 's', table: name }, columns: await catalog.database.describe(sql) },
      ]);
    }
    return Object.fromEntries([...found].map(([key, data]) => [key.slice(2), data]));
  } finally {
    catalog.close();
  }
}

const before = {
  a: 'SELECT id, cls, mag FROM s.src',
  b: 'SELECT id, mag * 2 AS mag2 FROM s.a',
  c: 'SELECT id FROM s.b WHERE id > 1',
  d: 'SELECT mag2 FROM s.b',
};

/** Models whose data differ. */
async function reached(
  after: Readonly<Record<string, string>>,
  versions?: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const [was, is] = [await dataOf(before), await dataOf(after, versions)];
  return Object.keys(before).filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
}

describe('a change upstream reaches', () => {
  test('nobody where it only adds a column', async () => {
    expect(await reached({ ...before, a: 'SELECT id, cls, mag, mag + 1 AS more FROM s.src' })).toEqual(['a']);
  });

  test('nobody where it only spells the query differently', async () => {
    expect(await reached({ ...before, a: 'WITH x AS (FROM s.src) SELECT x.id, x.cls, x.mag FROM x' })).toEqual([]);
  });

  test('exactly the readers of the column that it changes', async () => {
    expect(await reached({ ...before, a: 'SELECT id, cls, mag + 1 AS mag FROM s.src' })).toEqual(['a', 'b', 'd']);
  });

  test('nobody where nobody reads the column that it changes', async () => {
    expect(await reached({ ...before, a: 'SELECT id, cls + 1 AS cls, mag FROM s.src' })).toEqual(['a']);
  });

  test('everybody where it changes the filter', async () => {
    expect(await reached({ ...before, a: 'SELECT id, cls, mag FROM s.src WHERE cls = 1' })).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  test('those that filter by a column, in all their columns', async () => {
    const filtered = { ...before, d: 'SELECT id FROM s.a WHERE mag > 0' };
    const [was, is] = [
      await dataOf(filtered),
      await dataOf({ ...filtered, a: 'SELECT id, cls, mag + 1 AS mag FROM s.src' }),
    ];
    expect(was.d?.rows).not.toBe(is.d?.rows);
  });

  test('readers through a chain of models that pass a column on', async () => {
    expect(await reached({ ...before, b: 'SELECT id, mag * 3 AS mag2 FROM s.a' })).toEqual(['b', 'd']);
  });

  test('an aggregate over all rows, where the row set changes', async () => {
    const counted = { a: 'SELECT id FROM s.src', n: 'SELECT count(*) AS n FROM s.a' };
    const [was, is] = [await dataOf(counted), await dataOf({ ...counted, a: 'SELECT id FROM s.src WHERE id > 1' })];
    expect(was.n?.columns.n).not.toBe(is.n?.columns.n);
  });

  test('no count, where only a value changes', async () => {
    const counted = { a: 'SELECT id, mag FROM s.src', n: 'SELECT count(*) AS n FROM s.a' };
    const [was, is] = [await dataOf(counted), await dataOf({ ...counted, a: 'SELECT id, mag + 1 AS mag FROM s.src' })];
    expect(was.n).toEqual(is.n);
  });
});

describe('new data in a source reach', () => {
  test('exactly the readers of a column that changed', async () => {
    expect(await reached(before, { ...source, mag: 'v2' })).toEqual(['a', 'b', 'd']);
  });

  test('everybody where its rows changed', async () => {
    expect(await reached(before, { ...source, rows: 'v2' })).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a model whose lineage is unknown', () => {
  const unknown: Lineage = {
    known: false,
    reason: 'test',
    tables: ['s.a'],
    columns: [
      { name: 'X', type: 'INTEGER' },
      { name: 'y', type: 'INTEGER' },
    ],
    textHash: 't',
  };
  const over = (data: DataPrint): DataPrint => dataPrint(unknown, 'FULL', () => data);
  const parent: DataPrint = { rows: 'r', columns: { a: '1', b: '1' } };

  test('changes in rows and all columns with any column of a parent', () => {
    const [was, is] = [over(parent), over({ ...parent, columns: { a: '1', b: '2' } })];
    expect(was.rows).not.toBe(is.rows);
    expect(Object.keys(was.columns)).toEqual(['x', 'y']);
    expect(Object.entries(was.columns).every(([name, hash]) => is.columns[name] !== hash)).toBe(true);
  });

  test('stays where nothing of its parents changes', () => {
    expect(over(parent)).toEqual(over({ rows: 'r', columns: { b: '1', a: '1' } }));
  });
});

describe('data that a version names', () => {
  test('are others in every column under another version', () => {
    const [v1, v2] = ['1', '2'].map((version) => versionedData('s.t', version, [{ name: 'A' }, { name: 'b' }]));
    expect(Object.keys(v1?.columns ?? {})).toEqual(['a', 'b']);
    expect(v1?.rows).not.toBe(v2?.rows);
    expect(v1?.columns.a).not.toBe(v2?.columns.a);
  });

  test('are others in another table', () => {
    expect(versionedData('s.t', '1', [{ name: 'a' }])).not.toEqual(versionedData('s.u', '1', [{ name: 'a' }]));
  });
});

test('what decides rows beside the query counts: another kind, other rows', async () => {
  const catalog = await shadow(['CREATE TABLE t (a INT)']);
  try {
    const lineage = await lineageOf(catalog, 'SELECT a FROM t');
    expect(dataPrint(lineage, 'FULL', () => undefined).rows).not.toBe(
      dataPrint(lineage, 'unique_key a', () => undefined).rows,
    );
  } finally {
    catalog.close();
  }
});
