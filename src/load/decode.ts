import { isRecord } from '../domain/json.js';
import type { References } from '../domain/references.js';
import type { Binding } from './binding.js';

/**
 * Reads back what this program wrote into its own cache. The entry's hash was checked before, so its shape is the one
 * that was written; anything that still does not look like it is treated as not there.
 */
export function decodeBinding(text: string): Binding | undefined {
  const value: unknown = JSON.parse(text);
  return isRecord(value) && 'columns' in value && 'lineage' in value ? (value as unknown as Binding) : undefined;
}

export function decodeReferences(text: string): References | undefined {
  const value: unknown = JSON.parse(text);
  return isRecord(value) && 'tables' in value && 'qualifiedColumns' in value
    ? (value as unknown as References)
    : undefined;
}
