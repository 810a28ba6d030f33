import type { Column } from '../domain/column.js';
import { asText, listItems } from '../domain/fragment.js';
import type { Interval } from '../domain/interval.js';
import { ident, literal } from '../domain/names.js';
import { insertStatement, type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/**
 * `INCREMENTAL_BY_TIME_RANGE`: rows belong to intervals by a time column; an interval is replaced as a whole. Rows that
 * the query gives outside the interval are dropped, so that a query without its own bounds cannot write elsewhere.
 */
export const incrementalByTimeRange: KindDefinition = {
  names: ['INCREMENTAL_BY_TIME_RANGE'],
  read(properties) {
    const declared = properties.required('time_column', 'name the column that says when a row is from: time_column ds');
    const [column, format] = declared === undefined ? [] : listItems(declared).map(asText);
    const timeColumn = column ?? '';
    const timeFormat = format ?? '%Y-%m-%d';
    const lookback = properties.count('lookback', 0) ?? 0;
    const batchSize = properties.count('batch_size', 1);
    const batchConcurrency = properties.count('batch_concurrency', 1) ?? 1;
    const partitionByTimeColumn = properties.flag('partition_by_time_column', true);
    const shared = readIncrementalProperties(properties);
    return {
      ...ordinaryKind,
      ...shared,
      name: 'INCREMENTAL_BY_TIME_RANGE',
      history: 'intervals',
      rowProperties: { timeColumn: timeColumn.toLowerCase(), timeFormat, lookback },
      metadataProperties: {
        ...shared.metadataProperties,
        batchSize: batchSize ?? null,
        batchConcurrency,
        partitionByTimeColumn,
      },
      lookback,
      timeColumn,
      ...(batchSize === undefined ? {} : { batchSize }),
      fill({ target, columns, query, interval, isEmpty }) {
        const range = timeGuard(timeColumn, timeFormat, columns, interval);
        const guarded = `SELECT *\nFROM (${query}\n) AS unguarded\nWHERE ${range}`;
        return [
          ...(isEmpty
            ? []
            : [{ type: 'write', sql: `DELETE FROM ${target}\nWHERE ${range}`, countsRows: false } as const]),
          { type: 'write', sql: insertStatement(target, columns, guarded), countsRows: true },
        ];
      },
    };
  },
};

/**
 * The condition that a row lies in the interval. The column is compared in its own type with literals, which lets
 * DuckLake leave out files by their statistics; text and integer columns are compared in the declared format.
 */
export function timeGuard(column: string, format: string, columns: readonly Column[], interval: Interval): string {
  const type = timeType(
    columns.find((candidate) => candidate.name.toLowerCase() === column.toLowerCase())?.type ?? 'TIMESTAMP',
  );
  const start = timestampLiteral(interval.start);
  const end = timestampLiteral(interval.end);
  const name = ident(column);
  if (type === 'DATE' && interval.start % 86_400_000 === 0 && interval.end % 86_400_000 === 0) {
    return `${name} >= CAST(${start} AS DATE) AND ${name} < CAST(${end} AS DATE)`;
  }
  if (type === 'TIMESTAMP WITH TIME ZONE')
    return `${name} >= ${start}::TIMESTAMP AT TIME ZONE 'UTC' AND ${name} < ${end}::TIMESTAMP AT TIME ZONE 'UTC'`;
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) return `${name} >= ${start} AND ${name} < ${end}`;
  const parsed = `strptime(CAST(${name} AS VARCHAR), ${literal(format)})`;
  return `${parsed} >= ${start} AND ${parsed} < ${end}`;
}

/** A type as DuckDB prints it, of one that a header may declare in any of its spellings. */
function timeType(declared: string): string {
  const type = declared.trim().toUpperCase().replace(/\s+/g, ' ');
  if (type === 'TIMESTAMPTZ') return 'TIMESTAMP WITH TIME ZONE';
  return type === 'DATETIME' ? 'TIMESTAMP' : type;
}

function timestampLiteral(instant: number): string {
  return `TIMESTAMP ${literal(new Date(instant).toISOString().replace('T', ' ').replace('Z', ''))}`;
}
