import type { SqliteRow, SqliteValue } from '../effects/sqlite.js';
import { type Contents, keyOf } from './contents.js';
import { type MetadataTable, metadataTables } from './tables.js';

export interface MergeConflict {
  readonly table: string;
  readonly key: string;
  readonly column: string;
  readonly ours: SqliteValue;
  readonly theirs: SqliteValue;
}

export interface Merged {
  readonly contents: Contents;
  /** Places where both sides say something new and different; `contents` holds ours there. */
  readonly conflicts: readonly MergeConflict[];
}

/** Three-way, row by row and column by column. Runs are only ever added, so that two branches that each ingest something always merge. */
export function mergeContents(base: Contents, ours: Contents, theirs: Contents): Merged {
  const conflicts: MergeConflict[] = [];
  const contents = new Map(
    metadataTables.map((table) => {
      const [before, left, right] = [base, ours, theirs].map(
        (one) => new Map((one.get(table.name) ?? []).map((row) => [keyOf(table, row), row])),
      );
      const rows: SqliteRow[] = [];
      for (const key of [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])].sort()) {
        const row = mergeRow(
          { table, base: before?.get(key), ours: left?.get(key), theirs: right?.get(key) },
          conflicts,
        );
        if (row !== undefined) rows.push(row);
      }
      return [table.name, sorted(table, rows)];
    }),
  );
  return { contents, conflicts };
}

/** Which of two records of one file is kept: that of the earlier fetching, on whichever side it is. */
export function isFirst(row: SqliteRow, than: SqliteRow): boolean {
  const order = (one: SqliteRow): string => JSON.stringify([one.fetched_at, one.url, one.place_version]);
  return order(row) < order(than);
}

interface Sides {
  readonly table: MetadataTable;
  readonly base: SqliteRow | undefined;
  readonly ours: SqliteRow | undefined;
  readonly theirs: SqliteRow | undefined;
}

function mergeRow({ table, base, ours, theirs }: Sides, conflicts: MergeConflict[]): SqliteRow | undefined {
  if (ours === undefined || theirs === undefined) {
    const [only, isGone] = [ours ?? theirs, base !== undefined];
    // Taken away on one side, and as it was on the other.
    return isGone && JSON.stringify(only) === JSON.stringify(base) ? undefined : only;
  }
  // Files of one content: two branches that fetched them both tell the truth.
  if (table.name === 'ingestion_files') return isFirst(theirs, ours) ? theirs : ours;
  return Object.fromEntries(
    Object.keys(table.columns).map((column): [string, SqliteValue] => {
      const [was, left, right] = [base?.[column] ?? null, ours[column] ?? null, theirs[column] ?? null];
      if (left === right || right === was) return [column, left];
      if (left === was) return [column, right];
      const [low, high] = String(left) < String(right) ? [left, right] : [right, left];
      if (column === 'first_run' || column === 'license_seen_at') return [column, low === '' ? high : low];
      if (column === 'last_run') return [column, high];
      conflicts.push({ table: table.name, key: keyOf(table, ours), column, ours: left, theirs: right });
      return [column, left];
    }),
  );
}

function sorted(table: MetadataTable, rows: readonly SqliteRow[]): readonly SqliteRow[] {
  const compare = (a: SqliteRow, b: SqliteRow): number => {
    for (const column of table.key) {
      const [x, y] = [String(a[column]), String(b[column])];
      // As SQLite compares texts: by their bytes.
      if (x !== y) return Buffer.compare(Buffer.from(x), Buffer.from(y));
    }
    return 0;
  };
  return [...rows].sort(compare);
}
