import { CronExpressionParser } from 'cron-parser';
import { floorTo, type IntervalUnit, intervalUnits, shift, unitMs } from './interval.js';

/** A schedule: when a model's next interval is complete. */
export interface Cron {
  /** Five fields, or an alias such as `@daily`. */
  readonly expression: string;
  /** IANA name. */
  readonly timeZone: string;
}

const aliases: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** The aliases whose ticks are the boundaries of a unit: plain arithmetic serves them. */
const unitAliases: Readonly<Record<string, IntervalUnit>> = {
  '@hourly': 'hour',
  '@daily': 'day',
  '@midnight': 'day',
  '@monthly': 'month',
  '@yearly': 'year',
  '@annually': 'year',
};

/** Why an expression is no cron, or undefined when it is one. */
export function cronProblem(expression: string): string | undefined {
  const text = expression.trim().toLowerCase();
  if (text.startsWith('@')) {
    return text in aliases ? undefined : `unknown alias; known are ${Object.keys(aliases).join(', ')}`;
  }
  if (text.split(/\s+/).length !== 5) return 'a cron has five fields: minute, hour, day of month, month, day of week';
  try {
    CronExpressionParser.parse(text);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** True for the IANA name of a time zone, in any case. */
export function isTimeZone(name: string): boolean {
  // Asking Intl costs a quarter of a millisecond, and nearly every model says UTC.
  if (name === 'UTC') return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The last tick at or before an instant. @throws Error for an expression that `cronProblem` rejects */
export function cronFloor(cron: Cron, instant: number): number {
  const unit = cron.timeZone === 'UTC' ? unitAliases[cron.expression.toLowerCase()] : undefined;
  if (unit !== undefined) return floorTo(unit, instant);
  // `prev` is strictly before its start: one ms later makes a tick at the instant itself count.
  return parsed(cron, instant + 1)
    .prev()
    .getTime();
}

/** The first tick after an instant. */
export function cronNext(cron: Cron, instant: number): number {
  const unit = cron.timeZone === 'UTC' ? unitAliases[cron.expression.toLowerCase()] : undefined;
  if (unit !== undefined) return shift(unit, floorTo(unit, instant), 1);
  return parsed(cron, instant).next().getTime();
}

/**
 * The unit in which a model with this cron counts its intervals: the coarsest that is no longer than the shortest gap
 * between ticks, five minutes at the least (as SQLMesh infers it).
 */
export function intervalUnitOf(cron: Cron): IntervalUnit {
  const known = unitAliases[cron.expression.toLowerCase()];
  if (known !== undefined) return known;
  // A leap-free year start: the gaps sampled over it hold short months and week ends.
  const ticks = parsed({ ...cron, timeZone: 'UTC' }, Date.UTC(2023, 0, 1));
  let previous = ticks.next().getTime();
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < 100; sample++) {
    const tick = ticks.next().getTime();
    shortestMs = Math.min(shortestMs, tick - previous);
    previous = tick;
  }
  return intervalUnits.find((unit) => unitMs(unit) <= shortestMs) ?? 'five_minute';
}

function parsed(cron: Cron, currentDate: number): ReturnType<typeof CronExpressionParser.parse> {
  const text = cron.expression.trim().toLowerCase();
  return CronExpressionParser.parse(aliases[text] ?? text, { currentDate: new Date(currentDate), tz: cron.timeZone });
}
