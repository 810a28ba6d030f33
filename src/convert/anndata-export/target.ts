import { type Diagnostic, DiagnosticError } from '../../domain/diagnostic.js';
import { ident } from '../../domain/names.js';
import type { WritableColumn } from '../../effects/column-facts.js';
import type { Database } from '../../effects/duckdb.js';
import type { Hdf5Writer } from '../../effects/hdf5-writer.js';
import { convertError } from '../format.js';
import { readableAs } from './encode.js';
import type { ManifestElement } from './manifest.js';

/** What an export reads from and writes to. */
export interface ExportTarget {
  readonly database: Database;
  readonly writer: Hdf5Writer;
  /** How diagnostics call what is exported. */
  readonly displayName: string;
  /** SQL of the table of an element: `read_parquet('…')`, or a qualified name. */
  relation(element: ManifestElement): string;
  /** Something that AnnData cannot hold as it is; one sentence. */
  warn(message: string): void;
}

/** An error at an element, to be thrown. */
export function exportError(
  { displayName }: Pick<ExportTarget, 'displayName'>,
  at: { readonly code: `SL06${string}`; readonly path: string; readonly message: string; readonly hint?: string },
): DiagnosticError {
  const problem: Diagnostic = convertError(at.code, `${displayName}: ${at.path} ${at.message}`, at.hint);
  return new DiagnosticError([problem]);
}

/** A column as it is read: its name in SQL, and the type in which DuckDB hands it over. */
export interface ReadColumn extends WritableColumn {
  readonly expression: string;
  /** Cast on the way, because HDF5 has no such type. */
  readonly isCast: boolean;
}

/** The columns of a relation, as they can be read. */
export async function readableColumns(target: ExportTarget, element: ManifestElement): Promise<readonly ReadColumn[]> {
  const columns = await target.database.describe(`SELECT * FROM ${target.relation(element)}`);
  return columns.map(({ name, type }) => {
    const readable = readableAs(type);
    const column = ident(name);
    const expression =
      readable.cast === undefined ? column : `CAST(${column} AS ${readable.cast === 'text' ? 'VARCHAR' : 'DOUBLE'})`;
    return { name, type: readable.type, expression, isCast: readable.cast !== undefined };
  });
}
