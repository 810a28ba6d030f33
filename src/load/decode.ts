import type { ModelCodeContext } from '../domain/code.js';
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

/** What `defineModel` gives; undefined for any other export. */
export function decodeModelCode(
  exported: unknown,
):
  | { readonly header: Readonly<Record<string, unknown>>; readonly run: (context: ModelCodeContext) => unknown }
  | undefined {
  if (!isRecord(exported) || exported.scilakeModel !== true || !isRecord(exported.header)) return undefined;
  const { header, run } = exported;
  return typeof run === 'function' ? { header, run: run as (context: ModelCodeContext) => unknown } : undefined;
}

/** A function of the project's own code; what it takes and gives is its author's promise. */
export function isFunction<T extends (...given: never[]) => unknown>(value: unknown): value is T {
  return typeof value === 'function';
}
