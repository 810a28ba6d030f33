import { cronFloor } from '../domain/cron.js';
import { fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import type { Audit } from '../domain/model.js';
import { literal } from '../domain/names.js';
import type { AuditQuery } from '../domain/program.js';
import type { Project } from '../domain/project.js';
import { anyRow } from '../domain/threshold.js';
import {
  argumentVariables,
  configVariables,
  renderMacros,
  scopeOf,
  timeVariables,
  withDefinitions,
} from '../parse/macros/index.js';

/** The query of an audit that belongs to no model. */
export function standaloneQuery(
  audit: Audit,
  project: Project,
  context: { readonly interval: Interval; readonly executionTime: number; readonly environment: string },
): Result<string> {
  const { interval, executionTime, environment } = context;
  const values = new Map([
    ...configVariables(project.config.variables),
    ...timeVariables(interval, executionTime),
    ['runtime_stage', "'auditing'"] as const,
    ['this_env', literal(environment)] as const,
    ['gateway', literal(project.config.gateway)] as const,
    ...argumentVariables(audit.defaults),
  ]);
  const { functions, definitions, jinja } = project.macros;
  const base = { ...scopeOf(values), functions, ...(jinja === undefined ? {} : { jinja }) };
  const { scope, errors } = withDefinitions(base, [...definitions, ...audit.definitions]);
  if (errors.length > 0) return fail(...errors);
  const rendered = renderMacros(audit.query, scope);
  return rendered.ok ? succeed(rendered.value.sql) : rendered;
}

/** It as it would run now, over the last interval of its cron that is complete. */
export function standaloneAudit(
  audit: Audit,
  project: Project,
  context: { readonly executionTime: number; readonly environment: string },
): Result<AuditQuery> {
  const cron = audit.standalone?.cron;
  if (cron === undefined) throw new Error(`audit ${audit.name} belongs to models`);
  const end = cronFloor(cron, context.executionTime);
  const sql = standaloneQuery(audit, project, { ...context, interval: { start: cronFloor(cron, end - 1), end } });
  if (!sql.ok) return sql;
  const { name, blocking, location } = audit;
  return succeed({ name, sql: sql.value, errorIf: blocking ? anyRow : undefined, warnIf: anyRow, location });
}
