import { describe, expect, test } from 'vitest';
import { findKind, kinds } from '../../src/kinds/index.js';
import { useDatabase } from '../support/database.js';
import { problemsOf } from '../support/project-text.js';
import { content, emptyTable, fill, kindOf } from './kind-rig.js';

const database = useDatabase();

/** How a header asks for each kind, with what it must say. */
const spelt: Readonly<Record<string, string>> = {
  INCREMENTAL_BY_TIME_RANGE: 'INCREMENTAL_BY_TIME_RANGE (time_column ds)',
  INCREMENTAL_BY_UNIQUE_KEY: 'INCREMENTAL_BY_UNIQUE_KEY (unique_key id)',
  INCREMENTAL_BY_CHANGE: 'INCREMENTAL_BY_CHANGE (unique_key id)',
  SCD_TYPE_2_BY_TIME: 'SCD_TYPE_2_BY_TIME (unique_key id)',
  SCD_TYPE_2_BY_COLUMN: 'SCD_TYPE_2_BY_COLUMN (unique_key id, columns *)',
  SEED: "SEED (path 'a.csv')",
};
/** MANAGED is there to be refused with a reason, CUSTOM is filled by a project's own function. */
const all = kinds
  .map(({ names: [name] }) => ({ name, text: spelt[name] ?? name }))
  .filter(({ name }) => name !== 'MANAGED' && name !== 'CUSTOM');
/** Kinds whose table holds the rows of the query and nothing else, however often it is filled (by change: by the changes alone). */
const tables = all.filter(
  ({ name }) =>
    ![
      'VIEW',
      'EMBEDDED',
      'EXTERNAL',
      'INCREMENTAL_UNMANAGED',
      'INCREMENTAL_BY_CHANGE',
      'SCD_TYPE_2_BY_TIME',
      'SCD_TYPE_2_BY_COLUMN',
    ].includes(name),
);

describe('the registry', () => {
  test('finds a kind by its name in any case', () => {
    expect(findKind('full')?.names[0]).toBe('FULL');
    expect(findKind('nothing')).toBeUndefined();
  });

  test('has no name twice', () => {
    const names = kinds.flatMap((kind) => kind.names);
    expect(new Set(names).size).toBe(names.length);
  });

  test('has upper-case names only', () => {
    expect(kinds.flatMap((kind) => kind.names).filter((name) => name !== name.toUpperCase())).toEqual([]);
  });
});

describe.each(all)('$name behaves like a kind:', ({ name, text }) => {
  test('it calls itself by its name', () => {
    expect(kindOf(text).name).toBe(name);
  });

  test('what it keeps is JSON', () => {
    const { rowProperties, metadataProperties } = kindOf(text);
    const kept = { rowProperties, metadataProperties };
    expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
  });

  test('it has rows of its own exactly where it has statements to make them', () => {
    const kind = kindOf(text);
    const request = {
      target: '"t"',
      staging: '"s"',
      columns: [{ name: 'ds', type: 'DATE' }],
      query: 'SELECT 1',
      interval: { start: 0, end: 86_400_000 },
      isEmpty: false,
      partitionedBy: ['ds'],
      executionTime: 0,
    };
    expect(kind.fill(request).length > 0).toBe(kind.storage === 'table');
  });

  test('the same header is read to the same value', () => {
    const [one, other] = [kindOf(text), kindOf(text)];
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });
});

