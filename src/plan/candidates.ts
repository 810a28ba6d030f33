import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { type TableName, tableKey } from '../domain/names.js';
import type { Change } from '../domain/plan.js';
import { builtKey, type DataPrint, type Dataset, type LakeState, type Snapshot } from '../domain/snapshot.js';
import { dataPrint, versionedData } from '../lineage/data-print.js';
import { judgeIndirect, judgeModified } from './compare.js';
import { compareDefinitions, isSameDefinition, layoutOf, modelDefinition, semanticsOf } from './definition.js';

/** A model as the plan wants it, with how it differs from what the environment has. */
export interface Candidate {
  readonly snapshot: Snapshot;
  /** Undefined when nothing changes it. */
  readonly change?: Change;
  /** The physical table that holds a forward-only change before it is in prod. */
  readonly previewVersion: string;
}

export interface CandidateRequest {
  readonly project: BoundProject;
  readonly state: LakeState;
  /** What the target environment (or what it is based on) has now, by model key. */
  readonly baseline: ReadonlyMap<string, Snapshot>;
  /** Versions of the sources in the baseline, by name. */
  readonly baselineSources: Readonly<Record<string, string>>;
  /** Models whose local version counts; undefined: all. */
  readonly selected: ReadonlySet<string> | undefined;
  readonly forwardOnly: boolean;
}

interface Tables {
  readonly data: Map<string, DataPrint>;
  readonly versions: Map<string, string>;
}

/**
 * Works out, parents first, which version of each model the environment should have: the data that it would hold, the
 * table that holds it, and what kind of change that is. A model that is not selected stays as the baseline has it.
 */
export function buildCandidates(request: CandidateRequest): readonly Candidate[] {
  const after = sourceTables(
    request.project.sources.flatMap((source) =>
      source.elements.map((element) => ({
        source: source.source.name,
        table: element.table,
        version: source.version,
        columns: element.columns,
      })),
    ),
  );
  const before = baselineTables(request);
  const changed = new Map<string, Change>();
  const changedSources = changedSourceTables(request);
  const candidates: Candidate[] = [];
  for (const bound of request.project.models) {
    if (bound.model.kind.storage === 'outside') continue;
    const candidate = isSelected(bound, request)
      ? localCandidate(bound, { request, after, before, changed, changedSources })
      : keptCandidate(bound, request);
    if (candidate === undefined) continue;
    const { snapshot } = candidate;
    candidates.push(candidate);
    after.data.set(snapshot.key, snapshot.data);
    after.versions.set(snapshot.key, snapshot.version);
    if (candidate.change !== undefined) changed.set(snapshot.key, candidate.change);
  }
  // What could not be read stays as the baseline has it; nothing that is read depends on it.
  for (const { model } of request.project.left?.models ?? []) {
    const snapshot = request.baseline.get(model);
    if (snapshot !== undefined) candidates.push({ snapshot, previewVersion: snapshot.version });
  }
  return candidates;
}

function isSelected(bound: BoundModel, { selected }: CandidateRequest): boolean {
  return selected === undefined || selected.has(bound.model.key);
}

function keptCandidate(bound: BoundModel, { baseline }: CandidateRequest): Candidate | undefined {
  const snapshot = baseline.get(bound.model.key);
  return snapshot === undefined ? undefined : { snapshot, previewVersion: snapshot.version };
}

function sourceTables(
  elements: readonly {
    readonly source: string;
    readonly table: string;
    readonly version: string;
    readonly columns: readonly { readonly name: string }[];
  }[],
): Tables {
  const tables: Tables = { data: new Map(), versions: new Map() };
  for (const { source, table, version, columns } of elements) {
    const key = tableKey({ schema: source, table: table.toLowerCase() });
    tables.data.set(key, versionedData(key, version, columns));
    tables.versions.set(key, version);
  }
  return tables;
}

function baselineTables({ state, baseline, baselineSources }: CandidateRequest): Tables {
  const datasets = Object.entries(baselineSources).flatMap(([source, version]): readonly Dataset[] => {
    const dataset = state.datasets.get(`${source}@${version}`);
    return dataset === undefined ? [] : [dataset];
  });
  const tables = sourceTables(
    datasets.flatMap((dataset) =>
      dataset.elements.map((element) => ({
        source: dataset.source,
        table: element.table,
        version: dataset.version,
        columns: element.columns,
      })),
    ),
  );
  for (const [key, snapshot] of baseline) {
    tables.data.set(key, snapshot.data);
    tables.versions.set(key, snapshot.version);
  }
  return tables;
}

