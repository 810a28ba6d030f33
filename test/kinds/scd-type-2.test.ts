import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { utc } from '../support/project-text.js';
import { content, emptyTable, fill, kindOf } from './kind-rig.js';

const database = useDatabase();
const columns = 'id INT, v VARCHAR, updated_at TIMESTAMP, valid_from TIMESTAMP, valid_to TIMESTAMP';
const records = (...rows: readonly string[]): string =>
  `SELECT id::INT AS id, v::VARCHAR AS v, updated_at::TIMESTAMP AS updated_at FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) AS r(id, v, updated_at)`;
const day = (text: string): { readonly executionTime: number } => ({ executionTime: utc(text) });
const short = async (): Promise<readonly string[]> =>
  (await content(database())).map((row) =>
    row.replaceAll('2024-', '').replaceAll(' 00:00:00', '').replaceAll('1970-01-01', 'epoch'),
  );

describe('SCD_TYPE_2_BY_TIME', () => {
  const byTime = kindOf('SCD_TYPE_2_BY_TIME (unique_key id)');

  test('keeps a version for each change, from one updated_at to the next', async () => {
    await emptyTable(database(), columns);
    await fill(database(), byTime, records("1, 'a', '2024-01-01'", "2, 'b', '2024-01-01'"), { isEmpty: true });
    await fill(database(), byTime, records("1, 'A', '2024-01-05'", "2, 'b', '2024-01-01'", "3, 'c', '2024-01-05'"));
    expect(await short()).toEqual([
      '1|A|01-05|01-05|null',
      '1|a|01-01|epoch|01-05',
      '2|b|01-01|epoch|null',
      '3|c|01-05|epoch|null',
    ]);
  });

  test('changes nothing when the same records come again, or older ones', async () => {
    await emptyTable(database(), columns);
    await fill(database(), byTime, records("1, 'a', '2024-01-05'"), { isEmpty: true });
    await fill(database(), byTime, records("1, 'a', '2024-01-05'"));
    await fill(database(), byTime, records("1, 'late', '2024-01-03'"));
    expect(await short()).toEqual(['1|a|01-05|epoch|null']);
  });

  test('ends records that are gone where that is asked for, and takes them up again', async () => {
    const ending = kindOf('SCD_TYPE_2 (unique_key id, invalidate_hard_deletes true, updated_at_as_valid_from true)');
    await emptyTable(database(), columns);
    await fill(database(), ending, records("1, 'a', '2024-01-01'", "2, 'b', '2024-01-01'"), { isEmpty: true });
    await fill(database(), ending, records("2, 'b', '2024-01-01'"), day('2024-01-06'));
    await fill(database(), ending, records("1, 'a', '2024-01-01'", "2, 'b', '2024-01-01'"), day('2024-01-08'));
    expect(await short()).toEqual(['1|a|01-01|01-01|01-06', '1|a|01-01|01-06|null', '2|b|01-01|01-01|null']);
  });

  test('keeps the newest of several records of one key', async () => {
    await emptyTable(database(), columns);
    await fill(database(), byTime, records("1, 'a', '2024-01-01'", "1, 'z', '2024-01-02'"), { isEmpty: true });
    expect(await short()).toEqual(['1|z|01-02|epoch|null']);
  });

  test('keeps a NULL of a closed record as it was', async () => {
    await emptyTable(database(), columns);
    await fill(database(), byTime, records("1, NULL, '2024-01-01'"), { isEmpty: true });
    await fill(database(), byTime, records("1, 'known', '2024-01-05'"));
    expect(await short()).toEqual(['1|known|01-05|01-05|null', '1|null|01-01|epoch|01-05']);
  });

  test('finds records by an expression over several columns', async () => {
    const kind = kindOf('SCD_TYPE_2_BY_TIME (unique_key (lower(v), id))');
    await emptyTable(database(), columns);
    await fill(database(), kind, records("1, 'a', '2024-01-01'"), { isEmpty: true });
    await fill(database(), kind, records("1, 'A', '2024-01-02'"));
    expect(await short()).toEqual(['1|A|01-02|01-02|null', '1|a|01-01|epoch|01-02']);
  });
});

describe('SCD_TYPE_2_BY_COLUMN', () => {
  test('tells versions apart by the columns named, at the time of the run', async () => {
    const byColumn = kindOf('SCD_TYPE_2_BY_COLUMN (unique_key id, columns (v))');
    await emptyTable(database(), columns);
    await fill(database(), byColumn, records("1, 'a', '2024-01-01'", "2, 'b', '2024-01-01'"), { isEmpty: true });
    await fill(
      database(),
      byColumn,
      records("1, 'A', '2024-01-01'", "2, 'b', '2024-02-02'", "3, 'c', '2024-01-01'"),
      day('2024-01-07'),
    );
    expect(await short()).toEqual([
      '1|A|01-01|01-07|null',
      '1|a|01-01|epoch|01-07',
      '2|b|01-01|epoch|null',
      '3|c|01-01|01-07|null',
    ]);
  });

  test('looks at all columns for *, NULLs included, and may begin at the first run', async () => {
    const byAll = kindOf('SCD_TYPE_2_BY_COLUMN (unique_key id, columns *, execution_time_as_valid_from true)');
    await emptyTable(database(), columns);
    await fill(database(), byAll, records("1, NULL, '2024-01-01'"), { isEmpty: true, ...day('2024-01-02') });
    await fill(database(), byAll, records("1, 'x', '2024-01-01'"), day('2024-01-03'));
    expect(await short()).toEqual(['1|null|01-01|01-02|01-03', '1|x|01-01|01-03|null']);
  });
});
