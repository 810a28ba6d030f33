import { fileLiteral, ident } from '../../../domain/names.js';
import type { Database, Row } from '../../../effects/duckdb.js';

/** What a full reading found in one column. */
export interface ColumnFacts {
  readonly nullCount: number;
  /** As DuckDB prints them; undefined for nested types, and without any value. */
  readonly min: string | undefined;
  readonly max: string | undefined;
  /** Of numbers: exact for integers and decimals, rounded for floats. */
  readonly sum: string | undefined;
}

export interface FileFacts {
  readonly rowCount: number;
  readonly rowGroupCount: number;
  readonly columns: readonly ColumnFacts[];
  /** Columns with statistics in the footer that a query would be misled by. */
  readonly untrueStatistics: readonly string[];
  /** What the footer says of the whole file that is not so. */
  readonly problem: string | undefined;
}

interface ScannedColumn {
  readonly original: string;
  readonly read: string;
  readonly type: string;
}

/** Wide tables are aggregated in parts: DuckDB plans thousands of aggregates slowly. */
const COLUMNS_PER_QUERY = 32;

const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DECIMAL\(\d+,\d+\)|FLOAT|DOUBLE)$/;
const FLOAT = /^(?:FLOAT|DOUBLE)$/;
const ORDERED = /^(?:DATE|TIME|TIMESTAMP.*|BOOLEAN|VARCHAR)$/;

/** A parquet file's rows, or those of several (`list`: as SQL has it), nothing taken from the names of its folders. */
export function rowsOf(file: string, extra = '', files: 'one' | 'list' = 'one'): string {
  return `read_parquet(${files === 'one' ? fileLiteral(file) : file}, hive_partitioning = false, binary_as_string = false${extra})`;
}

/**
 * Reads every column of every row group once, and holds the footer against it. DuckDB answers counts and extremes from
 * the footer alone where it can, and DuckLake copies them from there, so each column is hashed: that cannot be guessed.
 *
 * @throws DuckDB's error for a page that does not read
 */
export async function fileFacts(
  database: Database,
  file: string,
  columns: readonly ScannedColumn[],
): Promise<FileFacts> {
  const groups = await database.rows(
    `SELECT DISTINCT row_group_id::INTEGER AS g, row_group_num_rows::BIGINT AS n FROM parquet_metadata(${fileLiteral(file)}) ORDER BY g`,
  );
  const promised = groups.map((row) => Number(row.n));
  const [whole] = await database.rows(
    `SELECT num_rows, num_row_groups FROM parquet_file_metadata(${fileLiteral(file)})`,
  );
  const total = promised.reduce((sum, count) => sum + count, 0);
  const rowGroupCount = groups.length;
  const problem = (what: string): FileFacts => ({
    rowCount: total,
    rowGroupCount,
    columns: [],
    untrueStatistics: [],
    problem: what,
  });
  if (Number(whole?.num_rows ?? -1) !== total) {
    return problem(`its footer says ${String(whole?.num_rows)} rows, its row groups ${total}`);
  }
  if (columns.some(({ read }) => read.toLowerCase() === 'file_row_number')) {
    return problem('it has a column "file_row_number", which DuckDB keeps for itself');
  }
  const source = await groupedSource(database, file, promised);
  await database.run(
    `CREATE TEMP TABLE footer AS SELECT row_group_id::INTEGER AS g, path_in_schema AS p, stats_min_value AS lo, stats_max_value AS hi, stats_null_count AS nulls FROM parquet_metadata(${fileLiteral(file)})`,
  );
  const facts: ColumnFacts[] = [];
  const untrue: string[] = [];
  for (let from = 0; from < columns.length; from += COLUMNS_PER_QUERY) {
    const part = columns.slice(from, from + COLUMNS_PER_QUERY);
    const aggregates = part.flatMap((column, i) => aggregatesOf(column, i));
    await database.run(
      `CREATE OR REPLACE TEMP TABLE found AS SELECT ${source.g} AS g, count(${source.r}) AS n, ${aggregates.join(', ')} FROM ${source.rows} GROUP BY ALL`,
    );
    const counts = await database.rows('SELECT g, n FROM found');
    const countOf = new Map(counts.map((row) => [Number(row.g), Number(row.n)]));
    const short = promised.findIndex((count, g) => (countOf.get(g) ?? 0) !== count);
    if (short >= 0) {
      return problem(`row group ${short} has ${countOf.get(short) ?? 0} rows, its footer says ${promised[short] ?? 0}`);
    }
    const [row] = await database.rows(`SELECT ${['0 AS _', ...part.flatMap(summaryOf)].join(', ')} FROM found`);
    for (const [i, column] of part.entries()) {
      facts.push(factsOf(row, i));
      if (await contradicts(database, column, i)) untrue.push(column.original);
    }
  }
  return { rowCount: total, rowGroupCount, columns: facts, untrueStatistics: untrue, problem: undefined };
}

