import type { Column } from '../domain/column.js';
import { ident } from '../domain/names.js';
import type { Cell, Database } from '../effects/duckdb.js';

/** Two tables, and how their rows are paired. */
export interface ComparisonRequest {
  /** What stands behind FROM. */
  readonly source: string;
  readonly target: string;
  /** Columns that say which rows belong together; none: only columns and counts are compared. */
  readonly key: readonly string[];
  readonly skippedColumns: readonly string[];
  /** A condition on either table's own columns. */
  readonly where?: string;
  /** Digits behind the point that count. */
  readonly decimals: number;
  /** How many rows of each sort are shown; 0 for none. */
  readonly sampleSize: number;
  readonly checksGrain: boolean;
}

export interface SchemaDifference {
  readonly added: readonly Column[];
  readonly removed: readonly Column[];
  readonly modified: readonly { readonly name: string; readonly from: string; readonly to: string }[];
}

/** Rows by how they pair. Each joined pair counts as one. */
export interface RowComparison {
  readonly joined: number;
  readonly fullMatch: number;
  readonly partialMatch: number;
  readonly sourceOnly: number;
  readonly targetOnly: number;
  /** Joined rows in which a column is equal, by column. */
  readonly matches: Readonly<Record<string, number>>;
  readonly samples: Samples;
}

export interface Samples {
  /** Joined rows that differ: their key, and both values of each column that does. */
  readonly partial: readonly {
    readonly key: Readonly<Record<string, Cell>>;
    readonly columns: Readonly<Record<string, readonly [Cell, Cell]>>;
  }[];
  readonly sourceOnly: readonly Readonly<Record<string, Cell>>[];
  readonly targetOnly: readonly Readonly<Record<string, Cell>>[];
}

export interface TableComparison {
  readonly schema: SchemaDifference;
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly rows:
    | RowComparison
    /** Rows are not paired: a key column is missing, or several rows have one key. */
    | { readonly problem: string }
    | undefined;
}

/** A column of both tables, in the terms in which it is compared. */
interface Pair {
  readonly name: string;
  readonly source: string;
  readonly target: string;
}

/**
 * Compares two tables: columns by name, then rows, paired by key. NULL equals NULL, in keys too. Fractions are equal when
 * they are up to the given decimals; columns of different types are compared as numbers where both are numbers, else as text.
 */
export async function compareTables(database: Database, request: ComparisonRequest): Promise<TableComparison> {
  const [before, after] = [
    await database.describe(`SELECT * FROM ${request.source}`),
    await database.describe(`SELECT * FROM ${request.target}`),
  ];
  const where = request.where === undefined ? '' : ` WHERE (${request.where}\n)`;
  const count = async (table: string): Promise<number> => {
    const [row] = await database.rows(`SELECT count(*) AS n FROM ${table}${where}`);
    return Number(row?.n);
  };
  const comparison = {
    schema: schemaDifference(before, after),
    sourceRows: await count(request.source),
    targetRows: await count(request.target),
  };
  if (request.key.length === 0) return { ...comparison, rows: undefined };
  // Keys count to the last digit: rounding could make one of two.
  const key = pairsOf(request.key, before, after, undefined);
  const missing = request.key.filter((name) => !key.some((pair) => isSameName(pair.name, name)));
  if (missing.length > 0)
    return { ...comparison, rows: { problem: `both tables need the key column ${missing.join(', ')}` } };
  const names = before
    .map((column) => column.name)
    .filter((name) => ![...request.key, ...request.skippedColumns].some((other) => isSameName(other, name)));
  const pairs = pairsOf(names, before, after, request.decimals);
  const sides = withClause(request, { key, pairs, where });
  if (request.checksGrain) {
    const repeated = await repeatedKeys(database, sides, key);
    if (repeated !== undefined) return { ...comparison, rows: { problem: repeated } };
  }
  return { ...comparison, rows: await compareRows(database, { request, sides, key, pairs }) };
}

