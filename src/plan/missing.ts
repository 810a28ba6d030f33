import { cronFloor } from '../domain/cron.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import { align, type Interval, isoInstant, shift, subtract, union } from '../domain/interval.js';
import { PROD } from '../domain/names.js';
import type { PlanOptions } from '../domain/plan.js';
import { builtKey, type Environment, type EnvironmentModel, type LakeState } from '../domain/snapshot.js';
import { endOf, parseInstant } from '../domain/time.js';
import type { Candidate } from './candidates.js';
import {
  builtEnd,
  minimumStarts,
  missingOf,
  prodCap,
  resolveStarts,
  restatedIntervals,
  wantedRange,
} from './intervals.js';

export interface MissingRequest {
  readonly candidates: readonly Candidate[];
  readonly models: Readonly<Record<string, EnvironmentModel>>;
  readonly state: LakeState;
  readonly options: PlanOptions;
  readonly restated: ReadonlySet<string>;
  /** The environment as it is now. */
  readonly current: Environment | undefined;
  readonly prod: Environment | undefined;
}

/** The intervals that have to be built, by model, merged. Models that need none are absent. */
export function missingByModel(request: MissingRequest): Readonly<Record<string, readonly Interval[]>> {
  const { candidates, models, state, options, restated, prod } = request;
  const starts = resolveStarts(
    candidates.map((candidate) => candidate.snapshot),
    options.executionTime,
  );
  const automatic = autoRestated(candidates, request);
  const minStarts = minimumStarts(
    candidates.map((candidate) => candidate.snapshot),
    options,
  );
  const missing: Record<string, readonly Interval[]> = {};
  for (const candidate of candidates) {
    const { snapshot, change } = candidate;
    const target = models[snapshot.key];
    if (target === undefined || snapshot.storage === 'inline') continue;
    const isPreview = target.version !== snapshot.version;
    const modelStart =
      isPreview ||
      (options.forwardOnly && options.environment !== PROD && options.start === undefined && change !== undefined)
        ? previewStart(candidate, starts, options)
        : (starts.get(snapshot.key) ?? 0);
    const builtUntil = builtEnd(state, snapshot, prod?.models[snapshot.key]?.version);
    const endCap = prodCap(options, builtUntil);
    const wanted = wantedRange(snapshot, { options, modelStart, endCap, minStart: minStarts.get(snapshot.key) });
    const intervals = [
      ...restatement(candidate, request, wanted),
      ...(isConsidered(candidate, options, restated) ? newIntervals(candidate, target, wanted, request) : []),
    ];
    const merged = union([
      ...intervals,
      ...effectiveIntervals(candidate, request),
      ...(automatic.get(snapshot.key) ?? []),
    ]);
    if (merged.length > 0) missing[snapshot.key] = merged;
  }
  return missing;
}

/** Prod is kept complete; another environment builds only what it changes. */
function isConsidered({ change }: Candidate, options: PlanOptions, restated: ReadonlySet<string>): boolean {
  if (restated.size > 0) return false;
  return options.environment === PROD || change !== undefined || options.run;
}

function newIntervals(
  candidate: Candidate,
  target: EnvironmentModel,
  wanted: Interval,
  { state, options }: MissingRequest,
): readonly Interval[] {
  const { snapshot, change } = candidate;
  // A view that only points at other tables, with the same meaning, holds what it held.
  if (snapshot.storage === 'view' && change?.reused === true) return [];
  return missingOf(snapshot, target.version, wanted, { state, executionTime: options.executionTime });
}

function restatement(
  { snapshot }: Candidate,
  { options, restated, state }: MissingRequest,
  wanted: Interval,
): readonly Interval[] {
  if (!restated.has(snapshot.key)) return [];
  const start = options.start === undefined ? undefined : parseInstant(options.start, options.executionTime)?.instant;
  const end = options.end === undefined ? undefined : parseInstant(options.end, options.executionTime);
  const whole = {
    ...wanted,
    start: state.built.get(builtKey(snapshot, snapshot.version))?.[0]?.start ?? wanted.start,
  };
  const full =
    options.start === undefined && options.end === undefined
      ? whole
      : { start: whole.start, end: Math.max(wanted.end, whole.start) };
  const builtTo = state.built.get(builtKey(snapshot, snapshot.version))?.at(-1)?.end ?? full.end;
  const available = { start: full.start, end: Math.max(full.end, builtTo) };
  return restatedIntervals(snapshot, available, {
    start: start ?? available.start,
    end: end === undefined ? available.end : endOf(end),
  });
}

/**
 * What `run` restates by itself: models whose `auto_restatement_cron` has ticked since they were last built, and what reads
 * them, as far back as they say.
 */
