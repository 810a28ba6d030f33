import type { AuditResult } from '../domain/audit-result.js';
import type { PlanRecord } from '../domain/history.js';
import { isRecord, type Json } from '../domain/json.js';
import type { Change, SourceChange } from '../domain/plan.js';
import type { Dataset, Environment, Snapshot } from '../domain/snapshot.js';

/**
 * Reads back what Scilake wrote itself. The state schema's version was checked before; here only the outline is, and
 * what does not have it is an error with the place named, never a half-read record.
 */
function payload<T>(text: Json, what: string, outline: readonly string[]): T {
  const value: unknown = JSON.parse(String(text));
  const missing = isRecord(value) ? outline.find((key) => !(key in value)) : 'everything';
  if (missing !== undefined) throw new Error(`the lake's record of ${what} lacks ${missing}`);
  return value as T;
}

export function decodeAuditStatus(text: Json): AuditResult['status'] {
  const known = (['passed', 'warned', 'failed'] as const).find((status) => status === text);
  if (known === undefined) throw new Error(`the lake's record of an audit has the status ${String(text)}`);
  return known;
}

export function decodeAuditRows(text: Json): AuditResult['rows'] {
  const value: unknown = JSON.parse(String(text));
  if (!Array.isArray(value) || !value.every(isRecord)) throw new Error("the lake's record of an audit holds no rows");
  return value as AuditResult['rows'];
}

export function decodeSnapshot(text: Json): Snapshot {
  return payload<Snapshot>(text, 'a snapshot', ['key', 'fingerprint', 'version', 'lineage', 'data', 'schedule']);
}

export function decodeEnvironment(text: Json): Environment {
  return payload<Environment>(text, 'an environment', ['name', 'planId', 'sequence', 'models', 'sources']);
}

export function decodeDataset(text: Json): Dataset {
  return payload<Dataset>(text, 'a dataset', ['source', 'version', 'sha256', 'elements']);
}

/** What is recorded of a plan beside what it made. */
export interface PlanPayload {
  readonly changes: readonly Change[];
  readonly sourceChanges: readonly SourceChange[];
  readonly record?: PlanRecord;
  /** Of a rollback: the promotion that it went back to. */
  readonly backTo?: number;
}

export function decodePlanPayload(text: Json): PlanPayload {
  return payload<PlanPayload>(text, 'a plan', ['changes', 'sourceChanges']);
}
