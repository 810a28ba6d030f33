import type { Interval } from './interval.js';
import type { JsonValue } from './kind.js';

/** How one audit ended on one table, as the lake keeps it. */
export interface AuditResult {
  readonly audit: string;
  /** Key of the audited model or name of the source; empty for an audit that stands alone. */
  readonly model: string;
  /** The physical table's version; empty where there is none. */
  readonly version: string;
  /** What was audited; for an audit that stands alone, up to the time of the run. */
  readonly interval: Interval;
  readonly status: 'passed' | 'warned' | 'failed';
  /** All rows that break it, of which `rows` holds the first. */
  readonly rowCount: number;
  readonly rows: readonly { readonly [column: string]: JsonValue }[];
  /** Hash of an audit that stands alone, or of all audits of a table that somebody else keeps: changed ones run again. */
  readonly definition: string;
}

/** An audit result with where and when it came to be. */
export interface RecordedAuditResult extends AuditResult {
  readonly environment: string;
  readonly planId: string;
  /** ISO, UTC. */
  readonly runAt: string;
}

/** The last run of an audit that stands alone, or of the audits of a table that somebody else keeps, in one environment. */
export interface AuditRun {
  readonly definition: string;
  /** The time that it ran for, ms UTC. */
  readonly executionTime: number;
}

/** Key of `LakeState.auditRuns`. @param subject name of an audit that stands alone, key of a table */
export function auditRunKey(environment: string, subject: string): string {
  return `${environment}/${subject}`;
}
