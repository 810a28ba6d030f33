import * as path from 'node:path';
import type { ElementSchema } from '../../domain/convert.js';
import { DiagnosticError, fail, messageOf, type Result, succeed } from '../../domain/diagnostic.js';
import { fileLiteral, ident, literal } from '../../domain/names.js';
import { storedType } from '../../domain/type-guard.js';
import type { Database } from '../../effects/duckdb.js';
import { PARQUET_OPTIONS } from '../../effects/parquet-writer.js';
import { storedHead } from '../compression/index.js';
import { type ConvertEffects, convertError, type Format, type RawFile } from '../format.js';
import { columnNames, tableOfFile } from '../names.js';
import { type ColumnFacts, contentHashes, fileFacts, rowsOf } from './parquet/facts.js';
import { wrongPages } from './parquet/pages.js';

const ENDINGS: readonly string[] = ['.parquet', '.parq', '.pq'];
const MAGIC = 'PAR1';
/** A file whose footer is encrypted begins with these instead. */
const ENCRYPTED = 'PARE';

/**
 * Parquet files of any writer. One whose types the lake can hold is kept byte for byte, once every row group has been
 * read; another is written anew.
 */
export const parquet: Format = {
  name: 'parquet',
  endings: ENDINGS,
  options: [],

  recognise({ fileName, fileNames, head }) {
    const magic = Buffer.from(head.subarray(0, 4)).toString('latin1');
    // What follows is a struct of Thrift: a table of texts may have a column PAR1, but no such character in its name.
    if (magic === MAGIC && (head[4] ?? 0x20) < 0x20) return 'by content';
    return fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  async inspect(raw, effects) {
    return withDatabase(raw, effects, async (database) => {
      const plan = await planOf(raw, database);
      return plan.ok ? succeed([plan.value.schema]) : plan;
    });
  },

  async convert(raw, folder, effects) {
    return withDatabase(raw, effects, async (database) => {
      const planned = await planOf(raw, database);
      if (!planned.ok) return planned;
      const { schema, columns, warnings } = planned.value;
      const fileName = `${schema.table}.parquet`;
      const file = path.join(folder, fileName);
      // The copy is what is read from here on, and what is registered: DuckLake deletes its files one day.
      const copy = path.join(folder, '.copy');
      effects.files.copy(raw.file, copy);
      const damage = await wrongPages(database, copy);
      if (damage !== undefined) return fail(unreadable(raw, damage));
      const facts = await fileFacts(database, copy, columns);
      if (facts.problem !== undefined) return fail(unreadable(raw, facts.problem));
      const changed = columns.filter(({ name, original, type, stored }) => name !== original || type !== stored);
      const untrue = facts.untrueStatistics.map(
        (name) => `column "${name}": the statistics of the file are not true of its values, so it was written anew`,
      );
      if (changed.length === 0 && untrue.length === 0) effects.files.rename(copy, file);
      else {
        const problem = await rewrite(database, { from: copy, to: file, columns });
        if (problem !== undefined) return fail(problem.code === 'cast' ? castError(raw, problem.message) : lost(raw));
        effects.files.remove(copy);
      }
      const isKept = changed.length === 0 && untrue.length === 0;
      return succeed({
        elements: [{ ...schema, file: fileName, rows: facts.rowCount }],
        manifest: {
          format: 'scilake-table/1',
          tools: { duckdb: await versionOf(database) },
          kept: isKept ? 'as it is' : 'written anew',
          elements: [
            {
              path: schema.path,
              file: fileName,
              kind: schema.kind,
              rows: facts.rowCount,
              row_groups: facts.rowGroupCount,
              columns: columns.map(({ original, name, type, stored }, i) => ({
                name: original,
                col: name,
                type: stored,
                ...(type === stored ? {} : { source_type: type }),
                ...described(facts.columns[i]),
              })),
            },
          ],
        },
        warnings: [...warnings, ...untrue],
      });
    });
  },
};

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

interface Plan {
  readonly schema: ElementSchema;
  readonly columns: readonly PlannedColumn[];
  readonly warnings: readonly string[];
}

async function planOf(raw: RawFile, database: Database): Promise<Result<Plan>> {
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
      table: tableOfFile(raw.file, ENDINGS),
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

/** Writes the rows with the lake's types and names; compares what is there with what was read. */
async function rewrite(
  database: Database,
  table: { readonly from: string; readonly to: string; readonly columns: readonly PlannedColumn[] },
): Promise<{ readonly code: 'cast' | 'lost'; readonly message: string } | undefined> {
  const casts = table.columns.map(
    ({ read, name, type, stored }) =>
      `${type === stored ? ident(read) : `CAST(${ident(read)} AS ${stored})`} AS ${ident(name)}`,
  );
  const query = `SELECT ${casts.join(', ')} FROM ${rowsOf(table.from)}`;
  const names = table.columns.map(({ name }) => name);
  try {
    // Row groups are cut where the one thread finds them: equal input gives equal bytes.
    await database.run('SET threads = 1');
    await database.run(`COPY (${query}) TO ${literal(table.to)} (${PARQUET_OPTIONS})`);
  } catch (thrown) {
    if (!/Conversion Error|Out of Range/i.test(messageOf(thrown))) throw thrown;
    return { code: 'cast', message: firstLine(messageOf(thrown)) };
  }
  const wanted = await contentHashes(database, `(${query})`, names);
  const found = await contentHashes(database, rowsOf(table.to), names);
  return wanted.every((hash, i) => hash === found[i]) ? undefined : { code: 'lost', message: '' };
}

function described(facts: ColumnFacts | undefined): Readonly<Record<string, string | number | null>> {
  if (facts === undefined) return {};
  const { nullCount, min, max, sum } = facts;
  return {
    nulls: nullCount,
    ...(min === undefined ? {} : { min, max: max ?? null }),
    ...(sum === undefined ? {} : { sum }),
  };
}

/** Opens a database for one file; DuckDB's errors about the file become ours. */
async function withDatabase<T>(
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

function unreadable(raw: RawFile, what: string): ReturnType<typeof convertError> {
  return convertError(
    'SL0655',
    `${raw.displayName} is no parquet file that can be read whole: ${what}`,
    'fetch it again; nothing of it was loaded',
  );
}

function castError(raw: RawFile, what: string): ReturnType<typeof convertError> {
  return convertError(
    'SL0656',
    `${raw.displayName} holds a value that the lake cannot: ${what}`,
    'write the file with another type for it',
  );
}

function lost(raw: RawFile): ReturnType<typeof convertError> {
  return convertError(
    'SL0690',
    `${raw.displayName}: the parquet file differs from what was read`,
    'please report this',
  );
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

async function versionOf(database: Database): Promise<string> {
  const [row] = await database.rows('SELECT version() AS v');
  return String(row?.v);
}
