import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { JsonValue } from './kind.js';

/** A short content hash: 64 bits of SHA-256 as 16 hex digits. Enough for the tables of one lake; not a defence against forgery. */
export function digest(...parts: readonly string[]): string {
  // The lengths keep ("ab", "c") and ("a", "bc") apart.
  const text = parts.map((part) => `${part.length}:${part}`).join('|');
  return bytesToHex(sha256(utf8ToBytes(text)).subarray(0, 8));
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: JsonValue): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
