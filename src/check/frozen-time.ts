import { literal } from '../domain/names.js';

/**
 * Macros that hide DuckDB's own functions of the time of day, so that a query which asks for it gets a test's execution
 * time without a letter of it changed. They count in the schema in which the test runs. Not reached are `age(x)`, which
 * compares with the real day, and functions that are called by their schema.
 *
 * @param now ms UTC
 */
export function frozenTime(now: number): readonly string[] {
  const text = new Date(now).toISOString().slice(0, 23).replace('T', ' ');
  const [day = '', time = ''] = text.split(' ');
  const zoned = `TIMESTAMPTZ ${literal(`${text}+00:00`)}`;
  const values: Readonly<Record<string, string>> = {
    now: zoned,
    current_timestamp: zoned,
    get_current_timestamp: zoned,
    transaction_timestamp: zoned,
    current_localtimestamp: `TIMESTAMP ${literal(text)}`,
    localtimestamp: `TIMESTAMP ${literal(text)}`,
    current_date: `DATE ${literal(day)}`,
    today: `DATE ${literal(day)}`,
    current_time: `TIMETZ ${literal(`${time}+00`)}`,
    get_current_time: `TIMETZ ${literal(`${time}+00`)}`,
    current_localtime: `TIME ${literal(time)}`,
    localtime: `TIME ${literal(time)}`,
  };
  return Object.entries(values).map(([name, value]) => `CREATE MACRO "${name}"() AS ${value}`);
}
