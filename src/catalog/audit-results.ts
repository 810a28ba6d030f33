import type { AuditResult, RecordedAuditResult } from '../domain/audit-result.js';
import type { Database } from '../effects/duckdb.js';
import { decodeAuditRows, decodeAuditStatus } from './decode.js';
import type { Transaction } from './lake-session.js';
import { hasStateTable, stateTable } from './state-tables.js';

/** Where and when audits ran. */
export interface AuditOccasion {
  readonly environment: string;
  readonly planId: string;
  readonly now: Date;
}

/** Records within the caller's transaction. */
export async function writeAuditResults(
  transaction: Transaction,
  results: readonly AuditResult[],
  { environment, planId, now }: AuditOccasion,
): Promise<void> {
  if (results.length === 0) return;
  let index = 0;
  const rows = results.map((one) => [
    one.audit,
    one.model,
    one.version,
    environment,
    planId,
    one.interval.start,
    one.interval.end,
    now.toISOString(),
    one.status,
    one.rowCount,
    JSON.stringify(one.rows),
    one.definition,
  ]);
  const values = rows.map((row) => `(${row.map(() => `$${++index}`).join(', ')})`).join(', ');
  await transaction.run(`INSERT INTO ${stateTable('audit_results')} VALUES ${values}`, rows.flat());
}

/**
 * How each audit ended the last time that it ran in an environment.
 *
 * @returns nothing for a lake that has kept no results yet
 */
export async function lastAuditResults(
  database: Database,
  environment: string,
): Promise<readonly RecordedAuditResult[]> {
  if (!(await hasStateTable(database, 'audit_results'))) return [];
  const rows = await database.rows(
    `SELECT audit, model, version, environment, plan_id, start_ms, end_ms, CAST(run_at AT TIME ZONE 'UTC' AS VARCHAR) AS run_at, status, row_count, rows, definition
FROM ${stateTable('audit_results')}
WHERE environment = $1
QUALIFY row_number() OVER (PARTITION BY audit, model ORDER BY run_at DESC, end_ms DESC) = 1
ORDER BY model, audit`,
    [environment],
  );
  return rows.map((row) => ({
    audit: String(row.audit),
    model: String(row.model),
    version: String(row.version),
    environment: String(row.environment),
    planId: String(row.plan_id),
    interval: { start: Number(row.start_ms), end: Number(row.end_ms) },
    runAt: `${String(row.run_at).replace(' ', 'T')}Z`,
    status: decodeAuditStatus(row.status ?? null),
    rowCount: Number(row.row_count),
    rows: decodeAuditRows(row.rows ?? null),
    definition: String(row.definition),
  }));
}

/** How the audits of one plan ended; nothing for a lake that has kept no results yet. */
export async function planAuditResults(
  database: Database,
  planId: string,
): Promise<readonly Pick<RecordedAuditResult, 'model' | 'audit' | 'status' | 'rowCount'>[]> {
  if (!(await hasStateTable(database, 'audit_results'))) return [];
  const rows = await database.rows(
    `SELECT model, audit, status, sum(row_count) AS row_count FROM ${stateTable('audit_results')} WHERE plan_id = $1 GROUP BY ALL ORDER BY ALL`,
    [planId],
  );
  return rows.map((row) => ({
    model: String(row.model),
    audit: String(row.audit),
    status: decodeAuditStatus(row.status ?? null),
    rowCount: Number(row.row_count),
  }));
}
