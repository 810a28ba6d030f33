import { fileLiteral, ident } from '../domain/names.js';
import { isFloat, type WritableType } from './column-facts.js';
import type { Cell, Database } from './duckdb.js';
import type { ParquetRequest, WrittenFacts } from './parquet-writer.js';

/** DuckDB plans many aggregates slowly: 18,000 in one query took minutes, in queries of so many 4 s. */
const AGGREGATES_PER_QUERY = 128;

/** The whole number that stands for a value of a type that is none itself. */
function wholeNumber(type: WritableType, column: string): string {
  switch (type) {
    case 'BOOLEAN':
      return `${column}::TINYINT`;
    case 'DATE':
      return `(${column} - DATE '1970-01-01')`;
    case 'TIMESTAMP':
    case 'TIMESTAMP WITH TIME ZONE':
      return `epoch_us(${column})`;
    case 'TIMESTAMP_NS':
      return `epoch_ns(${column})`;
    default:
      return column;
  }
}

/**
 * Reads a written parquet file back and compares it with what was handed to the writer.
 *
 * @returns one sentence for everything that differs; empty when the file holds what was read
 */
export async function checkParquet(
  database: Database,
  request: Pick<ParquetRequest, 'file' | 'columns'>,
  expected: WrittenFacts,
): Promise<readonly string[]> {
  const isAllFinite = (at: number): boolean =>
    (expected.columns[at]?.nanCount ?? 1) + (expected.columns[at]?.infiniteCount ?? 1) === 0;
  const ranges = request.columns.some(({ type }, i) => type === 'INTEGER' || (isFloat(type) && isAllFinite(i)))
    ? await storedRanges(database, request.file)
    : new Map<string, StoredRange>();
  const aggregates = request.columns.flatMap(({ name, type }, i) => {
    const column = ident(name);
    if (type === 'VARCHAR') return [`count(${column}) AS n${i}`, `coalesce(sum(strlen(${column})), 0) AS s${i}`];
    const range = ranges.get(name);
    if (type === 'INTEGER' && range !== undefined) {
      return [
        `count(${column}) AS n${i}`,
        `coalesce(sum(${column}), 0) AS s${i}`,
        `'${range.low}'::DOUBLE AS l${i}`,
        `'${range.high}'::DOUBLE AS h${i}`,
      ];
    }
    if (!isFloat(type)) {
      const number = wholeNumber(type, column);
      return [
        `count(${column}) AS n${i}`,
        `coalesce(sum(${number}), 0) AS s${i}`,
        `min(${number}) AS l${i}`,
        `max(${number}) AS h${i}`,
      ];
    }
    // Without any NaN or infinity no filter is needed, in half the time: one that got in would show in the sum.
    if (isAllFinite(i)) {
      return [
        `count(${column}) AS n${i}`,
        `coalesce(sum(${column}::DOUBLE), 0) AS s${i}`,
        range === undefined ? `min(${column})::DOUBLE AS l${i}` : `'${range.low}'::DOUBLE AS l${i}`,
        range === undefined ? `max(${column})::DOUBLE AS h${i}` : `'${range.high}'::DOUBLE AS h${i}`,
      ];
    }
    const finite = `FILTER (WHERE isfinite(${column}))`;
    return [
      `count(${column}) AS n${i}`,
      `coalesce(sum(${column}::DOUBLE) ${finite}, 0) AS s${i}`,
      `min(${column}::DOUBLE) ${finite} AS l${i}`,
      `max(${column}::DOUBLE) ${finite} AS h${i}`,
      `count(*) FILTER (WHERE isnan(${column})) AS a${i}`,
      `count(*) FILTER (WHERE isinf(${column})) AS f${i}`,
    ];
  });
  const row: Record<string, Cell> = {};
  for (let from = 0; from < Math.max(1, aggregates.length); from += AGGREGATES_PER_QUERY) {
    const part = ['count(*) AS n', ...aggregates.slice(from, from + AGGREGATES_PER_QUERY)];
    const [found] = await database.rows(`SELECT ${part.join(', ')} FROM read_parquet(${fileLiteral(request.file)})`);
    Object.assign(row, found);
  }
  const problems: string[] = [];
  const compare = (what: string, wanted: bigint | number | undefined, found: Cell | undefined, tolerance = 0): void => {
    if (wanted === undefined) return;
    const same =
      typeof wanted === 'bigint'
        ? String(found) === String(wanted)
        : found !== null && Math.abs(Number(found) - wanted) <= tolerance;
    if (!same) problems.push(`${what} is ${String(found)} in the parquet file, ${String(wanted)} were read`);
  };
  compare('the number of rows', expected.rowCount, row.n);
  request.columns.forEach(({ name, type }, i) => {
    const facts = expected.columns[i];
    if (facts === undefined) return;
    compare(`the number of values of "${name}"`, expected.rowCount - facts.nullCount, row[`n${i}`]);
    // Both sums round, in different orders: 1e-9 of the sum of absolute values is far above that and far below a lost value.
    compare(`the sum of "${name}"`, facts.sum, row[`s${i}`], isFloat(type) ? facts.scale * 1e-9 : 0);
    if (type === 'VARCHAR') return;
    compare(`the minimum of "${name}"`, facts.min, row[`l${i}`]);
    compare(`the maximum of "${name}"`, facts.max, row[`h${i}`]);
    if (!isFloat(type) || row[`a${i}`] === undefined) return;
    compare(`the number of NaN in "${name}"`, facts.nanCount, row[`a${i}`]);
    compare(`the number of infinite values in "${name}"`, facts.infiniteCount, row[`f${i}`]);
  });
  return problems;
}

interface StoredRange {
  readonly low: number;
  readonly high: number;
}

/**
 * The range of each column of floats or 32-bit integers by the statistics in the file, where each row group has them:
 * DuckDB's min and max of floats, which look out for NaN, take as long as all else that is checked of a column, those of
 * integers as long as their sum.
 */
async function storedRanges(database: Database, file: string): Promise<ReadonlyMap<string, StoredRange>> {
  const exact = (text: string): string =>
    `CASE type WHEN 'FLOAT' THEN CAST(TRY_CAST(${text} AS FLOAT) AS DOUBLE) ELSE TRY_CAST(${text} AS DOUBLE) END`;
  const rows = await database.rows(
    `SELECT path_in_schema AS name, min(low) AS low, max(high) AS high
FROM (SELECT path_in_schema, ${exact('stats_min_value')} AS low, ${exact('stats_max_value')} AS high FROM parquet_metadata(${fileLiteral(file)}) WHERE type IN ('FLOAT', 'DOUBLE', 'INT32'))
GROUP BY path_in_schema
HAVING count(low) = count(*) AND count(high) = count(*)`,
  );
  return new Map(rows.map(({ name, low, high }) => [String(name), { low: Number(low), high: Number(high) }]));
}
