import type { Interval } from '../../domain/interval.js';
import type { JsonValue } from '../../domain/kind.js';
import type { AuditArgument } from '../../domain/model.js';

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

/** Variables of the configuration as SQL: strings are quoted, numbers and booleans stand as they are, lists in parentheses. */
export function configVariables(variables: Readonly<Record<string, JsonValue>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), sqlOf(value)]));
}

function sqlOf(value: JsonValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (Array.isArray(value)) return `(${value.map(sqlOf).join(', ')})`;
  if (typeof value !== 'object') return String(value);
  const fields = Object.entries(value).map(([key, item]) => `'${key.replaceAll("'", "''")}': ${sqlOf(item)}`);
  return `{${fields.join(', ')}}`;
}

/** The arguments of an audit as macro values; a list stands as `(a, b)`. */
export function argumentVariables(given: Readonly<Record<string, AuditArgument>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? value : `(${value.join(', ')})`]),
  );
}
