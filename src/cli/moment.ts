import type { Moment } from '../catalog/state-at.js';
import { parseInstant } from '../domain/time.js';
import { type CommandContext, UsageError } from './command.js';

/** A moment as a pattern, for what is written behind an `@`. */
export const momentPattern = String.raw`[0-9a-f]{4,12}|\d+|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?`;

/**
 * A plan by the beginning of its id, a DuckLake snapshot by its number, or a time.
 *
 * @throws UsageError
 */
export function readMoment(text: string, { shell }: CommandContext): Moment {
  const written = text.trim();
  if (/^\d{1,9}$/.test(written)) return { type: 'snapshot', id: Number(written) };
  if (/^[0-9a-f]{4,12}$/i.test(written)) return { type: 'plan', id: written.toLowerCase() };
  const parsed = parseInstant(written, shell.outside.now().getTime());
  if (parsed === undefined) throw new UsageError(`"${text}" is no plan, no snapshot and no time`);
  return { type: 'time', instant: parsed.instant };
}
