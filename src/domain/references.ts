import type { MacroCall } from './anndata-macros.js';

/** A table as a query's text names it. */
export interface TableReference {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  readonly alias: string;
  /** Where the name starts, in UTF-8 bytes; undefined where DuckDB does not say. */
  readonly byteOffset: number | undefined;
}

/** A column written with its schema (`schema.table.column`), which only a real table of that name can answer. */
export interface QualifiedColumn {
  readonly schema: string;
  readonly table: string;
  readonly byteOffset: number | undefined;
}

export interface References {
  readonly tables: readonly TableReference[];
  readonly qualifiedColumns: readonly QualifiedColumn[];
  /** Calls of the macros over AnnData whose arguments are constants, so that their tables are known from the text. */
  readonly macroCalls: readonly MacroCall[];
  /** Files that are read by a constant path: as written, globs and addresses included. */
  readonly files: readonly string[];
  /** Whether it reads what its text does not name: calls whose tables only the plan shows, paths that are computed. */
  readonly readsUnnamed: boolean;
}
