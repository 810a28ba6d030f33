import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intervalUnitOf } from '../../src/domain/cron.js';
import {
  align,
  batches,
  ceilTo,
  floorTo,
  type Interval,
  type IntervalUnit,
  intersect,
  intervalUnits,
  isoInstant,
  missingIntervals,
  shift,
  subtract,
  union,
  unitMs,
  unitsIn,
} from '../../src/domain/interval.js';
import { endOf, parseInstant } from '../../src/domain/time.js';
import { between, utc } from '../support/project-text.js';

type Pair = readonly [string, string];
type IntervalCase =
  | { readonly id: string; readonly op: 'merge'; readonly input: readonly Pair[]; readonly expected: readonly Pair[] }
  | {
      readonly id: string;
      readonly op: 'remove';
      readonly input: { readonly have: readonly Pair[]; readonly remove: Pair };
      readonly expected: readonly Pair[];
    }
  | {
      readonly id: string;
      readonly op: 'align';
      readonly input: {
        readonly start: string;
        readonly end: string;
        readonly unit: IntervalUnit;
        readonly expand: boolean;
      };
      readonly expected: Pair;
    }
  | { readonly id: string; readonly op: 'missing'; readonly input: MissingInput; readonly expected: readonly Pair[] }
  | { readonly id: string; readonly op: 'interval_unit_from_cron'; readonly input: string; readonly expected: string };
interface MissingInput {
  readonly have: readonly Pair[];
  readonly start: string;
  readonly end_exclusive: string;
  readonly lookback: number;
  readonly model_end_exclusive: string | null;
  readonly unit: IntervalUnit;
}

const cases: readonly IntervalCase[] = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, 'interval-cases.json'), 'utf8'),
);

const spanned = ([start, end]: Pair): Interval => between(start, end);

/** A range as a command line gives it: a date as its end is inclusive. */
function written(start: string, end: string): Interval {
  const [from, to] = [parseInstant(start, 0), parseInstant(end, 0)];
  if (from === undefined || to === undefined) throw new Error(`${start} or ${end} is no time`);
  return { start: from.instant, end: endOf(to) };
}

function answer(one: IntervalCase): unknown {
  switch (one.op) {
    case 'merge':
      return union(one.input.map(spanned));
    case 'remove':
      return subtract(one.input.have.map(spanned), [written(...one.input.remove)]);
    case 'align': {
      const { start, end, unit, expand } = one.input;
      return align(unit, written(start, end), expand ? 'outward' : 'inward');
    }
    case 'missing': {
      const { have, start, end_exclusive: end, model_end_exclusive: modelEnd, unit, lookback } = one.input;
      const wanted = {
        start: utc(start),
        end: Math.min(utc(end), modelEnd === null ? Number.POSITIVE_INFINITY : utc(modelEnd)),
      };
      // Whoever plans knows whether the model has ended; late rows are then no longer waited for.
      const hasEnded = modelEnd !== null && utc(modelEnd) < utc(end);
      return missingIntervals({ wanted, built: have.map(spanned), unit, lookback: hasEnded ? 0 : lookback }).flatMap(
        (run) => [...batches(run, unit, 1)],
      );
    }
    case 'interval_unit_from_cron':
      return intervalUnitOf({ expression: one.input, timeZone: 'UTC' });
    default:
      return one satisfies never;
  }
}

function expectation(one: IntervalCase): unknown {
  if (one.op === 'interval_unit_from_cron') return one.expected;
  return one.op === 'align' ? spanned(one.expected) : one.expected.map(spanned);
}

test.each(cases)('case $id: $op answers as SQLMesh does', (one) => {
  expect(answer(one)).toEqual(expectation(one));
});

const interval = fc
  .tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 0, max: 12 }))
  .map(([start, length]) => ({ start, end: start + length }));
const intervals = fc.array(interval, { maxLength: 8 });
const instant = fc.integer({ min: utc('1900-01-01'), max: utc('2100-01-01') });
const unit = fc.constantFrom(...intervalUnits);

/** The integers that a set of intervals holds: half-open, one point per unit length. */
function points(set: readonly Interval[]): readonly number[] {
  const held = new Set<number>();
  for (const { start, end } of set) for (let at = start; at < end; at++) held.add(at);
  return [...held].sort((a, b) => a - b);
}

function isSortedAndDisjoint(set: readonly Interval[]): boolean {
  return set.every((one, at) => one.start < one.end && (at === 0 || (set[at - 1]?.end ?? 0) < one.start));
}

describe('sets of intervals', () => {
  test('a union holds exactly the points of its parts, sorted, disjoint and joined', () => {
    fc.assert(
      fc.property(intervals, (set) => {
        expect(points(union(set))).toEqual(points(set));
        expect(isSortedAndDisjoint(union(set))).toBe(true);
      }),
    );
  });

  test('the union of a union is itself', () => {
    fc.assert(
      fc.property(intervals, (set) => {
        expect(union(union(set))).toEqual(union(set));
      }),
    );
  });

  test('the order of intervals does not matter to their union', () => {
    fc.assert(
      fc.property(intervals, (set) => {
        expect(union([...set].reverse())).toEqual(union(set));
      }),
    );
  });

  test('a difference holds exactly the points that were not taken', () => {
    fc.assert(
      fc.property(intervals, intervals, (from, taken) => {
        const gone = new Set(points(taken));
        expect(points(subtract(from, taken))).toEqual(points(from).filter((point) => !gone.has(point)));
        expect(isSortedAndDisjoint(subtract(from, taken))).toBe(true);
      }),
    );
  });

  test('a difference and an intersection make the original again, and share nothing', () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const [left, common] = [subtract(a, b), intersect(a, b)];
        expect(union([...left, ...common])).toEqual(union(a));
        expect(intersect(left, common)).toEqual([]);
      }),
    );
  });

  test('an intersection does not care about its sides', () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        expect(intersect(a, b)).toEqual(intersect(b, a));
      }),
    );
  });

  test('neighbours share no point, because ends are exclusive', () => {
    expect(intersect([between('2024-01-01', '2024-01-02')], [between('2024-01-02', '2024-01-03')])).toEqual([]);
  });

  test('taking a day leaves its last millisecond to nobody', () => {
    expect(subtract([between('2024-01-01', '2024-01-04')], [between('2024-01-02', '2024-01-03')])).toEqual([
      between('2024-01-01', '2024-01-02'),
      between('2024-01-03', '2024-01-04'),
    ]);
  });
});

