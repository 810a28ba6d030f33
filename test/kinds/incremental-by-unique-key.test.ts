import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { content, emptyTable, fill, kindOf } from './kind-rig.js';

const database = useDatabase();
const byId = kindOf('INCREMENTAL_BY_UNIQUE_KEY (unique_key id)');
const values = (...rows: readonly string[]): string =>
  `SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) AS v(id, v)`;

describe('a second load', () => {
  test('updates the rows of its keys, adds new ones and leaves others', async () => {
    await emptyTable(database(), 'id INT, v VARCHAR');
    await fill(database(), byId, values("1, 'a'", "2, 'b'"), { isEmpty: true });
    await fill(database(), byId, values("2, 'B'", "3, 'c'"));
    expect(await content(database())).toEqual(['1|a', '2|B', '3|c']);
  });

  test('takes NULL for a key like any other', async () => {
    await emptyTable(database(), 'id INT, v VARCHAR');
    await fill(database(), byId, values("NULL, 'a'", "1, 'b'"), { isEmpty: true });
    await fill(database(), byId, values("NULL, 'A'"));
    expect(await content(database())).toEqual(['1|b', 'null|A']);
  });

  test('compares all parts of a key', async () => {
    const kind = kindOf('INCREMENTAL_BY_UNIQUE_KEY (unique_key (a, b))');
    await emptyTable(database(), 'a INT, b INT, v INT');
    await fill(database(), kind, 'SELECT * FROM (VALUES (1, 1, 10), (1, NULL, 20)) AS v(a, b, v)');
    await fill(database(), kind, 'SELECT * FROM (VALUES (1, NULL, 21), (2, NULL, 30)) AS v(a, b, v)');
    expect(await content(database())).toEqual(['1|1|10', '1|null|21', '2|null|30']);
  });

  test.each(['(lower(code), v)', 'lower(code)', "coalesce(code, '')"])(
    'finds the rows of the expression %s',
    async (key) => {
      const kind = kindOf(`INCREMENTAL_BY_UNIQUE_KEY (unique_key ${key === '(lower(code), v)' ? key : `(${key})`})`);
      await emptyTable(database(), 'code VARCHAR, v INT, w INT');
      await fill(database(), kind, "SELECT * FROM (VALUES ('a', 1, 10), ('b', 1, 20), (NULL, 1, 30)) AS v(code, v, w)");
      await fill(database(), kind, "SELECT * FROM (VALUES ('a', 1, 11), (NULL, 1, 31)) AS v(code, v, w)");
      expect(await content(database())).toEqual(['a|1|11', 'b|1|20', 'null|1|31']);
    },
  );
});

describe('two rows of one key in one load', () => {
  test('are refused, with the keys, and change nothing', async () => {
    await emptyTable(database(), 'id INT, v VARCHAR');
    await fill(database(), byId, values("1, 'a'"), { isEmpty: true });
    const refusal = await fill(database(), byId, values("1, 'x'", "2, 'y'", "2, 'z'"));
    expect(refusal).toEqual({
      code: 'SL0803',
      message: 'the load holds several rows of one unique key (id)',
      rows: [{ id: 2, rows_of_key: '2' }],
    });
    expect(await content(database())).toEqual(['1|a']);
  });

  test('are refused where both keys are NULL', async () => {
    await emptyTable(database(), 'id INT, v VARCHAR');
    expect((await fill(database(), byId, values("NULL, 'x'", "NULL, 'y'")))?.rows).toEqual([
      { id: null, rows_of_key: '2' },
    ]);
  });

  test('are refused where an expression makes them one', async () => {
    await emptyTable(database(), 'id VARCHAR, v VARCHAR');
    const refusal = await fill(
      database(),
      kindOf('INCREMENTAL_BY_UNIQUE_KEY (unique_key (lower(id)))'),
      values("'A', 'x'", "'a', 'y'"),
    );
    expect(refusal?.rows).toEqual([{ 'lower(id)': 'a', rows_of_key: '2' }]);
  });

  test.each([
    ['first', 'v', '1|a'],
    ['last', 'v', '1|c'],
    ['last', 'v DESC', '1|a'],
    ['first', 'v DESC', '1|c'],
    ['last', '(v ASC)', '1|c'],
    ['last', '(length(v), v)', '1|c'],
    ['first', '(v NULLS FIRST)', '1|null'],
    ['last', '(v NULLS FIRST)', '1|c'],
    ['last', '(v ASC NULLS LAST)', '1|null'],
    ['last', '(v DESC NULLS FIRST)', '1|a'],
  ])('are settled by on_duplicate_key %s in the order %s', async (rule, order, expected) => {
    const kind = kindOf(
      `INCREMENTAL_BY_UNIQUE_KEY (unique_key id, on_duplicate_key ${rule}, duplicate_order ${order.startsWith('(') ? order : `(${order})`})`,
    );
    await emptyTable(database(), 'id INT, v VARCHAR');
    const rows = order.includes('NULLS') ? ["1, 'b'", '1, NULL', "1, 'c'", "1, 'a'"] : ["1, 'b'", "1, 'c'", "1, 'a'"];
    expect(await fill(database(), kind, values(...rows, "2, 'z'"))).toBeUndefined();
    expect(await content(database())).toEqual([expected, '2|z']);
  });
});
