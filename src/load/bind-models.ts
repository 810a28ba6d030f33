import { orderGraph } from '../dag/graph.js';
import type { BoundModel, BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { Model, SqlText } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import type { Lineage } from '../domain/query-print.js';
import type { References } from '../domain/references.js';
import type { Parsed, ShadowCatalog } from '../effects/shadow-catalog.js';
import { classifyStatements } from '../effects/statement-classifier.js';
import { readPlan, unknownLineage } from '../lineage/read-plan.js';
import {
  bindingInterval,
  configVariables,
  type MacroValues,
  type Rendered,
  renderMacros,
  timeVariables,
} from '../parse/macros.js';
import { tableReferences } from '../parse/references.js';
import { engineDiagnostic } from './engine-diagnostic.js';
import { cycleDiagnostics, missingParents } from './graph-diagnostics.js';
import { readSeed, type SeedEffects } from './read-seed.js';
import { columnDescriptions, declaredTypes, firstLine, statementLocation, tableColumns } from './table-columns.js';

export interface BindModelsRequest {
  readonly project: Project;
  readonly sources: readonly BoundSource[];
  readonly shadow: ShadowCatalog;
  readonly seedEffects: SeedEffects;
}

/** A model whose text has been read, but not bound. */
interface ReadModel {
  readonly model: Model;
  readonly rendered: Rendered | undefined;
  readonly references: References | undefined;
  /** Keys of all that its text names or its header declares. */
  readonly reads: readonly string[];
  /** Its text cannot be read; that has been reported. */
  readonly isBroken: boolean;
}

/**
 * Binds every model in topological order: its parents stand as empty tables in the shadow catalog, DuckDB says which
 * columns it gives and from where. A model below a broken one is not bound: its errors would only repeat the cause.
 */
export async function bindModels(
  request: BindModelsRequest,
): Promise<{ readonly models: readonly BoundModel[]; readonly diagnostics: readonly Diagnostic[] }> {
  const { project, sources, shadow } = request;
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const read = await readModels(request, errors);
  const sourceTables = await declareSources(sources, shadow);
  const known = new Set([...project.models.map((model) => model.key), ...sourceTables]);
  const { graph, cycles } = orderGraph(new Map(read.map((one) => [one.model.key, one.reads])));
  const byKey = new Map(read.map((one) => [one.model.key, one]));
  errors.push(...cycleDiagnostics(cycles, (key) => byKey.get(key)?.model));
  for (const one of read) errors.push(...missingParents(one.model, known));
  const broken = new Set([...cycles.flat(), ...read.filter((one) => one.isBroken).map((one) => one.model.key)]);
  const bound: BoundModel[] = [];
  for (const key of graph.order) {
    const one = byKey.get(key);
    if (one === undefined) continue;
    if (broken.has(key) || graph.parents.get(key)?.some((parent) => broken.has(parent))) {
      broken.add(key);
      continue;
    }
    const result = await bindModel(one, request, known);
    if (result.ok) {
      bound.push(result.value);
      warnings.push(...result.warnings);
    } else {
      broken.add(key);
      errors.push(...result.errors);
    }
  }
  return { models: bound, diagnostics: [...errors, ...warnings] };
}

/** Macro values while a model is only bound: any interval serves, the same for all, so that equal texts stay equal. */
export function bindingVariables(project: Project, model: Model): MacroValues {
  return new Map([
    ...configVariables(project.config.variables),
    ...timeVariables(bindingInterval, bindingInterval.end),
    ['this_model', `${model.name.schema}.${model.name.table}`],
    ['runtime_stage', "'loading'"],
    ['this_env', "''"],
    ['model_kind_name', `'${model.kind.name}'`],
  ]);
}

async function readModels(
  { project, shadow, sources }: BindModelsRequest,
  errors: Diagnostic[],
): Promise<readonly ReadModel[]> {
  const unrendered = new Set<number>();
  const rendered = project.models.map((model, at): Rendered | undefined => {
    if (model.query === undefined) return undefined;
    const result = renderMacros(model.query, bindingVariables(project, model));
    if (result.ok) return result.value;
    errors.push(...result.errors);
    unrendered.add(at);
    return { sql: 'SELECT 1', originOf: (offset) => offset, used: [] };
  });
  const withQuery = rendered.flatMap((one, at) => (one === undefined ? [] : [{ at, sql: one.sql }]));
  const parsed = new Map<number, Parsed>();
  for (const [position, answer] of (await shadow.parse(withQuery.map((one) => one.sql))).entries()) {
    const at = withQuery[position]?.at;
    if (at !== undefined) parsed.set(at, answer);
  }
  const knownKeys = [...project.models.map((model) => model.key), ...sources.flatMap(sourceTableKeys)];
  const read: ReadModel[] = [];
  for (const [at, model] of project.models.entries()) {
    const one = rendered[at];
    const answer = parsed.get(at);
    const references = answer?.type === 'tree' ? tableReferences(answer.tree) : undefined;
    const named =
      one === undefined || answer === undefined
        ? []
        : namedTables({ model, rendered: one, answer, references }, { errors, knownKeys });
    const declared = model.dependsOn.map((dependency) => dependency.key);
    const around = await statementTables(model, knownKeys);
    const isBroken = answer?.type === 'error' || (model.query !== undefined && unrendered.has(at));
    read.push({ model, rendered: one, references, isBroken, reads: [...new Set([...named, ...declared, ...around])] });
  }
  return read;
}

interface NamedText {
  readonly model: Model;
  readonly rendered: Rendered;
  readonly answer: Parsed;
  readonly references: References | undefined;
}

function namedTables(
  { model, rendered, answer, references }: NamedText,
  context: { readonly errors: Diagnostic[]; readonly knownKeys: readonly string[] },
): readonly string[] {
  if (model.query === undefined) return [];
  if (answer.type === 'error') {
    context.errors.push(engineDiagnostic(answer.error, model.query, rendered, []));
    return [];
  }
  // No tree (a dynamic PIVOT): every known name that the text holds counts; one too many only delays, one too few would be wrong.
  if (answer.type === 'opaque') return context.knownKeys.filter((key) => mentions(rendered.sql, key));
  return (references?.tables ?? [])
    .filter((reference) => reference.schema !== '')
    .map((reference) => tableKey({ schema: reference.schema.toLowerCase(), table: reference.table.toLowerCase() }));
}

function mentions(sql: string, key: string): boolean {
  const pattern = key
    .split('.')
    .map((part) => `"?${part.replace(/[^\p{L}\p{N}_]/gu, '\\$&')}"?`)
    .join('\\s*\\.\\s*');
  return new RegExp(`(?<![\\p{L}\\p{N}_.])${pattern}(?![\\p{L}\\p{N}_])`, 'iu').test(sql);
}

/** Tables of the project that the statements around the query read or write; those must exist before the model is built. */
async function statementTables(model: Model, knownKeys: readonly string[]): Promise<readonly string[]> {
  const statements = [...model.preStatements, ...model.postStatements].map((statement) =>
    statement.text.replace(/@\{?\w+\}?/g, 'NULL'),
  );
  const classified = await classifyStatements(statements);
  return classified
    .flatMap((statement, at) =>
      statement.type === 'unknown'
        ? knownKeys.filter((key) => mentions(statements[at] ?? '', key))
        : statement.tables.filter((table) => knownKeys.includes(table)),
    )
    .filter((key) => key !== model.key);
}

function sourceTableKeys(source: BoundSource): readonly string[] {
  return source.elements.map((element) => tableKey({ schema: source.source.name, table: element.table.toLowerCase() }));
}

async function declareSources(sources: readonly BoundSource[], shadow: ShadowCatalog): Promise<readonly string[]> {
  for (const source of sources) {
    for (const element of source.elements) {
      await shadow.declareTable({ schema: source.source.name, table: element.table.toLowerCase() }, element.columns);
    }
  }
  return sources.flatMap(sourceTableKeys);
}

async function bindModel(
  one: ReadModel,
  request: BindModelsRequest,
  known: ReadonlySet<string>,
): Promise<Result<BoundModel>> {
  const { model, rendered } = one;
  const { shadow } = request;
  if (model.kind.storage === 'outside') return bindExternal(model, shadow);
  if (model.kind.seed !== undefined) return bindSeed(model, model.kind.seed, request);
  if (model.query === undefined || rendered === undefined) throw new Error(`${model.key} has no query`);
  // A model that reads itself needs its own columns before they are known: they must be declared.
  const unknown = unknownTables(model.query, one, known);
  if (unknown.length > 0) return { ok: false, errors: unknown };
  if (one.reads.includes(model.key)) {
    if (model.declaredColumns.length === 0) return { ok: false, errors: [readsItself(model)] };
    await shadow.declareTable(model.name, model.declaredColumns);
  }
  const preparation = await runMacroDefinitions(model, request);
  if (preparation !== undefined) return { ok: false, errors: [preparation] };
  const answer = await shadow.bind(rendered.sql);
  if (answer.type === 'error')
    return { ok: false, errors: [engineDiagnostic(answer.error, model.query, rendered, known)] };
  const lineage =
    answer.type === 'bound'
      ? readPlan(answer.plan, answer.columns, model.query.text)
      : unknownLineage(answer.reason, { tables: one.reads, columns: answer.columns, text: model.query.text });
  const inPlan = lineage.known ? lineage.print.tables : lineage.tables;
  const parents = [...new Set([...one.reads, ...inPlan])].sort();
  const declared = await declaredTypes(model, shadow);
  if (!declared.ok) return declared;
  const { columns, problems } = tableColumns(model, answer.columns, declared.value);
  const errors = [
    ...problems,
    ...undeclaredReads({ model, rendered, parents, known, inPlan }),
    ...sourcePromises(model, parents, request.sources),
  ];
  if (errors.some((error) => error.severity === 'error')) return { ok: false, errors };
  if (model.kind.storage === 'inline') await shadow.declareView(model.name, rendered.sql);
  else await shadow.declareTable(model.name, columns);
  return succeed(
    {
      model,
      parents,
      lineage,
      columns,
      references: one.references,
      columnDescriptions: columnDescriptions(model, columns),
      contentHash: '',
    },
    errors,
  );
}

/** DuckDB's own schemas, which every query may read. */
const systemSchemas = new Set(['information_schema', 'pg_catalog']);

/** Names that nothing in the project has. They are looked for before DuckDB is asked, so that all of them are found at once. */
function unknownTables(
  query: SqlText,
  { model, rendered, references }: ReadModel,
  known: ReadonlySet<string>,
): readonly Diagnostic[] {
  if (references === undefined || rendered === undefined) return [];
  return references.tables.flatMap((reference): readonly Diagnostic[] => {
    const { schema, table, byteOffset } = reference;
    const key = tableKey({ schema: schema.toLowerCase(), table: table.toLowerCase() });
    if (schema === '' || systemSchemas.has(schema.toLowerCase()) || key === model.key || known.has(key)) return [];
    const error = { type: 'table', name: `${schema}.${table}`, message: '', byteOffset, candidates: [] } as const;
    return [engineDiagnostic(error, query, rendered, known)];
  });
}

function readsItself(model: Model): Diagnostic {
  return {
    code: 'SL0211',
    severity: 'error',
    message: `${model.key} reads itself, so its columns cannot be inferred`,
    location: model.location,
    hint: 'declare them: columns (id INTEGER, …)',
  };
}

/** Pre-statements that define macros are needed to bind the query; others wait until the model is built. */
async function runMacroDefinitions(
  model: Model,
  { project, shadow }: BindModelsRequest,
): Promise<Diagnostic | undefined> {
  for (const statement of model.preStatements) {
    if (!/^CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:MACRO|FUNCTION)\b/i.test(statement.text)) continue;
    const rendered = renderMacros(statement, bindingVariables(project, model));
    if (!rendered.ok) return rendered.errors[0];
    try {
      await shadow.database.run(rendered.value.sql);
    } catch (thrown) {
      return { code: 'SL0202', severity: 'error', message: firstLine(thrown), location: statementLocation(statement) };
    }
  }
  return undefined;
}

