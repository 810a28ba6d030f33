import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const parent = (rows: readonly string[]): Readonly<Record<string, string>> => ({
  'data.csv': ['id,mag,seen', ...rows].join('\n').concat('\n'),
  'models/raw.sql':
    "MODEL (name s.raw, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id), start '2024-01-08');\nSELECT id::INTEGER AS id, mag::DOUBLE AS mag, seen::DATE AS seen FROM read_csv('data.csv', header = true, all_varchar = true) WHERE seen::DATE BETWEEN @start_date AND @end_date",
});
const bright =
  "MODEL (name s.bright, kind INCREMENTAL_BY_CHANGE (unique_key id), start '2024-01-08');\nSELECT id, mag * 2 AS twice, @execution_ds AS built_on FROM s.raw WHERE mag > 5";
const at = (day: number): readonly string[] => ['--execution-time', `2024-01-${String(day).padStart(2, '0')} 01:00:00`];
const rows = (): Promise<readonly unknown[]> => rig.rows('SELECT id, twice, built_on FROM s.bright ORDER BY id');

describe('INCREMENTAL_BY_CHANGE', () => {
  test('writes again what changed in its parent, takes away what does not qualify any more, and leaves the rest', async () => {
    rig = makeRig({ ...parent(['1,10,2024-01-08', '2,20,2024-01-08', '3,1,2024-01-08']), 'models/bright.sql': bright });
    await rig.ok('apply', '-y', ...at(9));
    expect(await rows()).toEqual([
      { id: 1, twice: 20, built_on: '2024-01-09' },
      { id: 2, twice: 40, built_on: '2024-01-09' },
    ]);
    // 2 falls below, 3 rises above, 4 is new; 1 is not touched.
    rig.write(parent(['2,2,2024-01-09', '3,30,2024-01-09', '4,40,2024-01-09']));
    await rig.ok('run', ...at(10));
    expect(await rows()).toEqual([
      { id: 1, twice: 20, built_on: '2024-01-09' },
      { id: 3, twice: 60, built_on: '2024-01-10' },
      { id: 4, twice: 80, built_on: '2024-01-10' },
    ]);
    rig.write(parent([]));
    await rig.ok('run', ...at(11));
    await rig.ok('run', ...at(12));
    expect(await rows()).toHaveLength(3);
    // A late row, and two changes of one row since the last time.
    rig.write(parent(['5,50,2024-01-12', '1,11,2024-01-12']));
    await rig.ok('run', ...at(13));
    expect(await rows()).toEqual([
      { id: 1, twice: 22, built_on: '2024-01-13' },
      { id: 3, twice: 60, built_on: '2024-01-10' },
      { id: 4, twice: 80, built_on: '2024-01-10' },
      { id: 5, twice: 100, built_on: '2024-01-13' },
    ]);
  });

  test('gives what a full load of the same parent gives, whatever happened to it', async () => {
    rig = makeRig({
      ...parent(['1,10,2024-01-08', '2,20,2024-01-08']),
      'models/bright.sql': bright,
      'models/whole.sql': 'MODEL (name s.whole, kind FULL);\nSELECT id, mag * 2 AS twice FROM s.raw WHERE mag > 5',
    });
    await rig.ok('apply', '-y', ...at(9));
    for (const [day, changed] of [
      [10, ['1,1,2024-01-09', '7,70,2024-01-09']],
      [11, ['1,90,2024-01-10', '7,2,2024-01-10', '8,80,2024-01-10']],
      [12, []],
      [13, ['2,21,2024-01-12', '7,71,2024-01-12']],
    ] as const) {
      rig.write(parent(changed));
      await rig.ok('run', ...at(day));
      expect(await rig.rows('SELECT id, twice FROM s.bright EXCEPT FROM s.whole')).toEqual([]);
      expect(await rig.rows('FROM s.whole EXCEPT SELECT id, twice FROM s.bright')).toEqual([]);
    }
  });

  test('is loaded as a whole when it is restated', async () => {
    rig = makeRig({ ...parent(['1,10,2024-01-08']), 'models/bright.sql': bright });
    await rig.ok('apply', '-y', ...at(9));
    await rig.ok('apply', '-y', ...at(9), '--restate-model', 's.bright');
    expect(await rows()).toHaveLength(1);
  });

  test.each([
    ['SELECT id, sum(mag) AS m FROM s.raw GROUP BY id', 'it aggregates'],
    ['SELECT count(*) AS id FROM s.raw', 'it aggregates'],
    ['SELECT id, row_number() OVER () AS n FROM s.raw', 'column n depends on other rows'],
    ['SELECT DISTINCT id FROM s.raw', 'it compares rows with each other'],
    ['SELECT id FROM s.raw LIMIT 3', 'it says LIMIT'],
    ['SELECT r.id FROM s.raw AS r JOIN s.other AS o ON r.id = o.id', 'it reads 2 tables, not one'],
    ['SELECT id, random() AS r FROM s.raw', 'it calls random'],
    ['SELECT id FROM s.seen', 's.seen is a VIEW without rows of its own'],
  ])('refuses %s', async (query, why) => {
    rig = makeRig({
      ...parent([]),
      'models/other.sql': 'MODEL (name s.other, kind FULL);\nSELECT 1 AS id',
      'models/seen.sql': 'MODEL (name s.seen, kind VIEW);\nSELECT id FROM s.raw',
      'models/bright.sql': `MODEL (name s.bright, kind INCREMENTAL_BY_CHANGE (unique_key id));\n${query}`,
    });
    const outcome = await rig.run('plan');
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain(`SL0217  s.bright cannot read changes alone: ${why}`);
  });
});
