import type { Column } from './column.js';

/** One table that a raw file holds: an element of AnnData (obs, X, obsm/X_pca) or the file's only table. */
export interface ElementSchema {
  /** Where it stands in the file: `obs`, `X`, `obsm/X_pca`; `table` for a plain table. */
  readonly path: string;
  /** Name of the table it becomes: the stem of its parquet file (`obsm__X_pca`). */
  readonly table: string;
  readonly kind: ElementKind;
  readonly columns: readonly Column[];
}

export type ElementKind = 'table' | 'dataframe' | 'sparse' | 'dense' | 'embedding' | 'pairs' | 'uns';

/** An element as it was written. */
export interface WrittenElement extends ElementSchema {
  /** Parquet file, relative to the output folder. */
  readonly file: string;
  readonly rows: number;
}

/** What a conversion made. */
export interface Conversion {
  readonly format: string;
  readonly elements: readonly WrittenElement[];
  /** Things a reader should know that are not errors, one sentence each. */
  readonly warnings: readonly string[];
}