async function bindExternal(model: Model, shadow: ShadowCatalog): Promise<Result<BoundModel>> {
  try {
    await shadow.declareTable(model.name, model.declaredColumns);
  } catch (thrown) {
    return {
      ok: false,
      errors: [{ code: 'SL0105', severity: 'error', message: firstLine(thrown), location: model.location }],
    };
  }
  const lineage = unknownLineage('kept by somebody else', {
    tables: [],
    columns: model.declaredColumns,
    text: model.key,
  });
  return succeed({
    model,
    parents: [],
    lineage,
    columns: model.declaredColumns,
    references: undefined,
    columnDescriptions: model.columnDescriptions,
    contentHash: '',
  });
}

async function bindSeed(
  model: Model,
  seed: NonNullable<Model['kind']['seed']>,
  request: BindModelsRequest,
): Promise<Result<BoundModel>> {
  const read = await readSeed(model, seed, request.seedEffects);
  if (!read.ok) return read;
  const declared = await declaredTypes(model, request.shadow);
  if (!declared.ok) return declared;
  const { columns, problems } = tableColumns(model, read.value.columns, declared.value);
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, errors: problems };
  await request.shadow.declareTable(model.name, columns);
  const print = {
    rows: { hash: digest('seed rows', String(read.value.rowCount)), rowSets: [], columns: [] },
    order: '',
    columns: columns.map((column, at) => ({
      ...column,
      hash: read.value.columnHashes[at] ?? '',
      rowSets: [],
      columns: [],
      sources: [],
      kinds: {},
    })),
    tables: [],
    leaves: [],
    rowSources: [],
    rowKinds: {},
    volatile: [],
  };
  const lineage: Lineage = { known: true, print };
  return succeed(
    {
      model,
      parents: [],
      lineage,
      columns,
      references: undefined,
      columnDescriptions: model.columnDescriptions,
      contentHash: read.value.sha256,
    },
    problems,
  );
}

