import { isRecord, type JsonRecord } from '../domain/json.js';
import type { Files } from '../effects/files.js';

/** What a file of ours keeps; undefined where it is not there, torn or foreign: as if nothing had been kept. */
export function keptRecord(file: string, files: Files): JsonRecord | undefined {
  if (files.facts(file) === undefined) return undefined;
  try {
    const kept: unknown = JSON.parse(files.readText(file));
    return isRecord(kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}
