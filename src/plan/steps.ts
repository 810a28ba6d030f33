import type { BoundProject } from '../domain/bound-project.js';
import { canonicalJson } from '../domain/digest.js';
import { batches, type Interval } from '../domain/interval.js';
import type { PlanOptions } from '../domain/plan.js';
import { builtKey, type Environment, type LakeState, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import type { Candidate } from './candidates.js';
import { forgetSteps } from './forget.js';
import { autoRestated, effectiveIntervals } from './missing.js';
import { outsideAuditSteps } from './outside-audits.js';
import { compareSchemas } from './schema-change.js';
import { standaloneSteps } from './standalone.js';

export interface StepsRequest {
  readonly project: BoundProject;
  readonly state: LakeState;
  readonly candidates: readonly Candidate[];
  readonly target: Environment;
  readonly current: Environment | undefined;
  readonly baseline: ReadonlyMap<string, Snapshot>;
  readonly missing: Readonly<Record<string, readonly Interval[]>>;
  readonly restated: ReadonlySet<string>;
  readonly options: PlanOptions;
}

/** The steps in the order in which they run: data in, each model's table made and filled, views moved. Empty when nothing is to do. */
export function planSteps(asked: StepsRequest): readonly Step[] {
  const { candidates } = asked;
  const automatic = autoRestated(candidates, { ...asked, models: asked.target.models });
  const request = { ...asked, restated: new Set([...asked.restated, ...automatic.keys()]) };
  const sources = sourceSteps(request);
  const alters = candidates.flatMap((candidate) => alterStep(candidate, request));
  // Rows that a forward-only change makes again need the columns that come with the promotion.
  const isLate = (candidate: Candidate): boolean =>
    effectiveIntervals(candidate, { ...request, models: request.target.models }).length > 0;
  const builds = candidates.flatMap((candidate) => [
    ...createStep(candidate, request),
    ...(isLate(candidate) ? [] : fillSteps(candidate, request)),
  ]);
  const late = candidates.filter(isLate).flatMap((candidate) => fillSteps(candidate, request));
  const moved = movedModels(request);
  const gone = Object.entries(request.current?.models ?? {})
    .filter(([key, model]) => model.hasView && request.target.models[key] === undefined)
    .map(([key]) => key);
  const isMoved = moved.length > 0 || gone.length > 0 || alters.length > 0 || !isSameEnvironment(request);
  const promotion: Step[] = isMoved ? [{ type: 'promote', environment: request.target.name, models: moved }] : [];
  const demotion: Step[] = gone.length > 0 ? [{ type: 'demote', environment: request.target.name, models: gone }] : [];
  const models = [...sources, ...builds, ...alters, ...promotion, ...late];
  const outside = outsideAuditSteps(request.project, models, request);
  const alone = standaloneSteps(request.project, models, request);
  const forgotten = forgetSteps({ ...request, restated: asked.restated });
  return [...sources, ...outside, ...builds, ...alone, ...alters, ...promotion, ...demotion, ...late, ...forgotten];
}

function sourceSteps({ project, state }: StepsRequest): readonly Step[] {
  return project.sources
    .filter((source) => !state.datasets.has(`${source.source.name}@${source.version}`))
    .flatMap(({ source, format, version }): readonly Step[] => [
      { type: 'fetch', source: source.name, uri: source.uri },
      { type: 'convert', source: source.name, format },
      { type: 'register', source: source.name, version },
    ]);
}

function createStep({ snapshot }: Candidate, { target, state }: StepsRequest): readonly Step[] {
  const model = target.models[snapshot.key];
  if (model === undefined || snapshot.storage === 'inline' || snapshot.storage === 'outside') return [];
  if (state.built.has(builtKey(snapshot, model.version))) return [];
  return [{ type: 'create', model: snapshot.key, version: model.version }];
}

/** Old names of columns by their new ones, as the header declares them. */
export function renamedColumns({ definition }: Snapshot): Readonly<Record<string, string>> {
  const declared = definition.renamedColumns;
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) return {};
  return Object.fromEntries(Object.entries(declared).map(([to, from]) => [to, String(from)]));
}

