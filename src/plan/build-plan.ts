import { orderGraph, reach } from '../dag/graph.js';
import { SelectorError, type SelectorFacts, select } from '../dag/selector.js';
import type { BoundProject } from '../domain/bound-project.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { type Interval, subtract } from '../domain/interval.js';
import type { Model } from '../domain/model.js';
import { PROD } from '../domain/names.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Plan, PlanOptions } from '../domain/plan.js';
import type { Environment, EnvironmentModel, LakeState, Snapshot } from '../domain/snapshot.js';
import { endOf, parseInstant } from '../domain/time.js';
import { buildCandidates, type Candidate, removedChanges } from './candidates.js';
import { compareSources, frozenProblems } from './compare-sources.js';
import { gapProblems, missingByModel } from './missing.js';
import { compareSchemas, schemaChangeProblems } from './schema-change.js';
import { planSteps, renamedColumns } from './steps.js';

/**
 * Compares the project with what the lake records and lists the steps between: the whole of what `apply` will do. Pure;
 * the time is in the options.
 */
export function buildPlan(
  project: BoundProject,
  state: LakeState,
  options: PlanOptions,
  ready: ReadyIntervals = new Map(),
): Result<Plan> {
  const problems = optionProblems(options);
  const current = state.environments.get(options.environment);
  const base = current ?? state.environments.get(options.createFrom ?? PROD);
  const baseline = snapshotsOf(base, state);
  const graph = orderGraph(new Map(project.models.map((bound) => [bound.model.key, bound.parents]))).graph;
  const facts = selectorFacts(project, options, baseline);
  const pick = (selectors: readonly string[]): ReadonlySet<string> => {
    try {
      const { nodes, unmatched } = select(selectors, graph, facts);
      for (const selector of unmatched) problems.push(unmatchedSelector(selector, graph.order));
      return nodes;
    } catch (thrown) {
      if (!(thrown instanceof SelectorError)) throw thrown;
      problems.push({ code: 'SL0403', severity: 'error', message: thrown.message });
      return new Set();
    }
  };
  const selected = options.selectModels.length === 0 ? undefined : pick(options.selectModels);
  const restatedByName = pick(options.restateModels);
  const picked = options.backfillModels.length === 0 ? undefined : pick(options.backfillModels);
  const backfilled = picked === undefined || options.withoutUpstream === true ? picked : reach(picked, graph.parents);
  const request = {
    project,
    state,
    baseline,
    baselineSources: base?.sources ?? {},
    selected,
    forwardOnly: options.forwardOnly,
  };
  const candidates = buildCandidates(request);
  const kept = new Set(candidates.map((candidate) => candidate.snapshot.key));
  const removed = selected === undefined ? removedChanges(baseline, kept) : [];
  const changes = [...candidates.flatMap((candidate) => candidate.change ?? []), ...removed];
  const leftModels = new Set((project.left?.models ?? []).map(({ model }) => model));
  const leftSources = Object.entries(base?.sources ?? {}).filter(([name]) => project.left?.sources.includes(name));
  const sourceChanges = compareSources(project.sources, withoutKeys(base?.sources ?? {}, leftSources), state.datasets);
  const allowed = { destructive: pick(options.allowDestructiveModels), additive: pick(options.allowAdditiveModels) };
  problems.push(
    ...frozenProblems(project.sources, base?.sources ?? {}, state.datasets),
    ...forwardOnlyProblems(project, candidates, baseline, allowed),
    ...columnlessProblems(project, candidates),
  );
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) return fail(...problems);
  if (
    current === undefined &&
    options.environment !== PROD &&
    base !== undefined &&
    changes.length + sourceChanges.length === 0 &&
    !options.includeUnmodified &&
    restatedByName.size === 0
  ) {
    return fail(noChanges(options.environment));
  }
  const models = targetModels(candidates, { state, options, current });
  const shared = sharedWithProd(models, state, options);
  problems.push(...restatementProblems(project, restatedByName, shared));
  // What reads them and is prod's own reads nothing that is made again here: prod keeps it.
  const restated = new Set([...reach(restatedByName, graph.children)].filter((key) => !shared.has(key)));
  const allMissing = missingByModel({
    candidates,
    models,
    state,
    options,
    restated,
    current,
    prod: state.environments.get(PROD),
  });
  const byKey = new Map(candidates.map((candidate) => [candidate.snapshot.key, candidate.snapshot]));
  const missing = Object.fromEntries(
    Object.entries(allMissing)
      .filter(([key]) => !leftModels.has(key) && (backfilled === undefined || backfilled.has(key)))
      .map(([key, intervals]) => [key, onlyReady(intervals, ready.get(key), byKey.get(key))] as const)
      .filter(([, intervals]) => intervals.length > 0),
  );
  if (options.noGaps) problems.push(...gapProblems({ candidates, models, state, current, missing }));
  if (problems.some((problem) => problem.severity === 'error')) return fail(...problems);
  const target: Environment = {
    name: options.environment,
    planId: '',
    sequence: (current?.sequence ?? 0) + 1,
    models,
    sources: {
      ...Object.fromEntries(leftSources),
      ...Object.fromEntries(project.sources.map((source) => [source.source.name, source.version])),
    },
  };
  const steps = planSteps({ project, state, candidates, target, current, baseline, missing, restated, options });
  const body = {
    options,
    environment: options.environment,
    ...(base === undefined ? {} : { basedOn: base.name }),
    lakeSnapshot: state.lakeSnapshot,
    changes,
    sourceChanges,
    missing,
    steps,
    target,
    snapshots: candidates.map((candidate) => candidate.snapshot),
    warnings: problems,
  };
  const fingerprints = body.snapshots.map((snapshot) => snapshot.fingerprint);
  const id = digest(
    canonicalJson(JSON.parse(JSON.stringify({ ...body, snapshots: fingerprints, warnings: [] }))),
  ).slice(0, 12);
  return succeed({ ...body, id, target: { ...target, planId: id } }, problems);
}

