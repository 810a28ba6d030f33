import type { ElementSchema } from '../../../domain/convert.js';
import { DiagnosticError, fail, messageOf, type Result, succeed } from '../../../domain/diagnostic.js';
import { fileLiteral } from '../../../domain/names.js';
import { storedType } from '../../../domain/type-guard.js';
import type { Database } from '../../../effects/duckdb.js';
import { storedHead } from '../../compression/index.js';
import { type ConvertEffects, convertError, type RawFile } from '../../format.js';
import { columnNames } from '../../names.js';
import { rowsOf } from './facts.js';

/** A file whose footer is encrypted begins with these. */
const ENCRYPTED = 'PARE';

/** A column as the file has it, and as the lake will. */
export interface PlannedColumn {
  /** As the file spells it. */
  readonly original: string;
  /** As DuckDB calls it when it reads the file. */
  readonly read: string;
  readonly name: string;
  readonly type: string;
  /** What the lake can hold of the type. */
  readonly stored: string;
}

/** What becomes of one file. */
export interface Plan {
  readonly schema: ElementSchema;
  readonly columns: readonly PlannedColumn[];
  readonly warnings: readonly string[];
}

/** Columns of a file from its footer alone. @param table  what the table is called */
export async function planOf(raw: RawFile, database: Database, table: string): Promise<Result<Plan>> {
  const nodes = await database.rows(
    `SELECT name, num_children, duckdb_type, logical_type FROM parquet_schema(${fileLiteral(raw.file)})`,
  );
  if (nodes.length < 2) return fail(unreadable(raw, 'its footer names no columns'));
  const found = await database.describe(`SELECT * FROM ${rowsOf(raw.file)}`);
  const top = topNodes(
    nodes.map((row) => ({
      name: String(row.name),
      childCount: Number(row.num_children ?? 0),
      // DuckDB reads a column of NULLs only as INTEGER.
      isNull: row.duckdb_type === '"NULL"',
      hasNanoseconds: /^TimeType.*NANO/i.test(String(row.logical_type)),
    })),
  );
  // DuckDB renames what clashes in its own way; the order is that of the file.
  const names = columnNames(found.map(({ name }, i) => top[i]?.name ?? name));
  const refused: string[] = [];
  const warnings: string[] = [];
  const columns = found.map(({ name: read, type: asRead }, i): PlannedColumn => {
    const original = top[i]?.name ?? read;
    const name = names[i] ?? read;
    const type = top[i]?.isNull === true ? 'NULL' : asRead;
    const stored = storedType(type);
    if (top[i]?.hasNanoseconds === true) warnings.push(`column "${original}" is read as TIME: nanoseconds are cut off`);
    if (name !== original) warnings.push(`column "${original}" is called "${name}"`);
    if (stored.type === 'refused') refused.push(`column "${original}" is ${type}: ${stored.why}`);
    if (stored.type !== 'cast') return { original, read, name, type, stored: type };
    warnings.push(`column "${original}" is stored as ${stored.to}: ${stored.why}`);
    return { original, read, name, type, stored: stored.to };
  });
  if (refused.length > 0) {
    return fail(
      ...refused.map((what) =>
        convertError('SL0656', `${raw.displayName}: ${what}`, 'write the file with another type for it'),
      ),
    );
  }
  return succeed({
    schema: {
      path: 'table',
      table,
      kind: 'table',
      columns: columns.map(({ name, stored }) => ({ name, type: stored })),
    },
    columns,
    warnings,
  });
}

/** The columns themselves, out of a schema that lists a node before what is inside it. */
function topNodes<T extends { readonly childCount: number }>(nodes: readonly T[]): readonly T[] {
  const top: T[] = [];
  for (let at = 1; at < nodes.length; ) {
    const node = nodes[at];
    if (node !== undefined) top.push(node);
    for (let open = 1; open > 0 && at < nodes.length; at++) open += (nodes[at]?.childCount ?? 0) - 1;
  }
  return top;
}

/** Opens a database for one file; DuckDB's errors about the file become ours. */
export async function withDatabase<T>(
  raw: RawFile,
  effects: ConvertEffects,
  use: (database: Database) => Promise<Result<T>>,
): Promise<Result<T>> {
  if (storedHead(raw.file, 4).toString('latin1') === ENCRYPTED) {
    return fail(convertError('SL0655', `${raw.displayName} is encrypted`, 'write it without encryption'));
  }
  const database = await effects.duckdb.open();
  try {
    return await use(database);
  } catch (thrown) {
    if (thrown instanceof DiagnosticError || !isAboutFile(thrown)) throw thrown;
    return fail(unreadable(raw, firstLine(messageOf(thrown)).replace(/"[^"]*"/, 'the file')));
  } finally {
    database.close();
  }
}

/** DuckDB names the kind of its errors; those of our own SQL are our own bugs. */
function isAboutFile(thrown: unknown): boolean {
  return !/^(?:Parser|Binder|Catalog|Syntax) Error/.test(messageOf(thrown));
}

/** SL0655, with what is wrong. */
export function unreadable(raw: RawFile, what: string): ReturnType<typeof convertError> {
  return convertError(
    'SL0655',
    `${raw.displayName} is no parquet file that can be read whole: ${what}`,
    'fetch it again; nothing of it was loaded',
  );
}

/** SL0656 for a value that DuckDB refused to cast. */
export function castError(raw: RawFile, what: string): ReturnType<typeof convertError> {
  return convertError(
    'SL0656',
    `${raw.displayName} holds a value that the lake cannot: ${what}`,
    'write the file with another type for it',
  );
}

/** SL0690: what was written is not what was read. */
export function lost(raw: RawFile): ReturnType<typeof convertError> {
  return convertError(
    'SL0690',
    `${raw.displayName}: the parquet file differs from what was read`,
    'please report this',
  );
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

/** Of DuckDB, for manifests. */
export async function versionOf(database: Database): Promise<string> {
  const [row] = await database.rows('SELECT version() AS v');
  return String(row?.v);
}
