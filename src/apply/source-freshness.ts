import type { LakeSession } from '../catalog/lake-session.js';
import { newestRow } from '../catalog/source-ages.js';
import type { AuditResult } from '../domain/audit-result.js';
import type { BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, messageOf } from '../domain/diagnostic.js';
import { judgeFreshness } from '../domain/freshness.js';
import { isoInstant } from '../domain/interval.js';
import type { LakeState } from '../domain/snapshot.js';
import type { Files } from '../effects/files.js';

export interface FreshnessRequest {
  /** Undefined where there is no lake yet: only the ages of files are known. */
  readonly session: LakeSession | undefined;
  readonly state: LakeState;
  /** ms UTC. */
  readonly executionTime: number;
  readonly files: Files;
}

/**
 * Holds the age of a source against what its declaration promises: by the newest value of a column in the lake, or by the
 * time at which the raw file was modified. A column of data that are not in the lake yet is not judged.
 */
export async function auditFreshness(
  bound: BoundSource,
  { session, state, executionTime, files }: FreshnessRequest,
): Promise<{ readonly result: AuditResult | undefined; readonly diagnostic: Diagnostic | undefined }> {
  const nothing = { result: undefined, diagnostic: undefined };
  const { version } = bound;
  const { freshness, name } = bound.source;
  if (freshness === undefined) return nothing;
  const dataset = state.datasets.get(`${name}@${version}`);
  if (freshness.column !== undefined && (dataset === undefined || session === undefined)) return nothing;
  try {
    const newest =
      freshness.column === undefined || dataset === undefined || session === undefined
        ? files.facts(bound.path)?.modifiedMs
        : await session.exclusively((database) => newestRow(database, dataset, freshness));
    const { status, diagnostic } = judgeFreshness({ name, freshness }, newest, executionTime);
    const rows = status === 'passed' ? [] : [{ newest: newest === undefined ? null : isoInstant(newest) }];
    const found = { status, rowCount: rows.length, rows, interval: { start: 0, end: executionTime } };
    return { result: { audit: 'freshness', model: name, version, definition: '', ...found }, diagnostic };
  } catch (thrown) {
    const message = `source "${name}": ${messageOf(thrown).split('\n')[0]}`;
    return { ...nothing, diagnostic: { code: 'SL0508', severity: 'error', message, location: freshness.location } };
  }
}