export function autoRestated(
  candidates: readonly Candidate[],
  { models, state, options }: Pick<MissingRequest, 'models' | 'state' | 'options'>,
): ReadonlyMap<string, readonly Interval[]> {
  const restated = new Map<string, readonly Interval[]>();
  if (!options.run) return restated;
  for (const { snapshot } of candidates) {
    const built = state.built.get(builtKey(snapshot, models[snapshot.key]?.version ?? '')) ?? [];
    const last = built.at(-1)?.end;
    const first = built[0]?.start;
    if (last === undefined || first === undefined || !snapshot.restatable) continue;
    const { autoRestatement, intervalUnit, cron } = snapshot.schedule;
    const ticked =
      autoRestatement !== undefined &&
      cronFloor({ expression: autoRestatement.cron, timeZone: cron.timeZone }, options.executionTime) > last;
    const back = autoRestatement?.intervals;
    const own = ticked
      ? { start: back === undefined ? first : Math.max(first, shift(intervalUnit, last, -back)), end: last }
      : undefined;
    const inherited = snapshot.parents.flatMap((parent) =>
      parent === snapshot.key ? [] : (restated.get(parent) ?? []),
    );
    const wanted = union([...(own === undefined ? [] : [own]), ...inherited]);
    const [earliest] = wanted;
    if (earliest === undefined) continue;
    const range = align(intervalUnit, { start: earliest.start, end: wanted.at(-1)?.end ?? earliest.end }, 'outward');
    const part = { start: Math.max(first, range.start), end: Math.min(last, range.end) };
    const isWhole = snapshot.history !== 'intervals' || snapshot.restatesWhole === true;
    if (isWhole) restated.set(snapshot.key, [{ start: first, end: last }]);
    else if (part.start < part.end) restated.set(snapshot.key, [part]);
  }
  return restated;
}

/** `--effective-from`: what prod has built of a forward-only model since then is made again by its new definition. */
export function effectiveIntervals(
  { snapshot, change }: Candidate,
  { models, state, options, current }: Pick<MissingRequest, 'models' | 'state' | 'options' | 'current'>,
): readonly Interval[] {
  const from =
    options.effectiveFrom === undefined
      ? undefined
      : parseInstant(options.effectiveFrom, options.executionTime)?.instant;
  const version = models[snapshot.key]?.version;
  if (from === undefined || options.environment !== PROD || !snapshot.forwardOnly || change?.type !== 'modified')
    return [];
  if (change.category === 'metadata' || current?.models[snapshot.key]?.version !== version) return [];
  const built = state.built.get(builtKey(snapshot, version ?? '')) ?? [];
  const last = built.at(-1)?.end ?? from;
  if (snapshot.history !== 'intervals') return last > from ? built : [];
  const { start } = align(snapshot.schedule.intervalUnit, { start: from, end: from }, 'outward');
  return built.flatMap((interval) =>
    interval.end <= start ? [] : [{ start: Math.max(interval.start, start), end: interval.end }],
  );
}

/** A forward-only change is shown on the last interval only, until it is in prod. */
function previewStart({ snapshot }: Candidate, starts: ReadonlyMap<string, number>, options: PlanOptions): number {
  if (options.effectiveFrom !== undefined && options.start === undefined)
    return parseInstant(options.effectiveFrom, options.executionTime)?.instant ?? 0;
  const due = cronFloor(snapshot.schedule.cron, options.executionTime);
  return Math.max(starts.get(snapshot.key) ?? 0, shift('day', due, -1));
}

/** `--no-gaps`: what takes over from an older version must cover all that the older one covers. */
export function gapProblems(request: {
  readonly candidates: readonly Candidate[];
  readonly models: Readonly<Record<string, EnvironmentModel>>;
  readonly state: LakeState;
  readonly current: Environment | undefined;
  readonly missing: Readonly<Record<string, readonly Interval[]>>;
}): readonly Diagnostic[] {
  const { candidates, models, state, current, missing } = request;
  return candidates.flatMap(({ snapshot }): readonly Diagnostic[] => {
    const was = current?.models[snapshot.key]?.version;
    const is = models[snapshot.key]?.version;
    if (was === undefined || is === undefined || was === is) return [];
    const covered = [...(state.built.get(builtKey(snapshot, is)) ?? []), ...(missing[snapshot.key] ?? [])];
    const [gap] = subtract(state.built.get(builtKey(snapshot, was)) ?? [], covered);
    if (gap === undefined) return [];
    return [
      {
        code: 'SL0405',
        severity: 'error',
        message: `${snapshot.key} would lose ${isoInstant(gap.start)} to ${isoInstant(gap.end)}, which its present version covers`,
        hint: 'choose an earlier start, or leave --no-gaps out',
      },
    ];
  });
}
