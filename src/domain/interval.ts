/** A half-open range of time `[start, end)`, both ms since 1970 UTC, with `start < end`. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** The grains of time in which intervals are counted, from coarse to fine. */
export const intervalUnits = ['year', 'month', 'day', 'hour', 'half_hour', 'quarter_hour', 'five_minute'] as const;
export type IntervalUnit = (typeof intervalUnits)[number];

const MINUTE_MS = 60_000;
const fixedUnitMs = {
  day: 1440 * MINUTE_MS,
  hour: 60 * MINUTE_MS,
  half_hour: 30 * MINUTE_MS,
  quarter_hour: 15 * MINUTE_MS,
  five_minute: 5 * MINUTE_MS,
} as const;

/** Length of a unit for comparisons with a cron period: a month counts as 28 days, a year as 365. */
export function unitMs(unit: IntervalUnit): number {
  if (unit === 'year') return 365 * fixedUnitMs.day;
  if (unit === 'month') return 28 * fixedUnitMs.day;
  return fixedUnitMs[unit];
}

/** The last boundary of the unit at or before an instant. */
export function floorTo(unit: IntervalUnit, instant: number): number {
  const date = new Date(instant);
  if (unit === 'year') return Date.UTC(date.getUTCFullYear(), 0, 1);
  if (unit === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const length = fixedUnitMs[unit];
  return Math.floor(instant / length) * length;
}

/** The first boundary of the unit at or after an instant. */
export function ceilTo(unit: IntervalUnit, instant: number): number {
  const floor = floorTo(unit, instant);
  return floor === instant ? instant : shift(unit, floor, 1);
}

/** A boundary moved by a number of units; months and years follow the calendar. */
export function shift(unit: IntervalUnit, boundary: number, count: number): number {
  const date = new Date(boundary);
  if (unit === 'year') return Date.UTC(date.getUTCFullYear() + count, date.getUTCMonth(), date.getUTCDate());
  if (unit === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, date.getUTCDate());
  return boundary + count * fixedUnitMs[unit];
}

/** Number of whole units in an interval whose ends are boundaries. Constant time, whatever its length. */
export function unitsIn(unit: IntervalUnit, interval: Interval): number {
  if (unit === 'year' || unit === 'month') {
    const start = new Date(interval.start);
    const end = new Date(interval.end);
    const months = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth();
    return unit === 'month' ? months : Math.floor(months / 12);
  }
  return Math.floor((interval.end - interval.start) / fixedUnitMs[unit]);
}

/**
 * Aligns a range to unit boundaries.
 *
 * @param mode `outward` covers the whole range, `inward` keeps only whole units inside it
 * @returns the aligned range; `start >= end` when no whole unit fits inside
 */
export function align(unit: IntervalUnit, range: Interval, mode: 'outward' | 'inward'): Interval {
  if (mode === 'outward') return { start: floorTo(unit, range.start), end: ceilTo(unit, range.end) };
  const start = ceilTo(unit, range.start);
  return { start, end: Math.max(start, floorTo(unit, range.end)) };
}

/** The union of intervals: sorted, disjoint, neighbours joined, empty ones dropped. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = intervals.filter((i) => i.start < i.end).sort((a, b) => a.start - b.start);
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last === undefined || interval.start > last.end) merged.push(interval);
    else if (interval.end > last.end) merged[merged.length - 1] = { start: last.start, end: interval.end };
  }
  return merged;
}

/** What is in `from` and in none of `taken`; sorted and disjoint. */
export function subtract(from: readonly Interval[], taken: readonly Interval[]): readonly Interval[] {
  const holes = union(taken);
  const left: Interval[] = [];
  for (const interval of union(from)) {
    let start = interval.start;
    for (const hole of holes) {
      if (hole.end <= start || hole.start >= interval.end) continue;
      if (hole.start > start) left.push({ start, end: hole.start });
      start = Math.max(start, hole.end);
    }
    if (start < interval.end) left.push({ start, end: interval.end });
  }
  return left;
}

/** What two sets of intervals share; sorted and disjoint. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  return subtract(a, subtract(a, b));
}

/**
 * The intervals of `wanted` that still have to be built; a unit that has been built in part is built again as a whole. Works
 * on runs of intervals, not on single ones: its cost does not grow with the number of units in a run.
 *
 * @param wanted    starts with a unit; where a model allows partials, it may end within one
 * @param lookback  number of units before each missing one that are built again, because late rows may have reached them
 */
export function missingIntervals(options: {
  readonly wanted: Interval;
  readonly built: readonly Interval[];
  readonly unit: IntervalUnit;
  readonly lookback: number;
}): readonly Interval[] {
  const { wanted, built, unit, lookback } = options;
  const gaps = subtract([wanted], built);
  const startOf = (gap: Interval): number => shift(unit, floorTo(unit, gap.start), -lookback);
  return union(gaps.map((gap) => ({ start: Math.max(wanted.start, startOf(gap)), end: gap.end })));
}

/** Cuts an interval into pieces of at most `count` units, in order. */
export function* batches(interval: Interval, unit: IntervalUnit, count: number): Generator<Interval> {
  for (let start = interval.start; start < interval.end; ) {
    const end = Math.min(interval.end, shift(unit, floorTo(unit, start), count));
    yield { start, end };
    start = end;
  }
}

/** `2024-01-01T00:00:00Z`: UTC, seconds, as every JSON output has it. */
export function isoInstant(instant: number): string {
  return new Date(instant).toISOString().replace(/\.000Z$/, 'Z');
}