/** Tables that only the plan shows (inside macros, as arguments) must be part of the project too. */
function undeclaredReads(reads: {
  readonly model: Model;
  readonly rendered: Rendered;
  readonly parents: readonly string[];
  readonly known: ReadonlySet<string>;
  readonly inPlan: readonly string[];
}): readonly Diagnostic[] {
  const { model, parents, known } = reads;
  return parents
    .filter((parent) => !known.has(parent) && parent !== model.key)
    .map(
      (parent): Diagnostic => ({
        code: 'SL0302',
        severity: 'error',
        message: `${model.key} reads ${parent}, which is neither a model nor a source nor declared in external_models.yaml`,
        location: model.query === undefined ? model.location : statementLocation(model.query),
        hint: 'declare it, or read a table of the project',
      }),
    );
}

/** `sources (…)` in a header is a promise: what the query really reads must agree with it. */
function sourcePromises(
  model: Model,
  parents: readonly string[],
  sources: readonly BoundSource[],
): readonly Diagnostic[] {
  if (model.declaredSources === undefined) return [];
  const names = new Set(sources.map((source) => source.source.name));
  const read = new Set(parents.map((parent) => parent.split('.')[0] ?? '').filter((schema) => names.has(schema)));
  const found: Diagnostic[] = [];
  for (const declared of model.declaredSources) {
    if (read.has(declared.key)) continue;
    const message = names.has(declared.key)
      ? `the header names source "${declared.key}", but the query does not read it`
      : `there is no source "${declared.key}"`;
    found.push({
      code: 'SL0304',
      severity: 'error',
      message,
      location: declared.location,
      hint: `the query reads ${[...read].join(', ') || 'no source'}`,
    });
  }
  const promised = new Set(model.declaredSources.map((declared) => declared.key));
  for (const source of read) {
    if (!promised.has(source))
      found.push({
        code: 'SL0304',
        severity: 'error',
        message: `the query reads source "${source}", which the header's "sources" does not name`,
        location: model.location,
        hint: `sources (${[...promised, source].join(', ')})`,
      });
  }
  return found;
}
