import { cronFloor } from '../domain/cron.js';
import { align, type Interval, missingIntervals, union, unitsIn } from '../domain/interval.js';
import { PROD } from '../domain/names.js';
import type { PlanOptions } from '../domain/plan.js';
import { builtKey, type LakeState, type Schedule, type Snapshot } from '../domain/snapshot.js';
import { endOf, parseInstant } from '../domain/time.js';

/** The range of time that a plan wants of a model, before what is built is taken away. */
export function wantedRange(
  snapshot: Snapshot,
  context: {
    readonly options: PlanOptions;
    /** Start of the model, or of the earliest of its parents. */
    readonly modelStart: number;
    /** Latest end that prod may move to; undefined: whatever cron says is due. */
    readonly endCap: number | undefined;
    /** Start that a minimum of intervals asks for. */
    readonly minStart?: number | undefined;
  },
): Interval {
  const { options, modelStart, endCap, minStart } = context;
  const { schedule } = snapshot;
  const planStart =
    options.start === undefined ? undefined : parseInstant(options.start, options.executionTime)?.instant;
  const planEndParsed = options.end === undefined ? undefined : parseInstant(options.end, options.executionTime);
  const due = options.ignoreCron ? options.executionTime : cronFloor(schedule.cron, options.executionTime);
  const modelEndParsed = schedule.end === undefined ? undefined : parseInstant(schedule.end, options.executionTime);
  const ends = [due, endCap, planEndParsed && endOf(planEndParsed), modelEndParsed && endOf(modelEndParsed)].filter(
    (end) => end !== undefined,
  );
  const start = planStart === undefined ? modelStart : Math.max(Math.min(planStart, minStart ?? planStart), modelStart);
  const range = { start, end: Math.max(start, Math.min(...ends)) };
  const whole = align(schedule.intervalUnit, range, 'inward');
  return schedule.allowPartials
    ? { start: Math.min(range.start, whole.start), end: range.end }
    : { start: align(schedule.intervalUnit, { start, end: start }, 'outward').start, end: whole.end };
}

/** What is still to be built of a version within a range. A table that is made as a whole is missing as a whole. */
export function missingOf(
  snapshot: Snapshot,
  version: string,
  wanted: Interval,
  context: { readonly state: LakeState; readonly executionTime: number },
): readonly Interval[] {
  if (wanted.start >= wanted.end) return [];
  const built = context.state.built.get(builtKey(snapshot, version)) ?? [];
  if (snapshot.history === 'once' && built.length > 0) return [];
  return missingIntervals({
    wanted,
    built,
    unit: snapshot.schedule.intervalUnit,
    lookback: lookbackNow(snapshot.schedule, context.executionTime),
  });
}

/** Rows are late for so long only: once a model has ended, each unit that has passed since takes one off its lookback. */
function lookbackNow(schedule: Schedule, executionTime: number): number {
  const end = schedule.end === undefined ? undefined : parseInstant(schedule.end, executionTime);
  if (end === undefined || schedule.lookback === 0) return schedule.lookback;
  const past = { start: endOf(end), end: cronFloor(schedule.cron, executionTime) };
  return past.end <= past.start
    ? schedule.lookback
    : Math.max(0, schedule.lookback - unitsIn(schedule.intervalUnit, past));
}

/**
 * Where `--min-intervals` has each model start: so many ticks of its cron before its end, or as early as one of its readers.
 *
 * @param snapshots parents first
 */
export function minimumStarts(snapshots: readonly Snapshot[], options: PlanOptions): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  const { minIntervals, executionTime } = options;
  if (minIntervals === undefined || options.start === undefined) return starts;
  const planEnd = options.end === undefined ? undefined : parseInstant(options.end, executionTime);
  for (const { key, parents, schedule } of snapshots.toReversed()) {
    const ownEnd = schedule.end === undefined ? undefined : parseInstant(schedule.end, executionTime);
    const end = Math.min(planEnd === undefined ? executionTime : endOf(planEnd), ownEnd ? endOf(ownEnd) : Infinity);
    let start = cronFloor(schedule.cron, end);
    for (let i = 0; i < minIntervals; i += 1) start = cronFloor(schedule.cron, start - 1);
    const earliest = Math.min(start, starts.get(key) ?? start);
    starts.set(key, earliest);
    for (const parent of parents) starts.set(parent, Math.min(earliest, starts.get(parent) ?? earliest));
  }
  return starts;
}

/** Start of a model: its own, else the earliest of its parents', else the last tick but one of its cron. */
export function resolveStarts(snapshots: readonly Snapshot[], executionTime: number): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  for (const snapshot of snapshots) {
    const own =
      snapshot.schedule.start === undefined ? undefined : parseInstant(snapshot.schedule.start, executionTime)?.instant;
    const inherited = snapshot.parents.flatMap((parent) => starts.get(parent) ?? []);
    const due = cronFloor(snapshot.schedule.cron, executionTime);
    const fallback = cronFloor(snapshot.schedule.cron, due - 1);
    starts.set(snapshot.key, own ?? (inherited.length > 0 ? Math.min(...inherited) : fallback));
  }
  return starts;
}

/** The latest instant up to which an environment has built a model. */
export function builtEnd(state: LakeState, snapshot: Snapshot, version: string | undefined): number | undefined {
  return version === undefined ? undefined : state.built.get(builtKey(snapshot, version))?.at(-1)?.end;
}

/**
 * How far prod may move. A plan changes what there is, `run` moves time on: without `run` and without an execution time
 * given by hand, prod stays where it is.
 */
export function prodCap(options: PlanOptions, builtUntil: number | undefined): number | undefined {
  return options.environment === PROD && !options.run && !options.isExecutionTimeGiven ? builtUntil : undefined;
}

/** Intervals to build again, for models that were named and all that reads them. Tables made as a whole are restated as a whole. */
export function restatedIntervals(snapshot: Snapshot, wanted: Interval, requested: Interval): readonly Interval[] {
  if (!snapshot.restatable) return [];
  if (snapshot.history !== 'intervals' || snapshot.restatesWhole === true)
    return wanted.start < wanted.end ? [wanted] : [];
  const range = align(snapshot.schedule.intervalUnit, requested, 'outward');
  return union([{ start: Math.max(range.start, wanted.start), end: Math.min(range.end, wanted.end) }]);
}
