import { tablesOfCall } from '../domain/anndata-macros.js';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import { fail, gather, type Result, succeed } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import type { SqlText } from '../domain/model.js';
import { ident, tableKey } from '../domain/names.js';
import type { AuditQuery, ModelProgram } from '../domain/program.js';
import { timeGuard } from '../kinds/incremental-by-time-range.js';
import { attachAudits, auditQuery } from '../parse/audit-query.js';
import { configVariables, type MacroValues, renderMacros, timeVariables } from '../parse/macros.js';
import { patchReferences } from '../parse/patch-references.js';
import { seedPath, seedQuery } from './read-seed.js';
import { bindingVariables } from './read-texts.js';

export interface ProgramContext {
  readonly project: BoundProject;
  readonly projectFolder: string;
  /** ms UTC. */
  readonly executionTime: number;
  readonly environment: string;
}

/** The SQL of every model of a project, by key. */
export function modelPrograms(context: ProgramContext): ReadonlyMap<string, ModelProgram> {
  const byKey = new Map(context.project.models.map((bound) => [bound.model.key, bound]));
  return new Map(context.project.models.map((bound) => [bound.model.key, programOf(bound, byKey, context)]));
}

function programOf(bound: BoundModel, byKey: ReadonlyMap<string, BoundModel>, context: ProgramContext): ModelProgram {
  const { model } = bound;
  const valuesFor = (interval: Interval, stage: string): MacroValues =>
    new Map([
      ...configVariables(context.project.project.config.variables),
      ...timeVariables(interval, context.executionTime),
      ['this_model', `${ident(model.name.schema)}.${ident(model.name.table)}`],
      ['runtime_stage', `'${stage}'`],
      ['this_env', `'${context.environment}'`],
      ['model_kind_name', `'${model.kind.name}'`],
    ]);
  const render = (sql: SqlText, interval: Interval, stage: string): Result<string> => {
    const rendered = renderMacros(sql, valuesFor(interval, stage));
    return rendered.ok ? succeed(rendered.value.sql) : rendered;
  };
  return {
    kind: model.kind,
    location: model.location,
    query(interval) {
      if (model.kind.seed !== undefined)
        return succeed(
          guarded(
            bound,
            seedQuery(seedPath(model, model.kind.seed, context.projectFolder), model.kind.seed, model.declaredColumns),
          ),
        );
      if (model.query === undefined) throw new Error(`${model.key} has no query`);
      const rendered = render(model.query, interval, 'evaluating');
      return rendered.ok ? succeed(guarded(bound, rendered.value)) : rendered;
    },
    statements(stage, interval, thisModel) {
      const values = new Map([...valuesFor(interval, 'evaluating'), ['this_model', thisModel]]);
      const around = stage === 'before' ? model.preStatements : model.postStatements;
      return gather(
        around.map((statement): Result<string> => {
          const rendered = renderMacros(statement, values);
          return rendered.ok ? succeed(rendered.value.sql) : rendered;
        }),
      );
    },
    audits(thisModel, interval) {
      const rows = auditedRows(bound, thisModel, interval);
      const attached = attachAudits(model.audits, model.inlineAudits, context.project.project.audits);
      return gather(
        attached.map((one): Result<AuditQuery> => {
          const sql = auditQuery(one, rows, valuesFor(interval, 'auditing'));
          return sql.ok
            ? succeed({ name: one.call.name, sql: sql.value, isBlocking: one.isBlocking, location: one.call.location })
            : sql;
        }),
      );
    },
    standalone: (tableOf) => standaloneQuery(bound, byKey, context, tableOf),
  };
}

/** Types that the lake keeps otherwise, and types that the header declares, are cast by name in a SELECT around the query. */
function guarded(bound: BoundModel, query: string): string {
  const found = bound.lineage.known ? bound.lineage.print.columns : bound.lineage.columns;
  const needsCast = bound.columns.some((column, at) => column.type !== found[at]?.type);
  if (!needsCast && /^\s*(?:SELECT|WITH)\b/i.test(query)) return query;
  const columns = bound.columns.map((column, at) => {
    const name = ident(column.name);
    return column.type === found[at]?.type ? name : `CAST(${name} AS ${column.type}) AS ${name}`;
  });
  return `SELECT ${columns.join(', ')}\nFROM (${query}\n) AS as_written`;
}

/** A time-range model is audited on the interval that was built, everything else as a whole. */
function auditedRows(bound: BoundModel, thisModel: string, interval: Interval): string {
  const { timeColumn, rowProperties } = bound.model.kind;
  if (timeColumn === undefined) return thisModel;
  const format = typeof rowProperties.timeFormat === 'string' ? rowProperties.timeFormat : '%Y-%m-%d';
  return `(SELECT * FROM ${thisModel} WHERE ${timeGuard(timeColumn, format, bound.columns, interval)})`;
}

/** The plan reads a table that the text does not name where DuckDB shows it (`query_table('s.t')`): its name cannot be replaced. */
function readsUnnamed({ lineage, references, parents }: BoundModel): boolean {
  if (!lineage.known || references === undefined) return false;
  const named = new Set(
    references.tables.map((one) => tableKey({ schema: one.schema.toLowerCase(), table: one.table.toLowerCase() })),
  );
  for (const key of references.macroCalls.flatMap(tablesOfCall)) named.add(key);
  // What an EMBEDDED parent reads stands in that parent's own text.
  const hasInline = parents.some((parent) => named.has(parent) && !lineage.print.tables.includes(parent));
  return !hasInline && lineage.print.tables.some((table) => !named.has(table));
}

/** A view outlives the run catalog: its text must name physical tables itself. */
function standaloneQuery(
  bound: BoundModel,
  byKey: ReadonlyMap<string, BoundModel>,
  context: ProgramContext,
  tableOf: (key: string) => string | undefined,
): Result<string> {
  const { model, references } = bound;
  if (model.query === undefined) throw new Error(`${model.key} has no query`);
  const rendered = renderMacros(model.query, bindingVariables(context.project.project, model));
  if (!rendered.ok) return rendered;
  const inner = (key: string): string | undefined => {
    const parent = byKey.get(key);
    if (parent === undefined || parent.model.kind.storage !== 'inline') return tableOf(key);
    const nested = standaloneQuery(parent, byKey, context, tableOf);
    return nested.ok ? `(${nested.value}\n)` : undefined;
  };
  const patched =
    references === undefined || readsUnnamed(bound)
      ? undefined
      : patchReferences(rendered.value.sql, references, inner);
  if (patched !== undefined) return succeed(patched);
  return fail({
    code: 'SL0706',
    severity: 'error',
    message: `the query of ${model.kind.name} ${model.key} cannot be kept as a view: DuckDB does not say where it names its tables`,
    location: model.location,
    hint: 'make it kind FULL, or give PIVOT an IN list',
  });
}