describe.each(tables)('$name fills a table:', ({ text }) => {
  const query = "SELECT * FROM (VALUES (DATE '2024-01-01', 1, 'a'), (DATE '2024-01-01', 2, NULL)) AS v(ds, id, w)";
  const expected = ['2024-01-01|1|a', '2024-01-01|2|null'];

  test('a first fill leaves the rows of the query', async () => {
    await emptyTable(database(), 'ds DATE, id INT, w VARCHAR');
    expect(await fill(database(), kindOf(text), query, { isEmpty: true })).toBeUndefined();
    expect(await content(database())).toEqual(expected);
  });

  test('a second fill leaves what the first left', async () => {
    await emptyTable(database(), 'ds DATE, id INT, w VARCHAR');
    for (const isEmpty of [true, false, false])
      await fill(database(), kindOf(text), query, { isEmpty, partitionedBy: ['ds'] });
    expect(await content(database())).toEqual(expected);
  });

  test('a query that ends in a comment is no trouble', async () => {
    await emptyTable(database(), 'ds DATE, id INT, w VARCHAR');
    await fill(database(), kindOf(text), `${query} -- done`, { isEmpty: false, partitionedBy: ['ds'] });
    expect(await content(database())).toEqual(expected);
  });

  test('names that need quotes are no trouble', async () => {
    const renamed = text
      .replace('time_column ds', 'time_column "the ""day"""')
      .replace('unique_key id', 'unique_key "the key"');
    await emptyTable(database(), '"the ""day""" DATE, "the key" INT, "select" VARCHAR');
    for (const isEmpty of [true, false])
      await fill(database(), kindOf(renamed), query.replace('v(ds, id, w)', 'v("the ""day""", "the key", "select")'), {
        isEmpty,
        partitionedBy: ['"the ""day"""'],
      });
    expect(await content(database())).toEqual(expected);
  });

  test('a query without rows leaves none of the interval', async () => {
    await emptyTable(database(), 'ds DATE, id INT, w VARCHAR');
    expect(await fill(database(), kindOf(text), `${query} LIMIT 0`, { partitionedBy: ['ds'] })).toBeUndefined();
    expect(await content(database())).toEqual([]);
  });
});

test('MANAGED is refused, with what to take instead', () => {
  expect(problemsOf('MODEL (name s.m, kind MANAGED);\nSELECT 1')).toEqual([
    '1:23+7 SL0105 MANAGED needs an engine that refreshes tables by itself (dynamic tables); DuckDB does not',
  ]);
});

test.each(['INCREMENTAL_BY_PARTITION', 'INCREMENTAL_UNMANAGED (insert_overwrite true)'])(
  '%s needs partitioned_by',
  (kind) => {
    expect(problemsOf(`MODEL (name s.m, kind ${kind});\nSELECT 1`)).toEqual([
      `1:1+5 SL0104 kind ${kind.split(' ')[0]} needs "partitioned_by"`,
    ]);
  },
);

test('FULL replaces all rows', async () => {
  await emptyTable(database(), 'a INT');
  await database().run('INSERT INTO t VALUES (1), (2)');
  await fill(database(), kindOf('FULL'), 'SELECT 3');
  expect(await content(database())).toEqual(['3']);
});