function withoutKeys(
  all: Readonly<Record<string, string>>,
  left: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> {
  const names = new Set(left.map(([name]) => name));
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.has(name)));
}

/** What signals let through, by model; models without an entry wait for nothing. */
export type ReadyIntervals = ReadonlyMap<string, readonly Interval[]>;

/** A table that is made as a whole waits until all of it is ready. */
function onlyReady(
  missing: readonly Interval[],
  ready: readonly Interval[] | undefined,
  snapshot: Snapshot | undefined,
): readonly Interval[] {
  if (ready === undefined) return missing;
  const late = subtract(missing, ready);
  return snapshot?.history === 'intervals' ? subtract(missing, late) : late.length === 0 ? missing : [];
}

/** What selectors may ask of a project's models. */
function selectorFacts(
  project: BoundProject,
  options: PlanOptions,
  baseline: ReadonlyMap<string, Snapshot>,
): SelectorFacts {
  const models = new Map(project.models.map((bound) => [bound.model.key, bound.model]));
  return {
    tagsOf: (node) => models.get(node)?.tags ?? [],
    pathOf: (node) => models.get(node)?.file.path,
    changedSince(reference) {
      const changed = new Set(options.gitChanges[reference] ?? []);
      return new Set([...models].filter(([, model]) => changed.has(model.file.path)).map(([key]) => key));
    },
    modified: () =>
      new Set([...models].filter(([key, model]) => baseline.get(key)?.text !== model.file.text).map(([key]) => key)),
  };
}

/** The snapshots that an environment points at, by model key. */
export function snapshotsOf(environment: Environment | undefined, state: LakeState): ReadonlyMap<string, Snapshot> {
  const snapshots = new Map<string, Snapshot>();
  for (const [key, { fingerprint }] of Object.entries(environment?.models ?? {})) {
    const snapshot = state.snapshots.get(fingerprint);
    if (snapshot !== undefined) snapshots.set(key, snapshot);
  }
  return snapshots;
}

/** What the environment will point at. Outside prod a forward-only change shows its preview until prod has it. */
function targetModels(
  candidates: readonly Candidate[],
  context: { readonly state: LakeState; readonly options: PlanOptions; readonly current: Environment | undefined },
): Environment['models'] {
  const { state, options, current } = context;
  const isProd = options.environment === PROD;
  const inProd = state.environments.get(PROD)?.models ?? {};
  const models: Record<string, EnvironmentModel> = {};
  const previewed = new Set<string>();
  for (const candidate of candidates) {
    const { snapshot, change, previewVersion } = candidate;
    const { key, fingerprint } = snapshot;
    const now = current?.models[key];
    if (snapshot.storage === 'inline') {
      models[key] = { fingerprint, version: snapshot.version, hasView: false };
      continue;
    }
    // A preview stays for as long as prod lacks the change, its own or that of a parent.
    const isStillPreviewed =
      change === undefined &&
      now?.fingerprint === fingerprint &&
      now.version !== snapshot.version &&
      (inProd[key]?.fingerprint !== fingerprint || snapshot.parents.some((parent) => previewed.has(parent)));
    const isPreviewed = !isProd && (isNewPreview(candidate) || isStillPreviewed);
    if (isPreviewed) previewed.add(key);
    const version = !isPreviewed ? snapshot.version : isStillPreviewed ? now.version : previewVersion;
    const isUntouched =
      change === undefined || (change.type === 'indirect' && change.reused && change.category === 'metadata');
    models[key] = {
      fingerprint,
      version,
      hasView: isProd || options.includeUnmodified || now?.hasView === true || !isUntouched,
    };
  }
  return models;
}

function isNewPreview({ snapshot, change }: Candidate): boolean {
  if (!snapshot.forwardOnly || change === undefined) return false;
  return change.type === 'modified' ? change.category !== 'metadata' : change.category === 'breaking';
}