/** One number per column that changes with any of its values, whatever their order. */
export async function contentHashes(
  database: Database,
  source: string,
  columns: readonly string[],
): Promise<readonly string[]> {
  const hashes: string[] = [];
  for (let from = 0; from < columns.length; from += COLUMNS_PER_QUERY) {
    const part = columns.slice(from, from + COLUMNS_PER_QUERY);
    const sums = part.map((name, i) => `sum(hash(${ident(name)})::HUGEINT) AS h${i}`);
    const [row] = await database.rows(`SELECT ${sums.join(', ')} FROM ${source}`);
    hashes.push(...part.map((_, i) => String(row?.[`h${i}`])));
  }
  return hashes;
}

/** The file's rows with the row group each stands in (`g`) and its number (`r`); names that no file has. */
async function groupedSource(
  database: Database,
  file: string,
  counts: readonly number[],
): Promise<{ readonly rows: string; readonly g: string; readonly r: string }> {
  const rows = rowsOf(file, ', file_row_number = true');
  const size = counts[0] ?? 0;
  const r = 'file_row_number';
  const isEven = size > 0 && counts.every((count, i) => count === size || (i === counts.length - 1 && count <= size));
  if (isEven) return { rows, g: `(${r} // ${size})::INTEGER`, r };
  let start = 0;
  await database.run('CREATE TEMP TABLE spans (__g INTEGER, __from BIGINT, __to BIGINT)');
  for (const [g, count] of counts.entries()) {
    await database.run(`INSERT INTO spans VALUES (${g}, ${start}, ${start + count})`);
    start += count;
  }
  return { rows: `${rows} JOIN spans ON ${r} >= __from AND ${r} < __to`, g: '__g', r };
}

function aggregatesOf({ read, type }: ScannedColumn, i: number): readonly string[] {
  const column = ident(read);
  const counted = [`count(${column}) AS c${i}`, `sum(hash(${column})::HUGEINT) AS x${i}`];
  if (!NUMBER.test(type) && !ORDERED.test(type)) return counted;
  // NaN has no place in the statistics of the footer, and is the largest value for DuckDB.
  const filter = FLOAT.test(type) ? ` FILTER (WHERE NOT isnan(${column}))` : '';
  const finite = FLOAT.test(type) ? ` FILTER (WHERE isfinite(${column}))` : '';
  return [
    ...counted,
    `min(${column})${filter} AS l${i}`,
    `max(${column})${filter} AS h${i}`,
    ...(NUMBER.test(type) ? [`sum(${FLOAT.test(type) ? `${column}::DOUBLE` : column})${finite} AS s${i}`] : []),
  ];
}

function summaryOf({ type }: ScannedColumn, i: number): readonly string[] {
  const nulls = `coalesce(sum(n - c${i}), 0)::BIGINT AS z${i}`;
  if (!NUMBER.test(type) && !ORDERED.test(type)) return [nulls];
  return [
    nulls,
    `min(l${i})::VARCHAR AS l${i}`,
    `max(h${i})::VARCHAR AS h${i}`,
    ...(NUMBER.test(type) ? [`sum(s${i})::VARCHAR AS s${i}`] : []),
  ];
}

function factsOf(row: Row | undefined, i: number): ColumnFacts {
  const text = (name: string): string | undefined => {
    const value = row?.[name];
    return value === null || value === undefined ? undefined : String(value).slice(0, 200);
  };
  return { nullCount: Number(row?.[`z${i}`] ?? 0), min: text(`l${i}`), max: text(`h${i}`), sum: text(`s${i}`) };
}

/** True when some row group's statistics shut out a value that is there, or count its NULLs wrongly. */
async function contradicts(database: Database, { original, type }: ScannedColumn, i: number): Promise<boolean> {
  const isComparable = NUMBER.test(type) || ORDERED.test(type);
  // Texts may be cut short in the footer, and beyond ASCII they are printed in another way.
  const isPlain = type === 'VARCHAR' ? ` AND regexp_full_match(lo || hi, '[ -~]*')` : '';
  const bounds = isComparable
    ? ` OR ((l${i} < TRY_CAST(lo AS ${type}) OR h${i} > TRY_CAST(hi AS ${type}))${isPlain})`
    : '';
  if (!isComparable) return false;
  const [row] = await database.rows(
    `SELECT count(*) AS n FROM found JOIN footer USING (g) WHERE p = $1 AND (nulls <> n - c${i}${bounds})`,
    [original],
  );
  return Number(row?.n ?? 0) > 0;
}