describe('the kind', () => {
  test.each([
    ['VIEW', { storage: 'view', history: 'whole', forwardOnly: false }],
    ['FULL', { storage: 'table', history: 'whole', restatable: true }],
    ['EMBEDDED', { storage: 'inline' }],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column DS)',
      {
        storage: 'table',
        history: 'intervals',
        timeColumn: 'DS',
        lookback: 0,
        forwardOnly: false,
        restatable: true,
        rowProperties: { timeColumn: 'ds', timeFormat: '%Y-%m-%d', lookback: 0 },
      },
    ],
    [
      "INCREMENTAL_BY_TIME_RANGE (time_column (ds, '%Y%m%d'), lookback 2, batch_size 7, forward_only true, disable_restatement true)",
      { lookback: 2, batchSize: 7, forwardOnly: true, restatable: false, rowProperties: { timeFormat: '%Y%m%d' } },
    ],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column ds, on_destructive_change warn, on_additive_change ignore)',
      { onDestructiveChange: 'warn', onAdditiveChange: 'ignore' },
    ],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column ds, batch_concurrency 4, partition_by_time_column false)',
      { metadataProperties: { batchConcurrency: 4, partitionByTimeColumn: false } },
    ],
    [
      'INCREMENTAL_BY_UNIQUE_KEY (unique_key (Cluster, gene))',
      {
        storage: 'table',
        history: 'intervals',
        onDestructiveChange: 'error',
        onAdditiveChange: 'allow',
        rowProperties: { uniqueKey: ['"cluster"', '"gene"'], onDuplicateKey: 'error' },
      },
    ],
    [
      'INCREMENTAL_BY_UNIQUE_KEY (unique_key id, on_duplicate_key last, duplicate_order (ts, seq DESC), batch_size 3)',
      { batchSize: 3, rowProperties: { onDuplicateKey: 'last', duplicateOrder: ['ts', 'seq DESC'] } },
    ],
  ])('%s is read', (text, expected) => {
    expect(kindOf(text)).toMatchObject(expected);
  });

  test('SEED keeps its path and the options of its reader', () => {
    expect(
      kindOf(
        "SEED (path '../seeds/a.csv', csv_settings (delimiter = ';', na_values = ('-', '?'), keep_default_na = false, doublequote = true))",
      ),
    ).toMatchObject({
      history: 'once',
      restatable: false,
      seed: { path: '../seeds/a.csv', csvOptions: { delim: ';', nullstr: ['-', '?'] } },
    });
  });

  test('SEED keeps apart what its reader has no option for', () => {
    expect(
      kindOf(
        "SEED (path 'a.csv', csv_settings (delimiter = '\\t', lineterminator = '\\n', skipinitialspace = true, na_values = (a = ('-', '?'), b = 'x')))",
      ).seed,
    ).toMatchObject({
      csvOptions: { delim: '\t' },
      layout: { skipsBlanks: true, lineEnd: '\n', nulls: { a: ['-', '?'], b: ['x'] } },
    });
  });

  test.each([
    ["SEED (path 'a.csv', csv_settings (lineterminator = 'ab'))", 'SL0103 lineterminator is one character'],
    ['VIEW (materialised true)', 'SL0103 unknown property "materialised" in kind VIEW'],
    ['INCREMENTAL_BY_TIME_RANGE', 'SL0104 kind INCREMENTAL_BY_TIME_RANGE needs "time_column"'],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column ds, lookback -1)',
      'SL0105 "lookback" is a whole number of at least 0, not -1',
    ],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column ds, batch_size 1.5)',
      'SL0105 "batch_size" is a whole number of at least 1, not 1.5',
    ],
    ['INCREMENTAL_BY_TIME_RANGE (time_column ds, forward_only yes)', 'SL0105 "forward_only" is true or false, not yes'],
    [
      'INCREMENTAL_BY_TIME_RANGE (time_column ds, on_additive_change allwo)',
      'SL0105 "on_additive_change" is one of error, warn, allow, ignore, not allwo',
    ],
    ['INCREMENTAL_BY_UNIQUE_KEY', 'SL0104 kind INCREMENTAL_BY_UNIQUE_KEY needs "unique_key"'],
    ['INCREMENTAL_BY_UNIQUE_KEY (unique_key id, on_duplicate_key last)', 'SL0104 on_duplicate_key last needs an order'],
    [
      'INCREMENTAL_BY_UNIQUE_KEY (unique_key id, on_duplicate_key newest)',
      'SL0105 "on_duplicate_key" is one of error, first, last, not newest',
    ],
    [
      'INCREMENTAL_BY_UNIQUE_KEY (unique_keys id)',
      'SL0103 unknown property "unique_keys" in kind INCREMENTAL_BY_UNIQUE_KEY',
    ],
  ])('%s is refused', (text, expected) => {
    expect(
      problemsOf(`MODEL (name s.m, kind ${text});\nSELECT 1`).map((problem) => problem.replace(/^\S+ /, '')),
    ).toContain(expected);
  });

  test('SEED without a file, or with an unknown setting, is refused', () => {
    expect(
      problemsOf('MODEL (name s.m, kind SEED (csv_settings (sep = 1)));').map((problem) =>
        problem.replace(/^\S+ /, ''),
      ),
    ).toEqual(['SL0104 kind SEED needs "path"', 'SL0103 csv_settings does not know "sep"']);
  });
});
