import type { Column } from '../domain/column.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import type { Model } from '../domain/model.js';
import { ident } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import {
  bindingInterval,
  configVariables,
  type MacroScope,
  timeVariables,
  withDefinitions,
} from '../parse/macros/index.js';

/** What `@` stands for in one model, at one moment of its life. */
export interface ScopeRequest {
  readonly project: Project;
  readonly model: Model;
  readonly interval: Interval;
  /** ms UTC. */
  readonly executionTime: number;
  /** SQLMesh's `runtime_stage`. */
  readonly stage: 'loading' | 'creating' | 'evaluating' | 'promoting' | 'auditing' | 'testing';
  readonly environment: string;
  /** What `@this_model` stands for, quoted; the model's logical name when left out. */
  readonly thisModel?: string;
  /** Columns of the tables that the model reads, where they are known. */
  readonly columnsOf?: (table: string) => readonly Column[] | undefined;
}

/**
 * Variables of configuration, blueprint and time, the project's macros and the model's own `@DEF`s. Of one name, the last
 * in that order counts.
 */
export function modelScope(request: ScopeRequest): {
  readonly scope: MacroScope;
  readonly errors: readonly Diagnostic[];
} {
  const { project, model, environment, stage } = request;
  const logical = `${ident(model.name.schema)}.${ident(model.name.table)}`;
  const values = new Map([
    ...configVariables(project.config.variables),
    ...Object.entries(model.blueprint),
    ...timeVariables(request.interval, request.executionTime),
    ['this_model', request.thisModel ?? logical] as const,
    ['runtime_stage', `'${stage}'`] as const,
    ['this_env', `'${environment.replaceAll("'", "''")}'`] as const,
    ['gateway', `'${project.config.gateway.replaceAll("'", "''")}'`] as const,
    ['model_kind_name', `'${model.kind.name}'`] as const,
  ]);
  const base: MacroScope = {
    values,
    functions: project.macros.functions,
    ...(project.macros.jinja === undefined ? {} : { jinja: project.macros.jinja }),
    definitions: new Map(),
    columnsOf: request.columnsOf ?? (() => undefined),
  };
  return withDefinitions(base, [...project.macros.definitions, ...model.definitions]);
}

/** The scope while a model is only bound: any interval serves, the same for all, so that equal texts stay equal. */
export function bindingScope(
  project: Project,
  model: Model,
  columnsOf?: ScopeRequest['columnsOf'],
): ReturnType<typeof modelScope> {
  return modelScope({
    project,
    model,
    interval: bindingInterval,
    executionTime: bindingInterval.end,
    stage: 'loading',
    environment: '',
    ...(columnsOf === undefined ? {} : { columnsOf }),
  });
}

/** Columns by a table's name as it is written in a macro: `s.t`, `"s"."t"`. */
export function columnsByTable(
  columns: (key: string) => readonly Column[] | undefined,
): (table: string) => readonly Column[] | undefined {
  return (table) => columns(table.replaceAll('"', '').trim().toLowerCase());
}
