import type { Diagnostic, SourceLocation } from './diagnostic.js';
import { isoInstant } from './interval.js';

/** How old a source may be. */
export interface Freshness {
  readonly warnAfterMs?: number;
  readonly errorAfterMs?: number;
  /** The column that says when a row is from; the file's modification time counts when there is none. */
  readonly column?: string;
  /** The table of that column, lower case; needed where the source has several. */
  readonly table?: string;
  readonly location: SourceLocation;
}

const unitsMs: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
};

/** Reads `7 days`, `12 hours`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, count = '', unit = ''] = /^\s*(\d+)\s*(minute|hour|day|week)s?\s*$/i.exec(text) ?? [];
  const unitMs = unitsMs[unit.toLowerCase()];
  return unitMs === undefined || Number(count) === 0 ? undefined : Number(count) * unitMs;
}

/** The age of a source against what it may be. */
export interface FreshnessFinding {
  readonly status: 'passed' | 'warned' | 'failed';
  /** Undefined where it is as fresh as it should be. */
  readonly diagnostic: Diagnostic | undefined;
}

/**
 * Holds a source's newest instant against its promise.
 *
 * @param newest ms UTC; undefined when there is no row, which is as old as can be
 */
export function judgeFreshness(
  source: { readonly name: string; readonly freshness: Freshness },
  newest: number | undefined,
  now: number,
): FreshnessFinding {
  const { warnAfterMs, errorAfterMs, column, location } = source.freshness;
  const ageMs = newest === undefined ? Number.POSITIVE_INFINITY : now - newest;
  const status =
    errorAfterMs !== undefined && ageMs > errorAfterMs
      ? 'failed'
      : warnAfterMs !== undefined && ageMs > warnAfterMs
        ? 'warned'
        : 'passed';
  if (status === 'passed') return { status, diagnostic: undefined };
  const limit = durationText((status === 'failed' ? errorAfterMs : warnAfterMs) ?? 0);
  const what = column === undefined ? 'its file is' : `its newest ${column} is`;
  const age =
    newest === undefined
      ? `has no value in ${column}`
      : `is ${durationText(ageMs)} old: ${what} of ${isoInstant(newest)}`;
  return {
    status,
    diagnostic: {
      code: 'SL0508',
      severity: status === 'failed' ? 'error' : 'warning',
      message: `source "${source.name}" ${age}, and may be ${limit} old`,
      location,
      hint: 'fetch newer data, or allow a greater age in "freshness"',
    },
  };
}

/** In the largest unit that fits twice or exactly: `36 hours`, `7 days`. */
function durationText(durationMs: number): string {
  for (const unit of ['day', 'hour', 'minute'] as const) {
    const length = unitsMs[unit] ?? 1;
    const count = Math.floor(durationMs / length);
    if (count >= 2 || durationMs === length) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'a minute';
}
