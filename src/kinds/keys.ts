import { asText, type Fragment, listItems, textOf } from '../domain/fragment.js';
import { ident } from '../domain/names.js';
import type { PropertyReader } from '../domain/property-reader.js';

/** One part of a key: a column, or an expression over columns. */
export interface KeyPart {
  readonly sql: string;
  readonly isColumn: boolean;
}

/** Reads `unique_key id`, `unique_key (a, lower(b))`. */
export function readKeys(properties: PropertyReader): readonly KeyPart[] {
  const declared = properties.required(
    'unique_key',
    'name the columns that identify a row: unique_key (cluster, gene)',
  );
  return declared === undefined ? [] : listItems(declared).map(keyPart);
}

function keyPart(item: Fragment): KeyPart {
  return item.tokens.length === 1
    ? { sql: ident(asText(item)), isColumn: true }
    : { sql: textOf(item), isColumn: false };
}

/** A key as people write it. */
export function plainKey(sql: string): string {
  return sql.startsWith('"') && sql.endsWith('"') ? sql.slice(1, -1).replaceAll('""', '"') : sql;
}
