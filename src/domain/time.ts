import { floorTo, shift } from './interval.js';

/** An instant as a user wrote it. */
export interface ParsedInstant {
  /** ms since 1970 UTC. */
  readonly instant: number;
  /** A date names the whole day: as the end of a range it is inclusive. A datetime is exclusive. */
  readonly isDate: boolean;
}

const relative = /^(\d+)\s*(minute|hour|day|week|month|year)s?\s+ago$/i;
const absolute =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/**
 * Reads a date (`2024-01-31`), a datetime (`2024-01-31 12:00:00`, UTC unless it names an offset), ms since 1970, or a
 * time relative to `now` (`today`, `yesterday`, `3 days ago`).
 *
 * @returns undefined when the text is none of these, or names a day that does not exist
 */
export function parseInstant(text: string, now: number): ParsedInstant | undefined {
  const trimmed = text.trim();
  if (/^\d{9,}$/.test(trimmed)) return { instant: Number(trimmed), isDate: false };
  const lower = trimmed.toLowerCase();
  if (lower === 'now') return { instant: now, isDate: false };
  if (lower === 'today') return { instant: floorTo('day', now), isDate: true };
  if (lower === 'yesterday') return { instant: shift('day', floorTo('day', now), -1), isDate: true };
  const ago = relative.exec(trimmed);
  if (ago) return relativeInstant(Number(ago[1]), (ago[2] ?? '').toLowerCase(), now);
  const parts = absolute.exec(trimmed);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const instant = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
    Number((fraction ?? '').padEnd(3, '0').slice(0, 3)),
  );
  const date = new Date(instant);
  const rolledOver =
    date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day) || Number(hour ?? 0) > 23;
  if (rolledOver || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return undefined;
  return { instant: instant - offsetMs(zone), isDate: hour === undefined };
}

function relativeInstant(count: number, unit: string, now: number): ParsedInstant {
  const day = floorTo('day', now);
  switch (unit) {
    case 'minute':
      return { instant: now - count * 60_000, isDate: false };
    case 'hour':
      return { instant: now - count * 3_600_000, isDate: false };
    case 'week':
      return { instant: shift('day', day, -7 * count), isDate: true };
    case 'month':
      return { instant: monthsBefore(day, count), isDate: true };
    case 'year':
      return { instant: monthsBefore(day, 12 * count), isDate: true };
    default:
      return { instant: shift('day', day, -count), isDate: true };
  }
}

/** The same day of an earlier month, or that month's last day where it is shorter. */
function monthsBefore(day: number, count: number): number {
  const month = shift('month', floorTo('month', day), -count);
  const lastDay = shift('day', shift('month', month, 1), -1);
  return Math.min(shift('day', month, new Date(day).getUTCDate() - 1), lastDay);
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || /^(Z|UTC)$/i.test(zone)) return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  const digits = zone.slice(1).replace(':', '');
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000;
}

/** The exclusive end of a range that a user closed with this: the day after a date, the instant itself otherwise. */
export function endOf(parsed: ParsedInstant): number {
  return parsed.isDate ? shift('day', parsed.instant, 1) : parsed.instant;
}
