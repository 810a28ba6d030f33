import type { Column } from '../domain/column.js';
import type { Lineage } from '../domain/query-print.js';

/** What DuckDB and the walk over its plan said of a query. */
export interface Binding {
  readonly columns: readonly Column[];
  readonly lineage: Lineage;
}
