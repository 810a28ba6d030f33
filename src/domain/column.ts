/** A column of a table or of a query's result. */
export interface Column {
  readonly name: string;
  /** DuckDB type, as DESCRIBE prints it. */
  readonly type: string;
}

/** Columns by lower-case name: DuckDB compares names without regard to case. */
export function columnsByName<C extends Column>(columns: readonly C[]): ReadonlyMap<string, C> {
  return new Map(columns.map((column) => [column.name.toLowerCase(), column]));
}
