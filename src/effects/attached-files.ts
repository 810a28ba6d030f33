import * as path from 'node:path';
import { DiagnosticError, messageOf } from '../domain/diagnostic.js';
import { ident, literal } from '../domain/names.js';
import { type AttachedCatalog, attachedName } from '../domain/project.js';
import type { Database } from './duckdb.js';
import type { Files } from './files.js';

/** A DuckDB file as it is attached. */
export interface AttachedFile {
  readonly alias: string;
  /** Absolute. */
  readonly path: string;
}

/** The catalogs whose files are there. One that SQLMesh would make at its first run is not. */
export function filesOf(
  catalogs: readonly AttachedCatalog[],
  { projectFolder, files }: { readonly projectFolder: string; readonly files: Files },
): readonly AttachedFile[] {
  return catalogs
    .map((catalog) => ({ alias: attachedName(catalog), path: path.resolve(projectFolder, catalog.path) }))
    .filter((file) => files.facts(file.path) !== undefined);
}

/**
 * Attaches DuckDB files for reading.
 *
 * @throws DiagnosticError SL0713 for one that cannot be read, or that another program writes to
 */
export async function attachFiles(database: Database, attached: readonly AttachedFile[]): Promise<void> {
  for (const file of attached) {
    try {
      await database.run(`ATTACH ${literal(file.path)} AS ${ident(file.alias)} (READ_ONLY)`);
    } catch (thrown) {
      throw new DiagnosticError(
        [
          {
            code: 'SL0713',
            severity: 'error',
            message: `${file.path} cannot be read: ${messageOf(thrown).split('\n')[0]}`,
            hint: 'close the program that writes to it, or take it out of the connection in the settings',
          },
        ],
        { cause: thrown },
      );
    }
  }
}