function optionProblems(options: PlanOptions): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const add = (message: string, hint: string): number =>
    problems.push({ code: 'SL0401', severity: 'error', message, hint });
  for (const [name, value] of [
    ['start', options.start],
    ['end', options.end],
  ] as const) {
    if (value === undefined) continue;
    const parsed = parseInstant(value, options.executionTime);
    if (parsed === undefined)
      add(`--${name} "${value}" is no time`, "write '2024-01-31', '2024-01-31 12:00:00' or '3 days ago'");
    else if (name === 'end' && endOf({ ...parsed, isDate: false }) > options.executionTime)
      add('--end lies after the execution time', 'nothing can be built of the future; choose an earlier end');
  }
  if (options.effectiveFrom !== undefined) {
    const parsed = parseInstant(options.effectiveFrom, options.executionTime);
    if (parsed === undefined)
      add(`--effective-from "${options.effectiveFrom}" is no time`, "write '2024-01-31' or '3 days ago'");
    else if (parsed.instant > options.executionTime)
      add(
        '--effective-from lies after the execution time',
        'a change cannot take effect in the future; choose a past time',
      );
    if (!options.forwardOnly) add('--effective-from goes with --forward-only', 'give both, or neither');
  }
  const isBounded = options.start !== undefined || options.end !== undefined;
  if (options.environment === PROD && isBounded && options.restateModels.length === 0) {
    add(
      '--start and --end bound a plan for prod only together with --restate-model',
      'plan for another environment, or restate',
    );
  }
  return problems;
}

/** Models whose table is the one of prod, where the plan is for another environment. */
function sharedWithProd(
  models: Environment['models'],
  state: LakeState,
  { environment }: PlanOptions,
): ReadonlySet<string> {
  const ofProd = state.environments.get(PROD)?.models ?? {};
  if (environment === PROD) return new Set();
  return new Set(Object.keys(models).filter((key) => ofProd[key]?.version === models[key]?.version));
}

/** Another environment never writes into a table of prod. */
function restatementProblems(
  project: BoundProject,
  named: ReadonlySet<string>,
  shared: ReadonlySet<string>,
): readonly Diagnostic[] {
  return project.models
    .filter(({ model }) => named.has(model.key) && shared.has(model.key) && model.kind.storage === 'table')
    .map(({ model }) => ({
      code: 'SL0423',
      severity: 'error',
      message: `${model.key} cannot be restated here: its table is the one of prod`,
      location: model.location,
      hint: 'restate it in prod, or change the model first',
    }));
}

function unmatchedSelector(selector: string, names: readonly string[]): Diagnostic {
  const near = didYouMean(selector.replace(/^\+|\+$/g, ''), names);
  return {
    code: 'SL0403',
    severity: 'error',
    message: `no model is selected by "${selector}"`,
    ...(near === undefined ? {} : { hint: near }),
  };
}

function noChanges(environment: string): Diagnostic {
  return {
    code: 'SL0404',
    severity: 'error',
    message: `a new environment "${environment}" needs a change, but the project is what prod has`,
    hint: 'change a model, or give --include-unmodified to make the environment without changes',
  };
}

/** A table cannot be made of columns that nobody knows. */
function columnlessProblems(project: BoundProject, candidates: readonly Candidate[]): readonly Diagnostic[] {
  const columnless = new Set(
    candidates.filter(({ snapshot }) => snapshot.columns.length === 0).map(({ snapshot }) => snapshot.key),
  );
  return project.models
    .filter((bound) => columnless.has(bound.model.key))
    .map(({ model }) => ({
      code: 'SL0410',
      severity: 'error',
      message: `the columns of ${model.key} depend on the data, so its table cannot be planned`,
      location: model.location,
      hint: 'give PIVOT an IN list, or declare the columns in the header: columns (id INTEGER, …)',
    }));
}

/** Models whose columns may change although their headers say otherwise. */
interface Allowed {
  readonly destructive: ReadonlySet<string>;
  readonly additive: ReadonlySet<string>;
}

function allowing(model: Model, { destructive, additive }: Allowed): Model {
  const onDestructiveChange = destructive.has(model.key) ? 'allow' : model.kind.onDestructiveChange;
  const onAdditiveChange = additive.has(model.key) ? 'allow' : model.kind.onAdditiveChange;
  return { ...model, kind: { ...model.kind, onDestructiveChange, onAdditiveChange } };
}

function forwardOnlyProblems(
  project: BoundProject,
  candidates: readonly Candidate[],
  baseline: ReadonlyMap<string, Snapshot>,
  allowed: Allowed,
): readonly Diagnostic[] {
  const models = new Map(project.models.map((bound) => [bound.model.key, bound.model]));
  return candidates.flatMap(({ snapshot, change }) => {
    const base = baseline.get(snapshot.key);
    const model = models.get(snapshot.key);
    if (change === undefined || !snapshot.forwardOnly || base === undefined || model === undefined) return [];
    return schemaChangeProblems(
      allowing(model, allowed),
      compareSchemas(base.columns, snapshot.columns, renamedColumns(snapshot)),
    );
  });
}