function changedSourceTables({ project, baselineSources }: CandidateRequest): ReadonlyMap<string, string> {
  const changed = new Map<string, string>();
  for (const source of project.sources) {
    if (baselineSources[source.source.name] === source.version) continue;
    for (const element of source.elements)
      changed.set(tableKey({ schema: source.source.name, table: element.table.toLowerCase() }), source.source.name);
  }
  return changed;
}

interface Context {
  readonly request: CandidateRequest;
  readonly after: Tables;
  readonly before: Tables;
  readonly changed: ReadonlyMap<string, Change>;
  /** Table key → source. */
  readonly changedSources: ReadonlyMap<string, string>;
}

function localCandidate(bound: BoundModel, context: Context): Candidate {
  const { request, after } = context;
  const own = freshSnapshot(bound, request, after);
  const base = request.baseline.get(own.key);
  const fresh = { ...own, owner: tableOwner(own, base, request) };
  const recorded = request.state.snapshots.get(fresh.fingerprint) ?? fresh;
  if (base === undefined)
    return { snapshot: recorded, previewVersion: recorded.version, change: addedChange(recorded, request.state) };
  const inherited = inheritedForwardOnly(fresh, base, bound, context);
  const isOwn = asksForForwardOnly(fresh, base, bound, context);
  const snapshot =
    isOwn || inherited !== undefined
      ? { ...fresh, version: base.version, owner: base.owner, forwardOnly: true }
      : recorded;
  // A preview must never share the table that prod reads.
  const previewVersion =
    inherited === undefined ? fresh.version : digest(fresh.version, 'preview', ...inherited).slice(0, 10);
  const change = changeOf(base, snapshot, bound, context);
  return change === undefined ? { snapshot, previewVersion } : { snapshot, previewVersion, change };
}

/** The snapshot that the local files alone ask for. */
function freshSnapshot(bound: BoundModel, request: CandidateRequest, after: Tables): Snapshot {
  const { model, lineage, columns, parents } = bound;
  const definition = modelDefinition(bound, request.project.project.audits);
  const parentOf = (table: string): DataPrint | undefined => (table === model.key ? undefined : after.data.get(table));
  const query = dataPrint(lineage, semanticsOf(definition), parentOf);
  const types = digest(...columns.map((column) => `${column.name.toLowerCase()} ${column.type}`));
  const order = lineage.known ? lineage.print.order : '';
  const content = [
    types,
    layoutOf(definition),
    order,
    query.rows,
    ...columns.map((column) => query.columns[column.name.toLowerCase()] ?? ''),
  ];
  // A view holds no rows: it must point at its parents' tables of now, whatever it reads of them.
  const pointers = model.kind.storage === 'table' ? [] : parents.map((parent) => after.versions.get(parent) ?? parent);
  const version = digest(...content, ...pointers).slice(0, 10);
  const fingerprint = digest(model.key, canonicalJson(definition), ...content, ...pointers, ...parents);
  const { kind } = model;
  return {
    key: model.key,
    name: model.name,
    fingerprint,
    version,
    owner: model.name,
    storage: kind.storage,
    history: kind.history,
    ...(kind.restatesWhole === true ? { restatesWhole: true } : {}),
    kindName: kind.name,
    definition,
    file: model.file.path,
    text: model.file.text,
    lineage,
    data: query,
    columns,
    parents,
    restatable: kind.restatable,
    schedule: {
      cron: model.cron,
      intervalUnit: model.intervalUnit,
      ...(model.start === undefined ? {} : { start: model.start }),
      ...(model.end === undefined ? {} : { end: model.end }),
      allowPartials: model.allowPartials,
      lookback: kind.lookback,
      ...(kind.batchSize === undefined ? {} : { batchSize: kind.batchSize }),
      ...(kind.autoRestatement === undefined ? {} : { autoRestatement: kind.autoRestatement }),
    },
    forwardOnly: false,
  };
}

/** A new kind, and a seed, cannot take over a table; a change that gives the same table needs no such care. */
function canKeepTable(fresh: Snapshot, base: Snapshot): boolean {
  return fresh.kindName === base.kindName && fresh.storage === 'table' && fresh.history !== 'once';
}

/** The model's own change is to apply to later rows only: its header or the plan says so. */
function asksForForwardOnly(fresh: Snapshot, base: Snapshot, bound: BoundModel, { request }: Context): boolean {
  if (!canKeepTable(fresh, base) || fresh.version === base.version) return false;
  return isModifiedBy(base, fresh) && (bound.model.kind.forwardOnly || request.forwardOnly);
}