/** A forward-only change reaches the table in place, in the transaction that promotes it. */
function alterStep({ snapshot }: Candidate, { target, current, baseline }: StepsRequest): readonly Step[] {
  const model = target.models[snapshot.key];
  const base = baseline.get(snapshot.key);
  const wasHere = current?.models[snapshot.key];
  if (!snapshot.forwardOnly || model === undefined || base === undefined || wasHere === undefined) return [];
  if (
    model.version !== snapshot.version ||
    wasHere.version !== model.version ||
    wasHere.fingerprint === model.fingerprint
  )
    return [];
  const change = compareSchemas(base.columns, snapshot.columns, renamedColumns(snapshot));
  const replaced = change.replaces.map(({ column }) => column.name);
  const adds = [...change.adds.map((column) => column.name), ...replaced];
  const drops = [...change.drops.map((column) => column.name), ...replaced];
  const widened = change.widens.map(({ column }) => column.name);
  const { renames, fields } = change;
  if (adds.length + drops.length + widened.length + renames.length + fields.length === 0) return [];
  const { version } = model;
  return [{ type: 'alter', model: snapshot.key, version, adds: [...adds, ...widened], drops, renames, fields }];
}

function fillSteps(
  { snapshot, change }: Candidate,
  { missing, options, target, current, baseline, state, restated }: StepsRequest,
): readonly Step[] {
  const model = target.models[snapshot.key];
  const intervals = missing[snapshot.key] ?? [];
  if (model === undefined || snapshot.storage === 'inline') return [];
  const base = baseline.get(snapshot.key);
  const auditsChanged =
    base !== undefined &&
    canonicalJson(base.definition.audits ?? null) !== canonicalJson(snapshot.definition.audits ?? null);
  const isBuiltAlready =
    state.built.has(builtKey(snapshot, model.version)) || current?.models[snapshot.key]?.version === model.version;
  const audits: readonly Step[] =
    auditsChanged && isBuiltAlready && change !== undefined
      ? [{ type: 'audit', model: snapshot.key, version: model.version }]
      : [];
  // A view that is pointed at other tables, and means what it meant, covers what it covered.
  if (
    snapshot.storage === 'view' &&
    intervals.length === 0 &&
    change?.reused === true &&
    base !== undefined &&
    !isBuiltAlready
  ) {
    const covered = state.built.get(builtKey(snapshot, base.version)) ?? [];
    return [
      ...covered.map((interval): Step => ({ type: 'record', model: snapshot.key, version: model.version, interval })),
      ...audits,
    ];
  }
  if (intervals.length === 0 || options.backfill === 'skip') return audits;
  if (options.backfill === 'empty') {
    return [
      ...intervals.map((interval): Step => ({ type: 'record', model: snapshot.key, version: model.version, interval })),
      ...audits,
    ];
  }
  // What is made as a whole is made once, however many intervals that completes.
  const { batchSize, intervalUnit } = snapshot.schedule;
  const first = intervals[0];
  const last = intervals.at(-1);
  if (snapshot.history !== 'intervals' && first !== undefined && last !== undefined) {
    return [
      {
        type: 'backfill',
        model: snapshot.key,
        version: model.version,
        interval: { start: first.start, end: last.end },
      },
    ];
  }
  const pieces = intervals.flatMap((interval) =>
    batchSize === undefined ? [interval] : [...batches(interval, intervalUnit, batchSize)],
  );
  const isRestated = snapshot.restatesWhole === true && restated.has(snapshot.key) && snapshot.restatable;
  return pieces.map((interval, at) => ({
    type: 'backfill',
    model: snapshot.key,
    version: model.version,
    interval,
    ...(isRestated && at === 0 ? { replaces: true } : {}),
  }));
}

/** Models whose view in the environment is new or points elsewhere than before. */
function movedModels({ target, current }: StepsRequest): readonly string[] {
  return Object.entries(target.models)
    .filter(
      ([key, model]) =>
        model.hasView && (current?.models[key]?.version !== model.version || !current.models[key]?.hasView),
    )
    .map(([key]) => key);
}

function isSameEnvironment({ target, current, project, options }: StepsRequest): boolean {
  if (current === undefined)
    return (
      Object.keys(target.models).length === 0 && project.sources.length === 0 && options.environment === target.name
    );
  const plain = (environment: Environment): string =>
    canonicalJson(JSON.parse(JSON.stringify({ models: environment.models, sources: environment.sources })));
  return plain(current) === plain(target);
}
