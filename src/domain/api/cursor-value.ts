import { parseDurationMs } from '../freshness.js';

/** A value that says how new a record is, as the record has it. */
export interface CursorValue {
  readonly type: 'number' | 'text';
  /** Digits of a number as they stand, or the text. */
  readonly text: string;
}

const decimal = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
const instant =
  /^(\d{4}-\d{2}-\d{2})(?:([T ])(\d{2}:\d{2})(:\d{2})?(?:([.,])(\d+))?)?(\s*(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?$/i;

/**
 * The order of two cursors: numbers by their value (of any length, digit by digit), dates and times by the instant that
 * they mean (UTC where they name no offset), other texts by their characters.
 *
 * @returns less than 0 where `a` comes first; undefined where the two have no order, as a number and a date
 */
export function compareCursors(a: CursorValue, b: CursorValue): number | undefined {
  const [left, right] = [numberOf(a.text), numberOf(b.text)];
  if (left !== undefined && right !== undefined) return sign(left.digits * power(right), right.digits * power(left));
  if (a.type === 'number' || b.type === 'number') return undefined;
  const [first, second] = [instantOf(a.text), instantOf(b.text)];
  if (first !== undefined && second !== undefined)
    return sign(BigInt(first.ms), BigInt(second.ms)) || compareText(first.fraction, second.fraction);
  return compareText(a.text, b.text);
}

/**
 * The cursor that lies a lag before another, written as that one is.
 *
 * @returns undefined where there is none: a time span before a number, a number before a text
 */
export function cursorBefore(cursor: CursorValue, lag: string): CursorValue | undefined {
  const span = parseDurationMs(lag);
  const time = instantOf(cursor.text);
  if (span !== undefined && time !== undefined && cursor.type === 'text') {
    const shifted = new Date(time.clockMs - span).toISOString();
    if (!/^\d{4}-/.test(shifted)) return undefined;
    const [, , between, , seconds, point, , zone = ''] = instant.exec(cursor.text) ?? [];
    // Of a date alone the whole day is asked for again.
    if (between === undefined) return { type: 'text', text: `${shifted.slice(0, 10)}${zone}` };
    const clock = seconds === undefined ? shifted.slice(11, 16) : shifted.slice(11, 19);
    const fraction = point === undefined ? '' : `${point}${time.written}`;
    return { type: 'text', text: `${shifted.slice(0, 10)}${between}${clock}${fraction}${zone}` };
  }
  const [number, step] = [numberOf(cursor.text), numberOf(lag)];
  if (number === undefined || step === undefined) return undefined;
  const scale = number.scale > step.scale ? number.scale : step.scale;
  const digits = number.digits * 10n ** (scale - number.scale) - step.digits * 10n ** (scale - step.scale);
  return { type: cursor.type, text: decimalText(digits, Number(scale)) };
}

interface Scaled {
  readonly digits: bigint;
  /** The value is `digits` / 10^scale; never negative. */
  readonly scale: bigint;
}

function numberOf(text: string): Scaled | undefined {
  const [, minus = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(text) ?? [];
  if (whole === '') return undefined;
  const digits = BigInt(`${whole}${fraction}`) * (minus === '-' ? -1n : 1n);
  const scale = BigInt(fraction.length) - BigInt(exponent);
  return scale < 0n ? { digits: digits * 10n ** -scale, scale: 0n } : { digits, scale };
}

function power({ scale }: Scaled): bigint {
  return 10n ** scale;
}

function decimalText(digits: bigint, scale: number): string {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const point = scale === 0 ? '' : `.${text.slice(-scale)}`;
  return `${digits < 0n ? '-' : ''}${scale === 0 ? text : text.slice(0, -scale)}${point}`;
}

interface Instant {
  /** Whole seconds since 1970 UTC, in ms. */
  readonly ms: number;
  /** The same of the clock as it is written, whatever its offset. */
  readonly clockMs: number;
  /** Digits behind the seconds, without zeros at the end. */
  readonly fraction: string;
  readonly written: string;
}

function instantOf(text: string): Instant | undefined {
  const [, day, , clock = '00:00', seconds = ':00', , written = '', zone = ''] = instant.exec(text) ?? [];
  if (day === undefined) return undefined;
  const clockMs = Date.parse(`${day}T${clock}${seconds}Z`);
  const [, minus, hours, minutes = '0'] = /([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes)) * (minus === '-' ? -60_000 : 60_000);
  return Number.isNaN(clockMs)
    ? undefined
    : { ms: clockMs - offset, clockMs, fraction: written.replace(/0+$/, ''), written };
}

function sign(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