describe('units', () => {
  test('a floor is the last boundary at or before an instant', () => {
    fc.assert(
      fc.property(unit, instant, (one, at) => {
        const floor = floorTo(one, at);
        expect(floor).toBeLessThanOrEqual(at);
        expect(floorTo(one, floor)).toBe(floor);
        expect(shift(one, floor, 1)).toBeGreaterThan(at);
      }),
    );
  });

  test('a ceiling is the first boundary at or after an instant', () => {
    fc.assert(
      fc.property(unit, instant, (one, at) => {
        const ceiling = ceilTo(one, at);
        expect(ceiling).toBeGreaterThanOrEqual(at);
        expect(shift(one, ceiling, -1)).toBeLessThan(at);
      }),
    );
  });

  test('moving a boundary forth and back returns to it', () => {
    fc.assert(
      fc.property(unit, instant, fc.integer({ min: 0, max: 500 }), (one, at, count) => {
        const boundary = floorTo(one, at);
        expect(shift(one, shift(one, boundary, count), -count)).toBe(boundary);
        expect(unitsIn(one, { start: boundary, end: shift(one, boundary, count) })).toBe(count);
      }),
    );
  });

  test('no unit is shorter than the length it is compared by', () => {
    fc.assert(
      fc.property(unit, instant, (one, at) => {
        const boundary = floorTo(one, at);
        expect(shift(one, boundary, 1) - boundary).toBeGreaterThanOrEqual(unitMs(one));
      }),
    );
  });

  test('a leap day belongs to February', () => {
    expect(isoInstant(shift('month', utc('2024-02-01'), 1))).toBe('2024-03-01T00:00:00Z');
    expect(isoInstant(floorTo('month', utc('2024-02-29')))).toBe('2024-02-01T00:00:00Z');
  });

  test('batches cover an interval without gap or overlap, in order', () => {
    fc.assert(
      fc.property(
        unit,
        instant,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (one, at, units, size) => {
          const start = floorTo(one, at);
          const whole = { start, end: shift(one, start, units) };
          const pieces = [...batches(whole, one, size)];
          expect(pieces.map((piece) => piece.start)).toEqual([
            whole.start,
            ...pieces.slice(0, -1).map((piece) => piece.end),
          ]);
          expect(pieces.at(-1)?.end).toBe(whole.end);
          expect(pieces.every((piece) => unitsIn(one, piece) <= size)).toBe(true);
        },
      ),
    );
  });
});

describe('missing intervals', () => {
  const days = (built: readonly Interval[], lookback = 0) =>
    missingIntervals({ wanted: between('2024-01-01', '2024-01-10'), built, unit: 'day', lookback });

  test('of something new are all of them, as one run', () => {
    expect(days([])).toEqual([between('2024-01-01', '2024-01-10')]);
  });

  test('lie where nothing is built', () => {
    expect(days([between('2024-01-02', '2024-01-04'), between('2024-01-06', '2024-01-20')])).toEqual([
      between('2024-01-01', '2024-01-02'),
      between('2024-01-04', '2024-01-06'),
    ]);
  });

  test('take in the whole of a unit that is built in part', () => {
    const until = (hour: string): Interval => ({ start: utc('2024-01-01'), end: utc(`2024-01-03 ${hour}`) });
    const missing = (built: string, wanted: string, lookback = 0) =>
      missingIntervals({ wanted: until(wanted), built: [until(built)], unit: 'day', lookback });
    expect(missing('06:00', '07:00')).toEqual([{ start: utc('2024-01-03'), end: utc('2024-01-03 07:00') }]);
    expect(missing('06:00', '07:00', 1)).toEqual([{ start: utc('2024-01-02'), end: utc('2024-01-03 07:00') }]);
    expect(missing('06:00', '06:00')).toEqual([]);
    expect(missing('07:00', '06:00')).toEqual([]);
  });

  test('reach back over built ones when late rows are looked for', () => {
    expect(days([between('2024-01-01', '2024-01-08')], 2)).toEqual([between('2024-01-06', '2024-01-10')]);
  });

  test('never reach back before the range that is wanted', () => {
    expect(days([between('2024-01-01', '2024-01-02')], 30)).toEqual([between('2024-01-01', '2024-01-10')]);
  });

  test('of twenty years of five minutes cost no more than those of a day', () => {
    const wanted = between('2004-01-01', '2024-01-01');
    const built = [between('2004-01-01', '2010-05-05'), between('2010-05-06', '2024-01-01')];
    const started = performance.now();
    let found: readonly Interval[] = [];
    for (let round = 0; round < 2000; round++)
      found = missingIntervals({ wanted, built, unit: 'five_minute', lookback: 3 });
    // Two million units: walking them once takes longer than all rounds together may.
    expect(performance.now() - started).toBeLessThan(1000);
    expect(found).toEqual([{ start: utc('2010-05-05') - 15 * 60_000, end: utc('2010-05-06') }]);
    expect(unitsIn('five_minute', wanted)).toBe(2_103_840);
  });
});
