/** A JSON value; 64-bit integers stand in it as bigint and are written with all their digits. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/**
 * JSON text, the same for the same value. NaN and the infinities, which JSON has no numbers for, become the strings
 * "NaN", "Infinity" and "-Infinity"; undefined members are left out.
 *
 * @param indent  objects and arrays of objects are broken into lines, arrays of scalars stay on one
 */
export function jsonText(value: Json, indent = ''): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const deeper = indent === '' ? '' : `${indent}  `;
  if (isArray(value)) {
    const items = value.map((item) => jsonText(item, deeper));
    if (indent === '' || value.every((item) => item === null || typeof item !== 'object'))
      return `[${items.join(',')}]`;
    return `[${items.map((item) => `${deeper}${item}`).join(',')}${indent}]`;
  }
  const members = Object.entries(value).flatMap(([key, member]) =>
    member === undefined
      ? []
      : [`${deeper}${JSON.stringify(key)}:${indent === '' ? '' : ' '}${jsonText(member, deeper)}`],
  );
  return members.length === 0 ? '{}' : `{${members.join(',')}${indent}}`;
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
