import { type Column, columnsByName } from '../domain/column.js';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import { locate } from '../domain/location.js';
import type { Model, SqlText } from '../domain/model.js';
import { nearest } from '../domain/near-miss.js';
import type { Lineage } from '../domain/query-print.js';
import { storedType } from '../domain/type-guard.js';
import type { ShadowCatalog } from '../effects/shadow-catalog.js';
import { columnComments } from '../parse/column-comments.js';

/** The declared columns with their types as DuckDB calls them: `INT` and `INTEGER` are one type. */
export async function declaredTypes(model: Model, shadow: ShadowCatalog): Promise<Result<readonly Column[]>> {
  if (model.declaredColumns.length === 0) return succeed([]);
  try {
    const casts = model.declaredColumns.map((column, at) => `CAST(NULL AS ${column.type}) AS c${at}`);
    const types = await shadow.database.describe(`SELECT ${casts.join(', ')}`);
    return succeed(
      model.declaredColumns.map((column, at) => ({ name: column.name, type: types[at]?.type ?? column.type })),
    );
  } catch (thrown) {
    const message = `a type in "columns" is none of DuckDB's: ${firstLine(thrown)}`;
    return { ok: false, errors: [{ code: 'SL0105', severity: 'error', message, location: model.location }] };
  }
}

/** Columns of the table: the query's, with declared types in place of its own, and types that the lake can keep. */
export function tableColumns(
  model: Model,
  found: readonly Column[],
  declaredColumns: readonly Column[],
): { readonly columns: readonly Column[]; readonly problems: Diagnostic[] } {
  const problems: Diagnostic[] = [];
  const at = model.query === undefined ? model.location : statementLocation(model.query);
  const seen = new Map<string, string>();
  for (const { name } of found) {
    const lower = name.toLowerCase();
    if (seen.has(lower))
      problems.push({
        code: 'SL0207',
        severity: 'error',
        message: `the query gives two columns named "${name}"`,
        location: at,
        hint: 'name them apart with AS, or leave one out',
      });
    seen.set(lower, name);
  }
  const declared = columnsByName(declaredColumns);
  const missing = declaredColumns.filter((column) => !seen.has(column.name.toLowerCase()));
  for (const column of missing) {
    const near = nearest(column.name, seen.values());
    problems.push({
      code: 'SL0208',
      severity: 'error',
      message: `declared column "${column.name}" is not in the query's result`,
      location: model.location,
      hint: near === undefined ? 'add it to the query or take it out of "columns"' : `did you mean "${near}"?`,
    });
  }
  const columns = found.map((column): Column => {
    const wanted = declared.get(column.name.toLowerCase())?.type ?? column.type;
    const stored = model.kind.storage === 'table' ? storedType(wanted) : ({ type: 'kept' } as const);
    if (stored.type === 'kept') return { name: column.name, type: wanted };
    if (stored.type === 'refused') {
      problems.push({
        code: 'SL0209',
        severity: 'error',
        message: `column "${column.name}" has type ${wanted}, which the lake cannot keep: ${stored.why}`,
        location: at,
        hint: 'cast it in the query',
      });
      return { name: column.name, type: wanted };
    }
    if (/cut off/.test(stored.why)) {
      problems.push({
        code: 'SL0215',
        severity: 'warning',
        message: `column "${column.name}" is stored as ${stored.to}: ${stored.why}`,
        location: at,
        hint: 'store it as BIGINT or VARCHAR to keep every digit',
      });
    }
    return { name: column.name, type: stored.to };
  });
  return { columns, problems };
}

/** The first word of a statement, where problems of the whole statement are shown. */
export function statementLocation(statement: SqlText): ReturnType<typeof locate> {
  return locate(statement.file, { start: statement.span.start, end: statement.span.start + 6 });
}

/** The first line of what was thrown: DuckDB's others are excerpts, which are drawn by ourselves. */
export function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0] ?? '';
}

/** What is said about each column: comments behind the projections, and what the header declares, which counts more. */
export function columnDescriptions(model: Model, columns: readonly Column[]): Readonly<Record<string, string>> {
  const comments = model.query === undefined ? undefined : columnComments(model.query.text);
  const written = comments?.length === columns.length ? comments : [];
  const entries = written.flatMap((comment, at) => {
    const column = columns[at];
    return comment === undefined || column === undefined ? [] : [[column.name.toLowerCase(), comment] as const];
  });
  return { ...Object.fromEntries(entries), ...model.columnDescriptions };
}

/** The kind's own columns, which depend on everything that the query gives. */
export function withAddedColumns(lineage: Lineage, added: readonly Column[]): Lineage {
  if (added.length === 0) return lineage;
  if (!lineage.known) return { ...lineage, columns: [...lineage.columns, ...added] };
  const { rows, columns } = lineage.print;
  const all = [rows, ...columns];
  const made = added.map((column) => ({
    ...column,
    hash: digest('added', column.name, ...all.map((part) => part.hash)),
    rowSets: [...new Set(all.flatMap((part) => part.rowSets))].sort(),
    columns: [...new Set(all.flatMap((part) => part.columns))].sort(),
    sources: [],
    kinds: {},
  }));
  return { known: true, print: { ...lineage.print, columns: [...columns, ...made] } };
}

/** A query that gives a column which its kind adds. */
export function addedTwice(model: Model, own: readonly Column[]): readonly Diagnostic[] {
  const names = new Set(own.map((column) => column.name.toLowerCase()));
  return (model.kind.addedColumns ?? [])
    .filter((column) => names.has(column.name.toLowerCase()))
    .map((column) => ({
      code: 'SL0207',
      severity: 'error',
      message: `the query gives "${column.name}", which kind ${model.kind.name} adds itself`,
      location: model.query === undefined ? model.location : statementLocation(model.query),
      hint: 'leave it out of the query, or rename the column of the kind: valid_from_name, valid_to_name',
    }));
}
