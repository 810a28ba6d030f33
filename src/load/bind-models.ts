import { orderGraph } from '../dag/graph.js';
import type { BoundModel, BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import type { Model, SqlText } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import type { Lineage } from '../domain/query-print.js';
import type { Bound, ShadowCatalog } from '../effects/shadow-catalog.js';
import { readPlan, unknownLineage } from '../lineage/read-plan.js';
import type { Rendered } from '../parse/macros/index.js';
import type { BindCache } from './bind-cache.js';
import { bindCode, bindExternal, bindSeed } from './bind-tables.js';
import type { Binding } from './binding.js';
import { changeFeedProblems } from './change-feed.js';
import { engineDiagnostic } from './engine-diagnostic.js';
import { fileSignatures, namesItsReads } from './file-reads.js';
import { cycleDiagnostics, missingParents } from './graph-diagnostics.js';
import { columnsByTable } from './macro-scope.js';
import type { SeedEffects } from './read-seed.js';
import { type ReadModel, readTexts, renderForBinding, sourceTableKeys } from './read-texts.js';
import { ShadowTables } from './shadow-tables.js';
import {
  addedTwice,
  columnDescriptions,
  declaredTypes,
  firstLine,
  statementLocation,
  tableColumns,
  withAddedColumns,
} from './table-columns.js';

export interface BindModelsRequest {
  readonly project: Project;
  readonly sources: readonly BoundSource[];
  readonly shadow: ShadowCatalog;
  readonly cache: BindCache;
  readonly seedEffects: SeedEffects;
}

/**
 * Binds every model once its parents are bound: those stand as empty tables in the shadow catalog, DuckDB says which
 * columns the model gives and from where. All that are ready are asked about together. A model below a broken one is not
 * bound: its errors would only repeat the cause.
 */
export async function bindModels(request: BindModelsRequest): Promise<{
  readonly models: readonly BoundModel[];
  readonly diagnostics: readonly Diagnostic[];
  /** What each model's text names, bound or not, by its key. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
}> {
  const { project, sources, shadow } = request;
  const tables = new ShadowTables(shadow);
  const errors: Diagnostic[] = [];
  const read = await readTexts(request, errors);
  const sourceTables = addSources(sources, tables);
  const known = new Set([...project.models.map((model) => model.key), ...sourceTables]);
  const reads = new Map(read.map((one) => [one.model.key, one.reads]));
  const { graph, cycles } = orderGraph(reads);
  const byKey = new Map(read.map((one) => [one.model.key, one]));
  errors.push(...cycleDiagnostics(cycles, (key) => byKey.get(key)?.model));
  for (const one of read) errors.push(...missingParents(one.model, known));
  const context: BindContext = { ...request, tables, known };
  const results = new Map<string, Result<BoundModel>>();
  const unusable = new Set([...cycles.flat(), ...read.filter((one) => one.isBroken).map((one) => one.model.key)]);
  let waiting = graph.order.flatMap((key) => byKey.get(key) ?? []).filter((one) => !unusable.has(one.model.key));
  // Which tables a text reads through a function (`query_table('s.t')`) shows only once it binds: such a model is tried
  // again after all the others.
  let isLastTry = false;
  while (waiting.length > 0) {
    const later: ReadModel[] = [];
    const ready: ReadModel[] = [];
    for (const one of waiting) {
      const parents = graph.parents.get(one.model.key) ?? [];
      if (parents.some((parent) => unusable.has(parent))) unusable.add(one.model.key);
      else if (parents.every((parent) => results.has(parent))) ready.push(one);
      else later.push(one);
    }
    const bound = await bindReady(ready, context);
    const failed = ready.filter((one) => bound.get(one)?.ok === false && !namesItsReads(one));
    const isStuck = failed.length === ready.length;
    for (const one of ready) {
      const result = bound.get(one);
      if (result === undefined) throw new Error(`${one.model.key} was not answered`);
      if (failed.includes(one) && !isLastTry) {
        later.push(one);
        continue;
      }
      results.set(one.model.key, result);
      // Nobody can be bound against a table whose columns are not known; the reason has been said.
      if (!result.ok || result.value.columns.length === 0) unusable.add(one.model.key);
    }
    isLastTry = isStuck;
    waiting = later;
  }
  const inOrder = graph.order.flatMap((key) => results.get(key) ?? []);
  const models = inOrder.flatMap((result) => (result.ok ? [result.value] : []));
  const warnings = inOrder.flatMap((result) => (result.ok ? result.warnings : []));
  errors.push(...inOrder.flatMap((result) => (result.ok ? [] : result.errors)));
  return { models: inFullOrder(models), diagnostics: [...errors, ...warnings], reads };
}

/** Topological order by all that is read, tables that only the plans show included. */
function inFullOrder(models: readonly BoundModel[]): readonly BoundModel[] {
  const byKey = new Map(models.map((bound) => [bound.model.key, bound]));
  const { graph } = orderGraph(new Map(models.map((bound) => [bound.model.key, bound.parents])));
  return graph.order.flatMap((key) => byKey.get(key) ?? []);
}

function addSources(sources: readonly BoundSource[], tables: ShadowTables): readonly string[] {
  for (const source of sources) {
    for (const element of source.elements) {
      const name = { schema: source.source.name, table: element.table.toLowerCase() };
      tables.addTable(tableKey(name), name, element.columns);
    }
  }
  return sources.flatMap(sourceTableKeys);
}

/** What the binding of one model needs besides the model. */
interface BindContext extends BindModelsRequest {
  readonly tables: ShadowTables;
  /** Keys of all tables of the project. */
  readonly known: ReadonlySet<string>;
}

/** A model whose query is ready to be put to DuckDB. */
type Askable = ReadModel & { readonly rendered: Rendered; readonly query: SqlText };

/** Binds models whose parents are all bound. */
async function bindReady(
  ready: readonly ReadModel[],
  context: BindContext,
): Promise<ReadonlyMap<ReadModel, Result<BoundModel>>> {
  const results = new Map<ReadModel, Result<BoundModel>>();
  const askable: Askable[] = [];
  for (const one of ready) {
    const begun = await beginModel(one, context);
    if ('ok' in begun) results.set(one, begun);
    else askable.push(begun);
  }
  const bindings = await bindQueries(askable, context);
  for (const [at, one] of askable.entries()) {
    const binding = bindings[at];
    const original = ready.find((candidate) => candidate.model === one.model);
    if (binding === undefined || original === undefined) throw new Error(`${one.model.key} was not answered`);
    results.set(original, binding.ok ? await endModel(one, binding.value, context) : binding);
  }
  return results;
}

/** What can be said of a model before its query is bound: all of it where it has none, or what is wrong with it. */
async function beginModel(one: ReadModel, context: BindContext): Promise<Result<BoundModel> | Askable> {
  const { model, rendered } = one;
  const { tables } = context;
  if (model.kind.storage === 'outside') return bindExternal(model, context);
  if (model.kind.seed !== undefined) return bindSeed(model, model.kind.seed, context);
  if (model.code !== undefined) return bindCode(model, model.code, one.reads, context);
  if (model.query === undefined || rendered === undefined) throw new Error(`${model.key} has no query`);
  const unknown = unknownTables(model.query, one, context.known);
  if (unknown.length > 0) return { ok: false, errors: unknown };
  // A model that reads itself needs its own columns before they are known: they must be declared.
  if (one.reads.includes(model.key)) {
    if (model.declaredColumns.length === 0) return { ok: false, errors: [readsItself(model)] };
    tables.addTable(model.key, model.name, model.declaredColumns);
  }
  const preparation = await runMacroDefinitions(model, context);
  if (preparation !== undefined) return { ok: false, errors: [preparation] };
  if (!rendered.needsColumns) return { ...one, rendered, query: model.query };
  // @STAR and @UNION name the columns of parents, which are known by now.
  const again = renderForBinding(
    model.query,
    model,
    context.project,
    columnsByTable((key) => tables.columns(key)),
  );
  return again.ok ? { ...one, rendered: again.value, query: model.query } : again;
}

/** Holds what DuckDB said of a query against what the header promises. */
async function endModel(one: Askable, binding: Binding, context: BindContext): Promise<Result<BoundModel>> {
  const { model, rendered } = one;
  const { shadow, tables, known } = context;
  const lineage = withAddedColumns(binding.lineage, model.kind.addedColumns ?? []);
  const inPlan = lineage.known ? lineage.print.tables : lineage.tables;
  const parents = [...new Set([...one.reads, ...inPlan])].sort();
  const declared = await declaredTypes(model, shadow);
  if (!declared.ok) return declared;
  const found = binding.columns.length > 0 ? binding.columns : declared.value;
  const { columns: own, problems } = tableColumns(model, found, declared.value);
  const columns = [...own, ...(model.kind.addedColumns ?? [])];
  problems.push(...addedTwice(model, own));
  const errors = [
    ...problems,
    ...undeclaredReads({ model, parents, known }),
    ...sourcePromises(model, parents, context.sources),
    ...unknownLineageLint(model, lineage),
    ...(model.kind.readsChanges === true ? changeFeedProblems(model, lineage, context) : []),
  ];
  if (errors.some((error) => error.severity === 'error')) return { ok: false, errors };
  if (model.kind.storage === 'inline') tables.addInline({ model, parents, columns }, rendered.sql);
  else tables.addTable(model.key, model.name, columns, model.location);
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

/** What cannot be followed is said, with what to do about it: everything below such a model rebuilds with it. */
function unknownLineageLint(model: Model, lineage: Lineage): readonly Diagnostic[] {
  if (lineage.known || model.query === undefined) return [];
  const isPivot = lineage.columns.length === 0;
  return [
    {
      code: 'SL0213',
      severity: 'warning',
      message: `the column lineage of ${model.key} is unknown: ${lineage.reason}`,
      location: statementLocation(model.query),
      hint: isPivot
        ? 'give PIVOT an IN list, or declare the columns in the header'
        : 'read files through a source, so that their columns are known',
    },
  ];
}

/** Asks DuckDB, unless it was asked the same before. */
async function bindQueries(asked: readonly Askable[], context: BindContext): Promise<readonly Result<Binding>[]> {
  const { shadow, cache, tables } = context;
  const keys = asked.map((one) => {
    const files = fileSignatures(one, context.seedEffects);
    const schemas = tables.signatures([...one.reads].sort());
    return files && cache.bindingKey(one.rendered.sql, [...schemas, ...files]);
  });
  const answers = keys.map((key) => (key === undefined ? undefined : cache.binding(key)));
  const open = [...asked.keys()].filter((at) => answers[at] === undefined);
  const together = open.filter((at) => namesItsReads(asked[at]));
  await tables.ensure(together.flatMap((at) => asked[at]?.reads ?? []));
  const bound = await shadow.bindAll(together.map((at) => asked[at]?.rendered.sql ?? ''));
  const answered = new Map(together.map((at, position) => [at, bound[position]]));
  const results: Result<Binding>[] = [];
  for (const [at, one] of asked.entries()) {
    const before = answers[at];
    if (before !== undefined) {
      results.push(succeed(before));
      continue;
    }
    if (!answered.has(at)) await tables.ensureAll();
    const answer = answered.get(at) ?? (await shadow.bind(one.rendered.sql));
    const result = readAnswer(one, answer, context);
    const key = keys[at];
    if (result.ok && key !== undefined) cache.keepBinding(key, result.value);
    results.push(result);
  }
  return results;
}

function readAnswer(one: Askable, answer: Bound, { tables, known }: BindContext): Result<Binding> {
  const { rendered, query, reads } = one;
  if (answer.type === 'error') {
    const diagnostic = engineDiagnostic(answer.error, query, rendered, known);
    const related = answer.error.type === 'column' ? tables.columnsOf(reads) : [];
    return { ok: false, errors: [related.length === 0 ? diagnostic : { ...diagnostic, related }] };
  }
  const lineage =
    answer.type === 'bound'
      ? readPlan(answer.plan, answer.columns, query.text)
      : unknownLineage(answer.reason, { tables: reads, columns: answer.columns, text: query.text });
  return succeed({ columns: answer.columns, lineage });
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
    const rendered = renderForBinding(statement, model, project);
    if (!rendered.ok) return rendered.errors[0];
    try {
      await shadow.database.run(rendered.value.sql);
    } catch (thrown) {
      return { code: 'SL0202', severity: 'error', message: firstLine(thrown), location: statementLocation(statement) };
    }
  }
  return undefined;
}

/** Tables that only the plan shows (inside macros, as arguments) must be part of the project too. */
function undeclaredReads(reads: {
  readonly model: Model;
  readonly parents: readonly string[];
  readonly known: ReadonlySet<string>;
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
