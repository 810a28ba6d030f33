import { orderGraph } from '../dag/graph.js';
import type { BoundModel, BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { Model, SqlText } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import type { Lineage } from '../domain/query-print.js';
import type { ShadowCatalog } from '../effects/shadow-catalog.js';
import { readPlan, unknownLineage } from '../lineage/read-plan.js';
import { type Rendered, renderMacros } from '../parse/macros.js';
import type { BindCache } from './bind-cache.js';
import type { Binding } from './binding.js';
import { engineDiagnostic } from './engine-diagnostic.js';
import { cycleDiagnostics, missingParents } from './graph-diagnostics.js';
import { readSeed, type SeedEffects } from './read-seed.js';
import { bindingVariables, type ReadModel, readTexts, sourceTableKeys } from './read-texts.js';
import { ShadowTables } from './shadow-tables.js';
import { columnDescriptions, declaredTypes, firstLine, statementLocation, tableColumns } from './table-columns.js';

export interface BindModelsRequest {
  readonly project: Project;
  readonly sources: readonly BoundSource[];
  readonly shadow: ShadowCatalog;
  readonly cache: BindCache;
  readonly seedEffects: SeedEffects;
}

/**
 * Binds every model in topological order: its parents stand as empty tables in the shadow catalog, DuckDB says which
 * columns it gives and from where. A model below a broken one is not bound: its errors would only repeat the cause.
 */
export async function bindModels(
  request: BindModelsRequest,
): Promise<{ readonly models: readonly BoundModel[]; readonly diagnostics: readonly Diagnostic[] }> {
  const { project, sources, shadow } = request;
  const tables = new ShadowTables(shadow);
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const read = await readTexts(request, errors);
  const sourceTables = addSources(sources, tables);
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
    const result = await bindModel(one, { ...request, tables, known });
    if (result.ok) {
      bound.push(result.value);
      // Nobody can be bound against a table whose columns are not known; the reason has been said.
      if (result.value.columns.length === 0) broken.add(key);
      warnings.push(...result.warnings);
    } else {
      broken.add(key);
      errors.push(...result.errors);
    }
  }
  return { models: bound, diagnostics: [...errors, ...warnings] };
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

async function bindModel(one: ReadModel, request: BindContext): Promise<Result<BoundModel>> {
  const { model, rendered } = one;
  const { shadow, tables, known } = request;
  if (model.kind.storage === 'outside') return bindExternal(model, request);
  if (model.kind.seed !== undefined) return bindSeed(model, model.kind.seed, request);
  if (model.query === undefined || rendered === undefined) throw new Error(`${model.key} has no query`);
  // A model that reads itself needs its own columns before they are known: they must be declared.
  const unknown = unknownTables(model.query, one, known);
  if (unknown.length > 0) return { ok: false, errors: unknown };
  if (one.reads.includes(model.key)) {
    if (model.declaredColumns.length === 0) return { ok: false, errors: [readsItself(model)] };
    tables.addTable(model.key, model.name, model.declaredColumns);
  }
  const preparation = await runMacroDefinitions(model, request);
  if (preparation !== undefined) return { ok: false, errors: [preparation] };
  const binding = await bindQuery({ ...one, rendered, query: model.query }, request);
  if (!binding.ok) return binding;
  const { lineage } = binding.value;
  const inPlan = lineage.known ? lineage.print.tables : lineage.tables;
  const parents = [...new Set([...one.reads, ...inPlan])].sort();
  const declared = await declaredTypes(model, shadow);
  if (!declared.ok) return declared;
  const { columns, problems } = tableColumns(
    model,
    binding.value.columns.length > 0 ? binding.value.columns : declared.value,
    declared.value,
  );
  const errors = [
    ...problems,
    ...undeclaredReads({ model, rendered, parents, known, inPlan }),
    ...sourcePromises(model, parents, request.sources),
    ...unknownLineageLint(model, lineage),
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

/** Asks DuckDB, unless it was asked the same before. Texts that read files, or come with statements of their own, are always asked. */
async function bindQuery(
  one: ReadModel & { readonly rendered: Rendered; readonly query: SqlText },
  { shadow, cache, tables, known }: BindContext,
): Promise<Result<Binding>> {
  const { model, rendered, query, reads } = one;
  const isKept =
    model.preStatements.length === 0 && !readsFiles.test(rendered.sql) && one.references?.hasOpenCalls !== true;
  const key = cache.bindingKey(rendered.sql, tables.signatures([...reads].sort()));
  const kept = isKept ? cache.binding(key) : undefined;
  if (kept !== undefined) return succeed(kept);
  if (isKept) await tables.ensure(reads);
  else await tables.ensureAll();
  const answer = await shadow.bind(rendered.sql);
  if (answer.type === 'error') {
    const diagnostic = engineDiagnostic(answer.error, query, rendered, known);
    const related = answer.error.type === 'column' ? tables.columnsOf(reads) : [];
    return { ok: false, errors: [related.length === 0 ? diagnostic : { ...diagnostic, related }] };
  }
  const lineage =
    answer.type === 'bound'
      ? readPlan(answer.plan, answer.columns, query.text)
      : unknownLineage(answer.reason, { tables: reads, columns: answer.columns, text: query.text });
  const binding = { columns: answer.columns, lineage };
  if (isKept) cache.keepBinding(key, binding);
  return succeed(binding);
}

/** Functions and quoted names that stand for files, whose columns can change while the text does not. */
const readsFiles = /\b(?:read_\w+|\w+_scan|glob|sniff_csv|query|query_table)\s*\(|\b(?:from|join)\s*'/i;

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

async function bindExternal(model: Model, { shadow, tables }: BindContext): Promise<Result<BoundModel>> {
  try {
    await shadow.declareTable(model.name, model.declaredColumns);
    tables.addTable(model.key, model.name, model.declaredColumns);
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
  request: BindContext,
): Promise<Result<BoundModel>> {
  const read = await readSeed(model, seed, request.seedEffects);
  if (!read.ok) return read;
  const declared = await declaredTypes(model, request.shadow);
  if (!declared.ok) return declared;
  const { columns, problems } = tableColumns(model, read.value.columns, declared.value);
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, errors: problems };
  request.tables.addTable(model.key, model.name, columns);
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
