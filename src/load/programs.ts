import { tablesOfCall } from '../domain/anndata-macros.js';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { Column } from '../domain/column.js';
import { fail, gather, type Result, succeed } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import type { SqlText } from '../domain/model.js';
import { ident, literal, type TableName, tableKey, viewName } from '../domain/names.js';
import type { AuditQuery, ModelProgram } from '../domain/program.js';
import type { Project } from '../domain/project.js';
import type { Environment } from '../domain/snapshot.js';
import { timeGuard } from '../kinds/incremental-by-time-range.js';
import { attachAudits, auditQuery } from '../parse/audit-query.js';
import {
  configVariables,
  isPlain,
  type MacroScope,
  renderMacros,
  scopeOf,
  timeVariables,
  withDefinitions,
} from '../parse/macros/index.js';
import { patchReferences } from '../parse/patch-references.js';
import { columnsByTable, modelScope, type ScopeRequest } from './macro-scope.js';
import { seedQuery } from './read-seed.js';
import { renderForBinding } from './read-texts.js';

export interface ProgramContext {
  readonly project: BoundProject;
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
  const columnsOf = columnsByTable((key) => columnsOfTable(key, byKey, context.project));
  const scopeFor = (interval: Interval, stage: ScopeRequest['stage'], thisModel?: string): MacroScope => {
    const { executionTime, environment } = context;
    const { project } = context.project;
    const named = thisModel === undefined ? {} : { thisModel };
    return modelScope({ project, model, interval, executionTime, stage, environment, columnsOf, ...named }).scope;
  };
  const render = (sql: SqlText, scope: () => MacroScope): Result<string> => {
    if (isPlain(sql)) return succeed(sql.text);
    const rendered = renderMacros(sql, scope());
    return rendered.ok ? succeed(rendered.value.sql) : rendered;
  };
  const written = (interval: Interval): Result<string> => {
    if (model.query === undefined) throw new Error(`${model.key} has no query`);
    return render(model.query, () => scopeFor(interval, 'evaluating'));
  };
  return {
    kind: model.kind,
    location: model.location,
    ...(model.code === undefined
      ? {}
      : { code: { run: model.code.run, variables: configVariables(context.project.project.config.variables) } }),
    query(interval) {
      if (model.kind.seed !== undefined && bound.seedFile !== undefined)
        return succeed(guarded(bound, seedQuery(bound.seedFile, model.kind.seed, model.declaredColumns)));
      const rendered = written(interval);
      return rendered.ok ? succeed(guarded(bound, rendered.value)) : rendered;
    },
    written,
    statements(stage, interval, thisModel) {
      const { preStatements: before, postStatements: after, onVirtualUpdate: moved } = model;
      const macroStage = stage === 'moved' ? 'promoting' : 'evaluating';
      return gather(
        { before, after, moved }[stage].map((statement) =>
          render(statement, () => scopeFor(interval, macroStage, thisModel)),
        ),
      );
    },
    audits(thisModel, interval) {
      const rows = auditedRows(bound, thisModel, interval);
      const scope = scopeFor(interval, 'auditing');
      const attached = attachAudits(model.audits, model.inlineAudits, context.project.project.audits);
      return gather(
        attached.map((one): Result<AuditQuery> => {
          const sql = auditQuery(one, rows, scope);
          return sql.ok
            ? succeed({
                name: one.call.name,
                sql: sql.value,
                errorIf: one.errorIf,
                warnIf: one.warnIf,
                location: one.call.location,
              })
            : sql;
        }),
      );
    },
    standalone: (tableOf) => standaloneQuery(bound, byKey, context, tableOf),
  };
}

function columnsOfTable(
  key: string,
  byKey: ReadonlyMap<string, BoundModel>,
  project: BoundProject,
): readonly Column[] | undefined {
  const [schema = '', table] = key.split('.');
  const source = project.sources.find((candidate) => candidate.source.name === schema);
  return byKey.get(key)?.columns ?? source?.elements.find((element) => element.table.toLowerCase() === table)?.columns;
}

/** Types that the lake keeps otherwise, and types that the header declares, are cast by name in a SELECT around the query. */
function guarded(bound: BoundModel, query: string): string {
  const found = bound.lineage.known ? bound.lineage.print.columns : bound.lineage.columns;
  const written = bound.columns.slice(0, bound.columns.length - (bound.model.kind.addedColumns ?? []).length);
  const needsCast = written.some((column, at) => column.type !== found[at]?.type);
  if (!needsCast && /^\s*(?:SELECT|WITH)\b/i.test(query)) return query;
  const columns = written.map((column, at) => {
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
  const columnsOf = columnsByTable((key) => columnsOfTable(key, byKey, context.project));
  const rendered = renderForBinding(model.query, model, context.project.project, columnsOf);
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

/**
 * The project's own statements before or after all that a plan does, with `@this_env`, `@schemas` and `@views` of the
 * environment.
 */
export function hookStatements(
  project: Project,
  when: 'before' | 'after',
  context: { readonly executionTime: number; readonly target: Environment; readonly names: readonly TableName[] },
): Result<readonly string[]> {
  const { executionTime, target, names } = context;
  const quoted = (values: readonly string[]): string => `(${values.map(literal).join(', ')})`;
  const views = names.map((name) => viewName(name, target.name));
  const values = new Map([
    ...configVariables(project.config.variables),
    ...timeVariables({ start: executionTime, end: executionTime }, executionTime),
    ['this_env', literal(target.name)] as const,
    ['schemas', quoted([...new Set(views.map((view) => view.schema))])] as const,
    ['views', quoted(views.map((view) => `${view.schema}.${view.table}`))] as const,
    ['gateway', literal(project.config.gateway)] as const,
    ['runtime_stage', literal(`${when}_all`)] as const,
  ]);
  const { functions, definitions, jinja } = project.macros;
  const { scope, errors } = withDefinitions(
    { ...scopeOf(values), functions, ...(jinja === undefined ? {} : { jinja }) },
    definitions,
  );
  if (errors.length > 0) return fail(...errors);
  return gather(
    (when === 'before' ? project.config.beforeAll : project.config.afterAll).map((statement): Result<string> => {
      const rendered = renderMacros(statement, scope);
      return rendered.ok ? succeed(rendered.value.sql) : rendered;
    }),
  );
}
