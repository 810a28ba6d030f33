/** A JSON value from outside, read step by step without believing anything about its shape. */
export type Json = unknown;

export type JsonRecord = { readonly [key: string]: Json };

export function isRecord(value: Json): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items of an array; none for anything else. */
export function items(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The records among the items of an array. */
export function records(value: Json): readonly JsonRecord[] {
  return items(value).filter(isRecord);
}

export function textAt(record: JsonRecord, key: string): string {
  const value = record[key];
  return typeof value === 'string' ? value : '';
}

/** A number, or undefined when it is absent or stands for "none" (DuckDB prints 2^64 - 1, which is beyond JavaScript's integers). */
export function countAt(record: JsonRecord, key: string): number | undefined {
  const value = record[key];
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The numbers of an array. */
export function counts(value: Json): readonly number[] {
  return items(value).filter((item) => typeof item === 'number');
}