function schemaDifference(before: readonly Column[], after: readonly Column[]): SchemaDifference {
  const find = (columns: readonly Column[], name: string): Column | undefined =>
    columns.find((column) => isSameName(column.name, name));
  return {
    added: after.filter((column) => find(before, column.name) === undefined),
    removed: before.filter((column) => find(after, column.name) === undefined),
    modified: before.flatMap((column) => {
      const other = find(after, column.name);
      return other === undefined || other.type === column.type
        ? []
        : [{ name: column.name, from: column.type, to: other.type }];
    }),
  };
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

const numeric = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const fractional = /^(?:FLOAT|DOUBLE|DECIMAL\(\d+,[1-9]\d*\))$/;

/** Columns that both tables have. */
function pairsOf(
  names: readonly string[],
  before: readonly Column[],
  after: readonly Column[],
  decimals: number | undefined,
): readonly Pair[] {
  return names.flatMap((name) => {
    const source = before.find((column) => isSameName(column.name, name));
    const target = after.find((column) => isSameName(column.name, name));
    if (source === undefined || target === undefined) return [];
    const isNumeric = numeric.test(source.type) && numeric.test(target.type);
    const isFractional = isNumeric && (fractional.test(source.type) || fractional.test(target.type));
    const term = ({ name: column }: Column): string =>
      isFractional && decimals !== undefined
        ? `round(${ident(column)}, ${decimals})`
        : isNumeric || source.type === target.type
          ? ident(column)
          : `CAST(${ident(column)} AS VARCHAR)`;
    return [{ name: source.name, source: term(source), target: term(target) }];
  });
}

function withClause(
  { source, target }: ComparisonRequest,
  { key, pairs, where }: { readonly key: readonly Pair[]; readonly pairs: readonly Pair[]; readonly where: string },
): string {
  const side = (table: string, of: 'source' | 'target'): string => {
    const columns = [
      ...key.map((pair, at) => `${pair[of]} AS k${at}`),
      ...pairs.map((pair, at) => `${pair[of]} AS c${at}`),
      'TRUE AS here',
    ];
    return `(\n  SELECT ${columns.join(', ')}\n  FROM ${table}${where}\n)`;
  };
  return `WITH s AS ${side(source, 'source')}, t AS ${side(target, 'target')}`;
}

async function repeatedKeys(database: Database, sides: string, key: readonly Pair[]): Promise<string | undefined> {
  const columns = key.map((_, at) => `k${at}`).join(', ');
  const repeated = (side: string): string =>
    `(SELECT count(*) FROM (SELECT 1 FROM ${side} GROUP BY ${columns} HAVING count(*) > 1))`;
  const [row] = await database.rows(`${sides}\nSELECT ${repeated('s')} AS source, ${repeated('t')} AS target`);
  const [source, target] = [Number(row?.source), Number(row?.target)];
  if (source + target === 0) return undefined;
  const names = key.map((pair) => pair.name).join(', ');
  const where = [
    ...(source > 0 ? [`${source} in the source`] : []),
    ...(target > 0 ? [`${target} in the target`] : []),
  ];
  return `several rows have the same ${names}: ${where.join(', ')}`;
}

interface RowsRequest {
  readonly request: ComparisonRequest;
  readonly sides: string;
  readonly key: readonly Pair[];
  readonly pairs: readonly Pair[];
}

async function compareRows(database: Database, rows: RowsRequest): Promise<RowComparison> {
  const { sides, key, pairs, request } = rows;
  const condition = key.map((_, at) => `s.k${at} IS NOT DISTINCT FROM t.k${at}`).join(' AND ');
  const isEqual = pairs.map((_, at) => `s.c${at} IS NOT DISTINCT FROM t.c${at}`);
  const isFull = ['s.here', 't.here', ...isEqual].join(' AND ');
  const joined = `FROM s FULL JOIN t ON ${condition}`;
  const [counts] = await database.rows(
    `${sides}\nSELECT ${[
      'count(*) FILTER (s.here AND t.here) AS joined',
      `count(*) FILTER (${isFull}) AS full_match`,
      'count(*) FILTER (t.here IS NULL) AS source_only',
      'count(*) FILTER (s.here IS NULL) AS target_only',
      ...isEqual.map((equal, at) => `count(*) FILTER (s.here AND t.here AND ${equal}) AS m${at}`),
    ].join(', ')}\n${joined}`,
  );
  const number = (name: string): number => Number(counts?.[name]);
  const differs = isEqual.length === 0 ? 'FALSE' : `NOT (${isEqual.join(' AND ')})`;
  return {
    joined: number('joined'),
    fullMatch: number('full_match'),
    partialMatch: number('joined') - number('full_match'),
    sourceOnly: number('source_only'),
    targetOnly: number('target_only'),
    matches: Object.fromEntries(pairs.map((pair, at) => [pair.name, number(`m${at}`)])),
    samples:
      request.sampleSize === 0
        ? { partial: [], sourceOnly: [], targetOnly: [] }
        : await readSamples(database, { ...rows, from: `${sides}\nSELECT`, joined, differs }),
  };
}

async function readSamples(
  database: Database,
  {
    request,
    key,
    pairs,
    from,
    joined,
    differs,
  }: RowsRequest & { readonly from: string; readonly joined: string; readonly differs: string },
): Promise<Samples> {
  const order = `ORDER BY ALL LIMIT ${request.sampleSize}`;
  const { rows } = await database.table(
    `${from} ${[
      ...key.map((_, at) => `s.k${at}`),
      ...pairs.flatMap((_, at) => [`s.c${at}`, `t.c${at}`, `s.c${at} IS NOT DISTINCT FROM t.c${at}`]),
    ].join(', ')}\n${joined}\nWHERE s.here AND t.here AND ${differs}\n${order}`,
  );
  const partial = rows.map((row) => ({
    key: Object.fromEntries(key.map((pair, at) => [pair.name, row[at] ?? null])),
    columns: Object.fromEntries(
      pairs.flatMap((pair, at): readonly (readonly [string, readonly [Cell, Cell]])[] => {
        const first = key.length + 3 * at;
        return row[first + 2] === true ? [] : [[pair.name, [row[first] ?? null, row[first + 1] ?? null]]];
      }),
    ),
  }));
  const only = async (side: 's' | 't'): Promise<readonly Readonly<Record<string, Cell>>[]> => {
    const columns = [...key.map((_, at) => `${side}.k${at}`), ...pairs.map((_, at) => `${side}.c${at}`)];
    const found = await database.table(
      `${from} ${columns.join(', ')}\n${joined}\nWHERE ${side === 's' ? 't' : 's'}.here IS NULL\n${order}`,
    );
    const names = [...key, ...pairs].map((pair) => pair.name);
    return found.rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])));
  };
  return { partial, sourceOnly: await only('s'), targetOnly: await only('t') };
}
