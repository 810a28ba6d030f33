import { ident } from '../../../domain/names.js';
import type { Database, Row } from '../../../effects/duckdb.js';

export type TextTableType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP' | 'VARCHAR';

export interface ColumnScan {
  readonly rowCount: number;
  /** Of the columns, in their order. */
  readonly types: readonly TextTableType[];
  readonly facts: readonly TextFacts[];
}

/** What a column of text holds, to be compared with what was written. */
export interface TextFacts {
  readonly valueCount: number;
  readonly textBytes: number;
  /** Of the finite numbers among the values, and of their absolute values. */
  readonly sum: number;
  readonly scale: number;
}

/** A bit for each kind of value that a column can hold. */
const INTEGER = 1;
const LONG_INTEGER = 2;
const NUMBER = 4;
const BOOLEAN = 8;
const DATE = 16;
const TIMESTAMP = 32;
const TEXT = 64;

/**
 * Up to so many columns are aggregated side by side. A wider table is turned into one long column first: DuckDB plans
 * an expression per column, and 8,000 of them took 400 CPU seconds for 5 MB of text.
 */
const MAX_COLUMNS_SIDE_BY_SIDE = 32;

/**
 * Settles the type of every column from all its values. A type is taken only when no value loses anything by it:
 * integers, dates and times must print back as they were written (so `007`, `+1` and `1_000` stay text or become
 * numbers only where that is the same), and an integer beyond 2^53 never becomes a DOUBLE.
 *
 * @param source  a table expression whose columns are all VARCHAR
 */
export async function scanColumns(database: Database, source: string, columns: readonly string[]): Promise<ColumnScan> {
  const { rowCount, rows } = await aggregate(database, source, { columns, values: columns.map(ident), hasKinds: true });
  return { rowCount, types: rows.map((row) => typeOf(row.kinds)), facts: rows };
}

/** The same facts of a typed table, from its values printed as text. */
export async function tableFacts(
  database: Database,
  source: string,
  columns: readonly string[],
): Promise<{ readonly rowCount: number; readonly facts: readonly TextFacts[] }> {
  const values = columns.map((name) => `CAST(${ident(name)} AS VARCHAR)`);
  const { rowCount, rows } = await aggregate(database, source, { columns, values, hasKinds: false });
  return { rowCount, facts: rows };
}

interface Aggregated extends TextFacts {
  readonly kinds: number;
}

async function aggregate(
  database: Database,
  source: string,
  table: { readonly columns: readonly string[]; readonly values: readonly string[]; readonly hasKinds: boolean },
): Promise<{ readonly rowCount: number; readonly rows: readonly Aggregated[] }> {
  const { columns, values, hasKinds } = table;
  if (columns.length <= MAX_COLUMNS_SIDE_BY_SIDE) {
    const aggregates = values.flatMap((value, i) => aggregatesOf(value, hasKinds, String(i)));
    const [row] = await database.rows(`SELECT ${['count(*) AS n', ...aggregates].join(', ')} FROM ${source}`);
    return { rowCount: Number(row?.n ?? 0), rows: columns.map((_, i) => aggregated(row, String(i))) };
  }
  const long = `SELECT unnest(l) AS v, unnest(range(${columns.length})) AS i FROM (SELECT [${values.join(', ')}] AS l FROM ${source})`;
  const found = await database.rows(
    `SELECT i, count(*) AS n, ${aggregatesOf('v', hasKinds, '').join(', ')} FROM (${long}) GROUP BY i`,
  );
  const byColumn = new Map(found.map((row) => [Number(row.i), row]));
  return { rowCount: Number(found[0]?.n ?? 0), rows: columns.map((_, i) => aggregated(byColumn.get(i), '')) };
}

function aggregated(row: Row | undefined, suffix: string): Aggregated {
  const at = (name: string): number => Number(row?.[name + suffix] ?? 0);
  return { kinds: at('k'), valueCount: at('c'), textBytes: at('b'), sum: at('s'), scale: at('a') };
}

function aggregatesOf(value: string, hasKinds: boolean, suffix: string): readonly string[] {
  const number = `TRY_CAST(${value} AS DOUBLE)`;
  return [
    ...(hasKinds
      ? [`coalesce(bit_or(CASE WHEN ${value} IS NULL THEN 0 ELSE ${kindOf(value)} END), 0) AS k${suffix}`]
      : []),
    `count(${value}) AS c${suffix}`,
    `coalesce(sum(strlen(${value})), 0) AS b${suffix}`,
    `coalesce(sum(${number}) FILTER (WHERE isfinite(${number})), 0) AS s${suffix}`,
    `coalesce(sum(abs(${number})) FILTER (WHERE isfinite(${number})), 0) AS a${suffix}`,
  ];
}

/** The bit of one value's kind. */
function kindOf(value: string): string {
  const number = `TRY_CAST(${value} AS DOUBLE)`;
  return `CASE
    WHEN TRY_CAST(${value} AS BIGINT)::VARCHAR = ${value} THEN IF(strlen(${value}) > 15, ${LONG_INTEGER}, ${INTEGER})
    WHEN ${number} IS NOT NULL AND NOT contains(${value}, '_') AND NOT (${value} >= '00' AND ${value} < '0:')
      AND NOT (${value} >= '-00' AND ${value} < '-0:')
      AND (strlen(${value}) <= 15 OR translate(${value}, '.eE', '') <> ${value}) THEN ${NUMBER}
    WHEN lower(${value}) IN ('true', 'false') THEN ${BOOLEAN}
    WHEN TRY_CAST(${value} AS DATE)::VARCHAR = ${value} THEN ${DATE}
    WHEN TRY_CAST(${value} AS TIMESTAMP)::VARCHAR = replace(${value}, 'T', ' ') THEN ${TIMESTAMP}
    ELSE ${TEXT} END`;
}

function typeOf(kinds: number): TextTableType {
  const only = (allowed: number): boolean => kinds !== 0 && (kinds & ~allowed) === 0;
  if (only(INTEGER | LONG_INTEGER)) return 'BIGINT';
  if (only(INTEGER | NUMBER)) return 'DOUBLE';
  if (only(BOOLEAN)) return 'BOOLEAN';
  if (only(DATE)) return 'DATE';
  if (only(TIMESTAMP)) return 'TIMESTAMP';
  return 'VARCHAR';
}
