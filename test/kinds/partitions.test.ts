import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { content, emptyTable, fill, kindOf } from './kind-rig.js';

const database = useDatabase();
const rows = (...list: readonly string[]): string =>
  `SELECT * FROM (VALUES ${list.map((row) => `(${row})`).join(', ')}) AS r(p, v)`;

describe('INCREMENTAL_BY_PARTITION', () => {
  const kind = kindOf('INCREMENTAL_BY_PARTITION');

  test('replaces the partitions of what is loaded, and no others', async () => {
    await emptyTable(database(), 'p VARCHAR, v INT');
    const partitionedBy = ['p'];
    await fill(database(), kind, rows("'a', 1", "'a', 2", "'b', 3", 'NULL, 4'), { isEmpty: true, partitionedBy });
    await fill(database(), kind, rows("'a', 9", 'NULL, 8', "'c', 7"), { partitionedBy });
    expect(await content(database())).toEqual(['a|9', 'b|3', 'c|7', 'null|8']);
  });

  test('compares expressions over several columns', async () => {
    await emptyTable(database(), 'p VARCHAR, v INT');
    const partitionedBy = ['upper(p)', 'v // 10'];
    await fill(database(), kind, rows("'a', 1", "'a', 11", "'b', 1"), { isEmpty: true, partitionedBy });
    await fill(database(), kind, rows("'A', 5"), { partitionedBy });
    expect(await content(database())).toEqual(['A|5', 'a|11', 'b|1']);
  });
});

describe('INCREMENTAL_UNMANAGED', () => {
  test('appends', async () => {
    await emptyTable(database(), 'p VARCHAR, v INT');
    await fill(database(), kindOf('INCREMENTAL_UNMANAGED'), rows("'a', 1"), { isEmpty: true });
    await fill(database(), kindOf('INCREMENTAL_UNMANAGED'), rows("'a', 1"));
    expect(await content(database())).toEqual(['a|1', 'a|1']);
  });

  test('replaces partitions with insert_overwrite', async () => {
    const kind = kindOf('INCREMENTAL_UNMANAGED (insert_overwrite true)');
    await emptyTable(database(), 'p VARCHAR, v INT');
    await fill(database(), kind, rows("'a', 1", "'b', 2"), { isEmpty: true, partitionedBy: ['p'] });
    await fill(database(), kind, rows("'a', 3"), { partitionedBy: ['p'] });
    expect(await content(database())).toEqual(['a|3', 'b|2']);
  });
});

describe('INCREMENTAL_BY_UNIQUE_KEY with clauses', () => {
  const load = (...list: readonly string[]): string =>
    `SELECT * FROM (VALUES ${list.map((row) => `(${row})`).join(', ')}) AS r(id, v, gone)`;

  test('does what the first clause that holds says', async () => {
    const kind = kindOf(
      'INCREMENTAL_BY_UNIQUE_KEY (unique_key id, when_matched (WHEN MATCHED AND source.gone THEN DELETE WHEN MATCHED AND CASE WHEN source.v > target.v THEN true ELSE false END THEN UPDATE SET target.v = source.v + target.v))',
    );
    await emptyTable(database(), 'id INT, v INT, gone BOOLEAN');
    await fill(database(), kind, load('1, 10, false', '2, 10, false', '3, 10, false'), { isEmpty: true });
    await fill(database(), kind, load('1, 0, true', '2, 20, false', '3, 5, false', '4, 1, true'));
    expect(await content(database())).toEqual(['2|30|false', '3|10|false', '4|1|true']);
  });

  test('merges only into rows that the filter lets through', async () => {
    const kind = kindOf('INCREMENTAL_BY_UNIQUE_KEY (unique_key id, merge_filter target.v < 100)');
    await emptyTable(database(), 'id INT, v INT, gone BOOLEAN');
    await fill(database(), kind, load('1, 10, false', '2, 500, false'), { isEmpty: true });
    await fill(database(), kind, load('1, 11, false', '2, 501, false'));
    // The filter is part of the match: a row that it shuts out is not matched, and what came is inserted beside it.
    expect(await content(database())).toEqual(['1|11|false', '2|500|false', '2|501|false']);
  });

  test('finds rows by an expression', async () => {
    const kind = kindOf(
      'INCREMENTAL_BY_UNIQUE_KEY (unique_key (abs(id)), when_matched (WHEN MATCHED THEN UPDATE SET v = source.v))',
    );
    await emptyTable(database(), 'id INT, v INT, gone BOOLEAN');
    await fill(database(), kind, load('1, 10, false'), { isEmpty: true });
    await fill(database(), kind, load('-1, 11, false'));
    expect(await content(database())).toEqual(['1|11|false']);
  });
});
