import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import { locate } from '../domain/location.js';
import type { AuditArgument, SqlText } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import { tokenize } from './tokenizer.js';

/** Values of `@name` in a text, as SQL, by lower-case name. */
export type MacroValues = ReadonlyMap<string, string>;

/** One replacement, so that positions in the rendered text lead back to the author's. */
export interface Replacement {
  /** UTF-16 offsets in the author's text. */
  readonly start: number;
  readonly end: number;
  /** Length of what stands there in the rendered text. */
  readonly renderedLength: number;
}

export interface Rendered {
  readonly sql: string;
  /** Offset in the author's statement where an offset of the rendered text comes from. */
  readonly originOf: (renderedOffset: number) => number;
  /** Names of the macros used, lower case, sorted. */
  readonly used: readonly string[];
}

/** Replaces `@name` and `@{name}` by their values; everything else, comments included, stays as the author wrote it. */
export function renderMacros(sql: SqlText, values: MacroValues): Result<Rendered> {
  if (!sql.text.includes('@')) return succeed({ sql: sql.text, originOf: (offset) => offset, used: [] });
  const errors: Diagnostic[] = [];
  const replacements: Replacement[] = [];
  const used = new Set<string>();
  let rendered = '';
  let copied = 0;
  for (const token of tokenize(sql.text).tokens) {
    if (token.type !== 'macro') continue;
    const name = token.text.replace(/[@{}]/g, '').toLowerCase();
    const value = values.get(name);
    if (value === undefined) {
      const start = sql.span.start + token.start;
      const hint = didYouMean(name, values.keys());
      errors.push({
        code: 'SL0206',
        severity: 'error',
        message: `there is no macro or variable @${name}`,
        location: locate(sql.file, { start, end: start + token.text.length }),
        ...(hint === undefined ? {} : { hint: hint.replace('"', '"@') }),
      });
      continue;
    }
    rendered += sql.text.slice(copied, token.start) + value;
    copied = token.end;
    used.add(name);
    replacements.push({ start: token.start, end: token.end, renderedLength: value.length });
  }
  if (errors.length > 0) return fail(...errors);
  rendered += sql.text.slice(copied);
  return succeed({ sql: rendered, originOf: (offset) => originOf(replacements, offset), used: [...used].sort() });
}

function originOf(replacements: readonly Replacement[], renderedOffset: number): number {
  let shift = 0;
  for (const { start, end, renderedLength } of replacements) {
    const renderedStart = start + shift;
    if (renderedOffset < renderedStart) break;
    if (renderedOffset < renderedStart + renderedLength) return start;
    shift += renderedLength - (end - start);
  }
  return renderedOffset - shift;
}

const DAY_MS = 86_400_000;

/**
 * SQLMesh's time variables: `start_`, `end_` and `execution_` (and the older `latest_`) with each of `dt`, `dtntz`,
 * `date`, `ds`, `ts`, `tstz`, `epoch`, `millis`, `hour`. The end of an interval is exclusive, the variables of the end
 * are inclusive: the last day for dates, the last microsecond for timestamps, as SQLMesh gives them.
 */
export function timeVariables(interval: Interval, executionTime: number): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const add = (prefix: string, instant: number, isEnd: boolean): void => {
    const lastMicrosecond = isEnd ? `${isoSeconds(instant - 1)}.999999` : isoSeconds(instant);
    const day = isoSeconds(isEnd ? instant - 1 : instant).slice(0, 10);
    const hour = new Date(isEnd ? instant - 1 : instant).getUTCHours();
    const millis = isEnd ? instant - 1 : instant;
    values.set(`${prefix}_dt`, `TIMESTAMPTZ '${lastMicrosecond}+00:00'`);
    values.set(`${prefix}_dtntz`, `TIMESTAMP '${lastMicrosecond}'`);
    values.set(`${prefix}_date`, `DATE '${day}'`);
    values.set(`${prefix}_ds`, `'${day}'`);
    values.set(`${prefix}_ts`, `'${lastMicrosecond}'`);
    values.set(`${prefix}_tstz`, `'${lastMicrosecond}+00:00'`);
    values.set(`${prefix}_epoch`, String(millis / 1000));
    values.set(`${prefix}_millis`, String(millis));
    values.set(`${prefix}_hour`, String(hour));
  };
  add('start', interval.start, false);
  add('end', interval.end, true);
  add('execution', executionTime, false);
  add('latest', executionTime, false);
  return values;
}

/** The interval that stands for "any" where a model is only bound, not run. */
export const bindingInterval: Interval = { start: 0, end: DAY_MS };

function isoSeconds(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
}

/** Variables of the configuration as SQL: strings are quoted, numbers and booleans stand as they are. */
export function configVariables(
  variables: Readonly<Record<string, string | number | boolean>>,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(variables).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value),
    ]),
  );
}

/** The arguments of an audit as macro values; a list stands as `(a, b)`. */
export function argumentVariables(given: Readonly<Record<string, AuditArgument>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? value : `(${value.join(', ')})`]),
  );
}