/** All that changed upstream applies to later rows only, so this model keeps its table as well. @returns what changed, by name */
function inheritedForwardOnly(
  fresh: Snapshot,
  base: Snapshot,
  bound: BoundModel,
  { request, changed }: Context,
): readonly string[] | undefined {
  if (!canKeepTable(fresh, base) || isModifiedBy(base, fresh)) return undefined;
  const reaching = bound.parents
    .flatMap((parent) => (parent === fresh.key ? [] : (changed.get(parent) ?? [])))
    .filter((change) => change.category !== 'metadata');
  const isForwardOnly = reaching.length > 0 && reaching.every((change) => change.forwardOnly || request.forwardOnly);
  return isForwardOnly ? reaching.map((change) => `${change.model} ${change.reason}`) : undefined;
}

function isModifiedBy(base: Snapshot, fresh: Snapshot): boolean {
  return !isSameDefinition(compareDefinitions(base.definition, fresh.definition));
}

/** Under whose name the table of this version was made, if there is one: its own, or that of a model that is gone (a rename). */
function tableOwner(fresh: Snapshot, base: Snapshot | undefined, { state, project }: CandidateRequest): TableName {
  if (base?.version === fresh.version) return base.owner;
  if (fresh.storage !== 'table') return fresh.name;
  const present = new Set(project.models.map((bound) => bound.model.key));
  const same = [...state.snapshots.values()].filter(
    (candidate) => candidate.version === fresh.version && candidate.storage === 'table' && isBuilt(candidate, state),
  );
  const made =
    same.find((candidate) => candidate.key === fresh.key) ?? same.find((candidate) => !present.has(candidate.key));
  return made?.owner ?? fresh.name;
}

function addedChange(snapshot: Snapshot, state: LakeState): Change {
  const owner = tableKey(snapshot.owner);
  const isRenamed = owner !== snapshot.key && isBuilt(snapshot, state);
  return {
    model: snapshot.key,
    type: 'added',
    category: 'breaking',
    forwardOnly: false,
    reused: isRenamed,
    because: [],
    reason: isRenamed ? `the same as ${owner}, whose table it takes over` : 'new model',
    columns: { added: snapshot.columns.map((column) => column.name.toLowerCase()), removed: [], changed: [] },
  };
}

function changeOf(base: Snapshot, snapshot: Snapshot, bound: BoundModel, context: Context): Change | undefined {
  const { changed, changedSources, before, after, request } = context;
  const upstream = bound.parents.flatMap((parent) => (parent === snapshot.key ? [] : (changed.get(parent) ?? [])));
  const sources = [...new Set(bound.parents.flatMap((parent) => changedSources.get(parent) ?? []))];
  const because = [
    ...new Set([
      ...sources,
      ...upstream.flatMap((change) => (change.type === 'indirect' ? change.because : [change.model])),
    ]),
  ].sort();
  const isModified = isModifiedBy(base, snapshot);
  if (!isModified && because.length === 0) return undefined;
  const isMetadataOnly = sources.length === 0 && upstream.every((change) => change.category === 'metadata');
  const judged = isModified
    ? judgeModified(base, snapshot)
    : judgeIndirect(base, snapshot, {
        dataBefore: (table) => before.data.get(table),
        dataAfter: (table) => after.data.get(table),
        isMetadataOnly,
      });
  // A preview of a forward-only change holds part of the rows: whatever reads it is previewed with it.
  const isPreviewed = !isModified && snapshot.forwardOnly && upstream.some((change) => change.category === 'breaking');
  return {
    model: snapshot.key,
    type: isModified ? 'modified' : 'indirect',
    category: isPreviewed ? 'breaking' : judged.category,
    forwardOnly: snapshot.forwardOnly,
    reused: snapshot.version === base.version || isBuilt(snapshot, request.state) || isSameView(base, snapshot),
    because,
    reason: isPreviewed && judged.category !== 'breaking' ? 'reads a model that changes from now on' : judged.reason,
    columns: judged.columns,
  };
}

function isBuilt(snapshot: Snapshot, state: LakeState): boolean {
  return (state.built.get(builtKey(snapshot, snapshot.version)) ?? []).length > 0;
}

/** A view over other tables with the same meaning: nothing is computed for it. */
function isSameView(base: Snapshot, snapshot: Snapshot): boolean {
  return (
    snapshot.storage === 'view' &&
    base.storage === 'view' &&
    JSON.stringify(base.data) === JSON.stringify(snapshot.data)
  );
}

/** Models of the baseline that the project no longer has. */
export function removedChanges(baseline: ReadonlyMap<string, Snapshot>, kept: ReadonlySet<string>): readonly Change[] {
  return [...baseline.values()]
    .filter((snapshot) => !kept.has(snapshot.key))
    .map((snapshot) => ({
      model: snapshot.key,
      type: 'removed',
      category: 'breaking',
      forwardOnly: false,
      reused: false,
      because: [],
      reason: 'no longer in the project',
      columns: { added: [], removed: snapshot.columns.map((column) => column.name.toLowerCase()), changed: [] },
    }));
}
