import * as path from 'node:path';
import type { ElementSchema } from '../domain/convert.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import { fileLiteral, ident } from '../domain/names.js';
import { checkParquet } from '../effects/check-parquet.js';
import type { Database } from '../effects/duckdb.js';
import { type RowBlock, type WritableColumn, writeParquet } from '../effects/parquet-writer.js';
import { convertError, type Progress } from './format.js';
import type { JsonObject } from './json.js';
import type { KeptElements, WrittenPart } from './written-part.js';

/** A table that is going to be written: its schema is known, its rows can be had block by block. */
export interface PlannedElement {
  readonly schema: ElementSchema & { readonly columns: readonly WritableColumn[] };
  /** How many rows `blocks` gives, when the file's metadata says so. */
  readonly rowCount?: number;
  /** No block ever has a NULL. */
  readonly neverNull?: boolean;
  /** Rows in their final order. Reads the file; throws `DiagnosticError`, or an error of the reader. */
  blocks(): Iterable<RowBlock>;
  /** The element's entry in the manifest, beside path, file and rows. May read categories and the like. */
  describe(): JsonObject;
  /** A column whose values ought to differ from row to row; a warning says when they do not. */
  readonly nameColumn?: string;
}

/**
 * Writes elements one after another, compares each with what was read, and describes them for the manifest. Those that an
 * earlier try finished are taken as they are.
 *
 * @throws DiagnosticError (SL0690) when a parquet file does not hold what was handed to the writer
 */
export async function writeElements(
  elements: readonly PlannedElement[],
  target: {
    readonly database: Database;
    readonly folder: string;
    readonly displayName: string;
    readonly progress?: Progress | undefined;
    readonly kept?: KeptElements | undefined;
  },
): Promise<readonly WrittenPart[]> {
  const { database, folder, displayName, progress, kept } = target;
  // Rows come from one thread. With more of them DuckDB took 18 CPU seconds and 25 s for 50 million entries, with one 11 and 15.
  await database.run('SET threads = 1');
  // It keeps what of a file has been read for the next one who asks. A written file is read back once: 100 MB of 500 million
  // entries stayed in memory for nobody.
  await database.run('SET enable_external_file_cache = false');
  const parts: WrittenPart[] = [];
  const total = elements.reduce((rows, element) => rows + (element.rowCount ?? 0), 0);
  let done = 0;
  const report = (rows: number, path: string): void => {
    done += rows;
    progress?.(done, Math.max(done, total), 'rows', path);
  };
  function* counted(blocks: Iterable<RowBlock>, path: string): Iterable<RowBlock> {
    for (const block of blocks) {
      yield block;
      report(block.rowCount, path);
    }
  }
  for (const element of elements) {
    const { schema } = element;
    const finished = await kept?.find(schema.table);
    if (finished !== undefined && finished.element.path === schema.path) {
      parts.push(finished);
      report(finished.element.rows, schema.path);
      continue;
    }
    const fileName = `${schema.table}.parquet`;
    const request = {
      file: path.join(folder, fileName),
      columns: schema.columns,
      blocks: counted(element.blocks(), schema.path),
      neverNull: element.neverNull === true,
    };
    const facts = await writeParquet(database, request);
    const problems = [...(await checkParquet(database, request, facts))];
    if (element.rowCount !== undefined && facts.rowCount !== element.rowCount) {
      problems.push(`${facts.rowCount} rows were read, the metadata promise ${element.rowCount}`);
    }
    if (problems.length > 0) {
      throw new DiagnosticError(
        problems.map((problem) =>
          convertError('SL0690', `${displayName}: ${schema.path}: ${problem}`, 'please report this'),
        ),
      );
    }
    const warnings =
      element.nameColumn === undefined
        ? []
        : await duplicates(database, { ...facts, file: request.file, path: schema.path, column: element.nameColumn });
    const part: WrittenPart = {
      element: { ...schema, file: fileName, rows: facts.rowCount },
      manifest: { path: schema.path, file: fileName, ...element.describe(), rows: facts.rowCount },
      warnings,
    };
    await kept?.keep(part);
    parts.push(part);
  }
  return parts;
}

/** Names that are held against each other at once. */
const NAMES_PER_PART = 1 << 16;
const MOST_PARTS = 16;

/** Counts a long column in parts, by a hash of its values, so that memory is that of one part. */
async function duplicates(
  database: Database,
  names: { readonly file: string; readonly path: string; readonly column: string; readonly rowCount: number },
): Promise<readonly string[]> {
  const { file, path: at, rowCount } = names;
  const column = ident(names.column);
  const parts = Math.min(MOST_PARTS, Math.ceil(rowCount / NAMES_PER_PART));
  let distinct = 0;
  for (let part = 0; part < parts; part++) {
    const [row] = await database.rows(
      `SELECT count(DISTINCT ${column}) AS n FROM read_parquet(${fileLiteral(file)}) WHERE hash(${column}) % ${parts} = ${part}`,
    );
    distinct += Number(row?.n ?? 0);
  }
  const count = rowCount - distinct;
  return count === 0
    ? []
    : [`${at}: ${count} values of ${names.column} are duplicates; join by the index column, not by name`];
}
