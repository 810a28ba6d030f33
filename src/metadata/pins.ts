import { DiagnosticError, messageOf } from '../domain/diagnostic.js';
import type { Pin, PinOf } from '../domain/model.js';
import type { SqliteRow } from '../effects/sqlite.js';
import { type CanonicalEffects, isThere } from './canonical.js';
import { readContentsOf } from './contents.js';
import type { MetadataPlaces } from './store.js';

/**
 * Tells which version of an address that moves on was taken last, by the file that git tracks, or by the live database
 * where a later run of this clone has not been published. They are read once, when somebody asks.
 *
 * @returns  undefined for a source that is in neither, or is there with another address
 */
export function recordedPins({ tracked, live }: MetadataPlaces, effects: CanonicalEffects): PinOf {
  let pins: ReadonlyMap<string, Pin> | undefined;
  const read = (): ReadonlyMap<string, Pin> => {
    const found = new Map<string, Pin>();
    for (const row of [tracked, live].flatMap((file) => datasetsOf(file, effects))) {
      const key = keyOf(String(row.source), String(row.uri));
      const pin = { resolved: String(row.resolved ?? ''), at: timeOf(String(row.last_run ?? '')) };
      const before = found.get(key);
      if (before === undefined || pin.at > before.at) found.set(key, pin);
    }
    return found;
  };
  return ({ name, uri }) => {
    pins ??= read();
    const pin = pins.get(keyOf(name, uri));
    return pin === undefined || pin.resolved === '' ? undefined : pin;
  };
}

function datasetsOf(file: string, effects: CanonicalEffects): readonly SqliteRow[] {
  if (!isThere(file, effects.files)) return [];
  try {
    return readContentsOf(file, effects.openSqlite).get('datasets') ?? [];
  } catch (thrown) {
    // The newest version in its place would be another than the one that others work with.
    const hint = 'what was taken of addresses that move on stands in it: bring the file back, or take it away';
    throw new DiagnosticError(
      [{ code: 'SL0901', severity: 'error', message: `provenance cannot be read: ${messageOf(thrown)}`, hint }],
      { cause: thrown },
    );
  }
}

/** Names of runs begin with their time, without its punctuation. */
function timeOf(run: string): string {
  return run.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z.*$/, '$1-$2-$3T$4:$5:$6.$7Z');
}

function keyOf(name: string, uri: string): string {
  return JSON.stringify([name, uri]);
}
