import { DiagnosticError } from '../domain/diagnostic.js';
import { didYouMean } from '../domain/near-miss.js';
import { convertError, type FormatOption, type RawFile } from './format.js';
import { sortMemoryBytes } from './sort-memory.js';

/** One table of a matrix of cells by genes: what its rows are sorted by, and whether the main table stands beside it. */
export interface MatrixTable {
  readonly sortedBy: 'gene' | 'cell';
  readonly role: 'main' | 'copy';
}

/** How the matrices of cells by genes are written. */
export interface MatrixOptions {
  readonly sortMemoryBytes: number;
  readonly matrixTables: readonly MatrixTable[];
}

const ORDERS: Readonly<Record<string, readonly MatrixTable[]>> = {
  gene: [{ sortedBy: 'gene', role: 'main' }],
  cell: [{ sortedBy: 'cell', role: 'main' }],
  both: [
    { sortedBy: 'gene', role: 'main' },
    { sortedBy: 'cell', role: 'copy' },
  ],
};

/** The option of every format that makes matrices of cells by genes. */
export const xOrderOption: FormatOption = {
  name: 'x_order',
  meaning:
    'what X, layers and raw/X are sorted by: gene (default), cell, or both, which adds X_by_cell and the like beside them',
};

/**
 * What the options of a matrix-making format say.
 *
 * @throws DiagnosticError (SL0606) for a value that an option cannot have
 */
export function matrixOptions(raw: RawFile): MatrixOptions {
  const wanted = raw.options.x_order ?? 'gene';
  const matrixTables = Object.hasOwn(ORDERS, wanted.toLowerCase()) ? ORDERS[wanted.toLowerCase()] : undefined;
  if (matrixTables === undefined) {
    const known = Object.keys(ORDERS);
    throw new DiagnosticError([
      convertError(
        'SL0606',
        `${raw.displayName}: option x_order cannot be "${wanted}"`,
        didYouMean(wanted, known) ?? `it is one of ${known.join(', ')}`,
      ),
    ]);
  }
  return { sortMemoryBytes: sortMemoryBytes(raw), matrixTables };
}

/** Where a table of the matrix at `path` stands: a copy is no element of AnnData, so it stands below `by_cell`. */
export function matrixPath(path: string, { role }: MatrixTable): string {
  return role === 'main' ? path : `by_cell/${path}`;
}

/** The name of its table, given that of the main one. */
export function matrixTableName(table: string, { role }: MatrixTable): string {
  return role === 'main' ? table : `${table}_by_cell`;
}

/** What the manifest says of a table that is not the usual one, sorted by gene. */
export function describeOrder(
  path: string,
  { sortedBy, role }: MatrixTable,
): { readonly sorted_by?: readonly string[]; readonly copy_of?: string } {
  return {
    ...(sortedBy === 'gene' ? {} : { sorted_by: ['cell_idx', 'gene_idx'] }),
    ...(role === 'main' ? {} : { copy_of: path }),
  };
}
