import { tablesOfCall } from '../domain/anndata-macros.js';
import type { BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, fail, type Result } from '../domain/diagnostic.js';
import type { Model, SqlText } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import type { References } from '../domain/references.js';
import type { Parsed, ShadowCatalog } from '../effects/shadow-catalog.js';
import { classifyStatements } from '../effects/statement-classifier.js';
import { isPlain, type Rendered, renderMacros, scopeOf } from '../parse/macros/index.js';
import { tableReferences } from '../parse/references.js';
import type { BindCache } from './bind-cache.js';
import { engineDiagnostic } from './engine-diagnostic.js';
import { bindingScope, type ScopeRequest } from './macro-scope.js';

/** A model whose text has been read, but not bound. */
export interface ReadModel {
  readonly model: Model;
  readonly rendered: Rendered | undefined;
  readonly references: References | undefined;
  /** Keys of all that its text names or its header declares. */
  readonly reads: readonly string[];
  /** Its text cannot be read; that has been reported. */
  readonly isBroken: boolean;
}

export interface ReadTextsRequest {
  readonly project: Project;
  readonly sources: readonly BoundSource[];
  readonly shadow: ShadowCatalog;
  readonly cache: BindCache;
}

/** A text of a model with its macros expanded as they are while it is bound. */
export function renderForBinding(
  sql: SqlText,
  model: Model,
  project: Project,
  columnsOf?: ScopeRequest['columnsOf'],
): Result<Rendered> {
  // Most texts hold no macro, and a scope takes time to set up.
  if (isPlain(sql)) return renderMacros(sql, scopeOf(new Map()));
  const { scope, errors } = bindingScope(project, model, columnsOf);
  return errors.length > 0 ? fail(...errors) : renderMacros(sql, scope);
}

/** Reads the text of every model: variables filled in, tables named, syntax errors noted. One question to the parser for all. */
export async function readTexts(
  { project, shadow, sources, cache }: ReadTextsRequest,
  errors: Diagnostic[],
): Promise<readonly ReadModel[]> {
  const unrendered = new Set<number>();
  const rendered = project.models.map((model, at): Rendered | undefined => {
    if (model.query === undefined) return undefined;
    const result = renderForBinding(model.query, model, project);
    if (result.ok) return result.value;
    errors.push(...result.errors);
    unrendered.add(at);
    return { sql: 'SELECT 1', originOf: (offset) => offset, used: [], needsColumns: false };
  });
  const kept = rendered.map((one) => (one === undefined ? undefined : cache.references(one.sql)));
  const withQuery = rendered.flatMap((one, at) =>
    one === undefined || kept[at] !== undefined ? [] : [{ at, sql: one.sql }],
  );
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
    const references = kept[at] ?? (answer?.type === 'tree' ? tableReferences(answer.tree) : undefined);
    if (one !== undefined && answer?.type === 'tree' && references !== undefined)
      cache.keepReferences(one.sql, references);
    const named =
      one === undefined ? [] : namedTables({ model, rendered: one, answer, references }, { errors, knownKeys });
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
  /** Undefined when the references were known already. */
  readonly answer: Parsed | undefined;
  readonly references: References | undefined;
}

function namedTables(
  { model, rendered, answer, references }: NamedText,
  context: { readonly errors: Diagnostic[]; readonly knownKeys: readonly string[] },
): readonly string[] {
  if (model.query === undefined) return [];
  if (answer?.type === 'error') {
    context.errors.push(engineDiagnostic(answer.error, model.query, rendered, []));
    return [];
  }
  // No tree (a dynamic PIVOT): every known name that the text holds counts; one too many only delays, one too few would be wrong.
  if (answer?.type === 'opaque') return context.knownKeys.filter((key) => mentions(rendered.sql, key));
  const named = (references?.tables ?? [])
    .filter((reference) => reference.schema !== '')
    .map((reference) => tableKey({ schema: reference.schema.toLowerCase(), table: reference.table.toLowerCase() }));
  return [...named, ...(references?.macroCalls ?? []).flatMap(tablesOfCall)];
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

/** Keys of a source's tables. */
export function sourceTableKeys(source: BoundSource): readonly string[] {
  return source.elements.map((element) => tableKey({ schema: source.source.name, table: element.table.toLowerCase() }));
}
