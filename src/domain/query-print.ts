import type { Column } from './column.js';

/**
 * What a bound query says about itself: where each output column and the row set come from, and a hash of how. Two
 * queries with equal hashes over equal parents give equal rows, however they are written.
 */
export interface QueryPrint {
  /** The set of rows, regardless of the values in them: scans, joins, filters, groups, limits. */
  readonly rows: PartPrint;
  /** The order that the query asks for; empty when it asks for none. Rows of a table have no order, so nothing downstream depends on it. */
  readonly order: string;
  readonly columns: readonly ColumnPrint[];
  /** Tables that are read, by key, sorted. */
  readonly tables: readonly string[];
  /** The same in the order in which the plan meets them: hashes name a table by its place here, so that a table may be renamed. */
  readonly leaves: readonly string[];
  /** Columns (`schema.table.column`) that decide which rows there are: filters, joins, groups, distinct, unnest, sorted. */
  readonly rowSources: readonly string[];
  /** In which ways each of them does. */
  readonly rowKinds: Readonly<Record<string, readonly RowKind[]>>;
  /** Functions that give another value at each call, by name. */
  readonly volatile: readonly string[];
}

/** How a column enters a value, from the plainest on. */
export const valueKinds = ['copy', 'expression', 'window', 'aggregate'] as const;
export type ValueKind = (typeof valueKinds)[number];

/** How a column decides which rows there are. */
export type RowKind = 'filter' | 'join' | 'group' | 'distinct' | 'order' | 'unnest' | 'set operation';

/** One hashed part with everything it is computed from, one level up. */
export interface PartPrint {
  readonly hash: string;
  /** Tables whose row set it depends on. */
  readonly rowSets: readonly string[];
  /** Columns (`schema.table.column`) it depends on, in values or through conditions. */
  readonly columns: readonly string[];
}

export interface ColumnPrint extends PartPrint, Column {
  /** Columns in the expression of its value; CASE conditions, window partitions and aggregate filters count, joins and WHERE do not. */
  readonly sources: readonly string[];
  /** In which way each of them enters, the furthest from a copy where there are several. */
  readonly kinds: Readonly<Record<string, ValueKind>>;
}

/** A print, or why there is none: an unknown operator is never guessed at. */
export type Lineage =
  | { readonly known: true; readonly print: QueryPrint }
  | {
      readonly known: false;
      readonly reason: string;
      readonly tables: readonly string[];
      readonly columns: readonly Column[];
      readonly textHash: string;
    };

/** The full name of a column, the element of every lineage set. */
export function columnKey(table: string, column: string): string {
  const lower = column.toLowerCase();
  return `${table}.${lower.includes('.') ? `"${lower.replaceAll('"', '""')}"` : lower}`;
}
