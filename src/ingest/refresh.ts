import type { Source } from '../domain/model.js';
import type { LandEffects } from './landing.js';
import type { LastLanding } from './source-state.js';

/**
 * Whether a place is to be asked again. Where its source declares another checksum than what came the last time has, it
 * is: something new is meant to be there.
 */
export function isDue(
  { refresh, checksum }: Source,
  last: LastLanding,
  { ask, now }: Pick<LandEffects, 'ask' | 'now'>,
): boolean {
  if (refresh === 'always' || ask === 'always') return true;
  if (checksum !== undefined && checksum !== `sha256:${last.sha256}`) return true;
  if (refresh === 'never') return false;
  const ageMs = (now?.() ?? new Date()).getTime() - Date.parse(last.landedAt);
  // A time that cannot be read, or that is yet to come, says nothing.
  return !(ageMs >= 0 && ageMs < refresh.afterMs);
}
