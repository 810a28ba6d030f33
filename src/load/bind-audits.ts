import { orderGraph } from '../dag/graph.js';
import { tablesOfCall } from '../domain/anndata-macros.js';
import type { BoundAudit, BoundModel, BoundSource } from '../domain/bound-project.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import type { Audit, SqlText } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Project } from '../domain/project.js';
import type { References } from '../domain/references.js';
import type { Parsed, ShadowCatalog } from '../effects/shadow-catalog.js';
import { attachAudits, auditQuery } from '../parse/audit-query.js';
import { bindingInterval } from '../parse/macros/index.js';
import { tableReferences } from '../parse/references.js';
import type { BindCache } from './bind-cache.js';
import { cycleDiagnostics } from './graph-diagnostics.js';
import { bindingScope } from './macro-scope.js';
import { sourceTableKeys } from './read-texts.js';
import { standaloneQuery } from './standalone-audit.js';

export interface BindAuditsRequest {
  readonly project: Project;
  readonly models: readonly BoundModel[];
  readonly sources: readonly BoundSource[];
  readonly shadow: ShadowCatalog;
  readonly cache: BindCache;
}

export interface BoundAudits {
  /** With the tables of their audits among their parents: those must be there when the audits run. In topological order. */
  readonly models: readonly BoundModel[];
  readonly audits: readonly BoundAudit[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Stands for the audited table while an audit is only read. */
const THIS_MODEL = '"scilake this model"';

/** Finds out which tables audits read besides the model that they are about. */
export async function bindAudits(request: BindAuditsRequest): Promise<BoundAudits> {
  const { project, models, sources } = request;
  const known = new Set([...project.models.map((model) => model.key), ...sources.flatMap(sourceTableKeys)]);
  const diagnostics: Diagnostic[] = [];
  const texts: AuditText[] = models.flatMap((bound) => modelAuditTexts(bound, project));
  const alone = [...project.audits.values()].filter((audit) => audit.standalone !== undefined && !audit.skip);
  for (const audit of alone) {
    const query = standaloneQuery(audit, project, {
      interval: bindingInterval,
      executionTime: bindingInterval.end,
      environment: '',
    });
    if (query.ok) texts.push({ owner: audit.name, audit, sql: query.value, location: audit.location });
    else diagnostics.push(...query.errors);
  }
  const references = await referencesOf(texts, request, diagnostics);
  const reads = new Map<string, Set<string>>();
  for (const [at, text] of texts.entries()) {
    const named = namedTables(references[at]);
    for (const key of named.filter((candidate) => !known.has(candidate)))
      diagnostics.push(unknownTable(text, key, known));
    const all = reads.get(text.owner) ?? new Set();
    for (const key of named) if (key !== text.owner) all.add(key);
    reads.set(text.owner, all);
  }
  const withParents = models.map((bound) => {
    const more = reads.get(bound.model.key) ?? [];
    return { ...bound, parents: [...new Set([...bound.parents, ...more])].sort() };
  });
  const byKey = new Map(withParents.map((bound) => [bound.model.key, bound]));
  const { graph, cycles } = orderGraph(new Map(withParents.map((bound) => [bound.model.key, bound.parents])));
  diagnostics.push(...cycleDiagnostics(cycles, (key) => byKey.get(key)?.model));
  const audits = alone.map((audit): BoundAudit => {
    const declared = audit.standalone?.dependsOn ?? [];
    for (const { key, location } of declared.filter((dependency) => !known.has(dependency.key)))
      diagnostics.push(unknownTable({ owner: audit.name, audit, sql: '', location }, key, known));
    const all = [...(reads.get(audit.name) ?? []), ...declared.map((dependency) => dependency.key)];
    return { audit, reads: [...new Set(all)].sort() };
  });
  return { models: graph.order.flatMap((key) => byKey.get(key) ?? []), audits, diagnostics };
}

interface AuditText {
  /** The model's key, or the name of an audit that stands alone. */
  readonly owner: string;
  readonly audit: Audit;
  readonly sql: string;
  readonly location: Diagnostic['location'];
}

function modelAuditTexts({ model }: BoundModel, project: Project): readonly AuditText[] {
  if (model.audits.length === 0) return [];
  const attached = attachAudits(model.audits, model.inlineAudits, project.audits);
  // Nearly all audits read their own table only, and a scope takes time to set up.
  const others = attached.filter((one) => mayReadOthers(one.audit.query));
  if (others.length === 0) return [];
  const { scope } = bindingScope(project, model);
  return others.flatMap((one): readonly AuditText[] => {
    const sql = auditQuery(one, THIS_MODEL, scope);
    // Errors in arguments have been reported where the call stands.
    return sql.ok ? [{ owner: model.key, audit: one.audit, sql: sql.value, location: one.call.location }] : [];
  });
}

/** A name in two parts, or a table whose name is filled in, may be another table. */
function mayReadOthers(query: SqlText): boolean {
  return /["\w]\s*\.\s*["\w]|\b(?:from|join)\s+(?!@this_model\b)@/i.test(query.text) || query.jinja !== undefined;
}

async function referencesOf(
  texts: readonly AuditText[],
  { shadow, cache }: BindAuditsRequest,
  diagnostics: Diagnostic[],
): Promise<readonly (References | undefined)[]> {
  const kept = texts.map((text) => cache.references(text.sql));
  const open = texts.flatMap((text, at) => (kept[at] === undefined ? [{ text, at }] : []));
  const parsed = await shadow.parse(open.map(({ text }) => text.sql));
  const found = [...kept];
  for (const [position, { text, at }] of open.entries()) {
    const answer = parsed[position];
    if (answer?.type === 'tree') {
      const references = tableReferences(answer.tree);
      cache.keepReferences(text.sql, references);
      found[at] = references;
    } else if (answer !== undefined) diagnostics.push(...unreadable(text, answer));
  }
  return found;
}

function unreadable({ audit, location }: AuditText, answer: Parsed): readonly Diagnostic[] {
  if (answer.type !== 'error') return [];
  return [
    {
      code: 'SL0201',
      severity: 'error',
      message: `audit ${audit.name}: ${answer.error.message}`,
      ...(location === undefined ? {} : { location }),
      related: [{ message: 'the audit is here', location: audit.location }],
    },
  ];
}

function namedTables(references: References | undefined): readonly string[] {
  const tables = (references?.tables ?? [])
    .filter((reference) => reference.schema !== '' && reference.catalog === '')
    .map((reference) => tableKey({ schema: reference.schema.toLowerCase(), table: reference.table.toLowerCase() }));
  const named = [...tables, ...(references?.macroCalls ?? []).flatMap(tablesOfCall)];
  return [...new Set(named)].filter((key) => !/^(?:information_schema|pg_catalog)\./.test(key));
}

function unknownTable({ audit, location }: AuditText, key: string, known: ReadonlySet<string>): Diagnostic {
  return {
    code: 'SL0302',
    severity: 'error',
    message: `audit ${audit.name} reads ${key}, which is not in the project`,
    ...(location === undefined ? {} : { location }),
    hint: didYouMean(key, known) ?? 'declare it as a model, a source or in external_models.yaml',
  };
}
