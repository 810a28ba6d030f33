import type { Promotion } from '../domain/history.js';
import { isRecord, textAt } from '../domain/json.js';
import { LAKE } from '../domain/names.js';
import type { Database } from '../effects/duckdb.js';
import { decodeEnvironment, decodePlanPayload } from './decode.js';
import { hasStateTable, stateTable } from './state-tables.js';

/**
 * What was carried out in all environments, or in one, oldest first. The DuckLake snapshots are found by the notes of
 * their transactions.
 */
export async function readHistory(database: Database, environment?: string): Promise<readonly Promotion[]> {
  if (!(await hasStateTable(database, 'environments'))) return [];
  const rows = await database.rows(
    `SELECT coalesce(e.name, p.environment) AS name, e.sequence, coalesce(e.plan_id, p.plan_id) AS plan_id,
  epoch_ms(coalesce(e.created_at, p.created_at))::BIGINT AS at_ms, e.payload AS target, p.payload AS plan
FROM ${stateTable('environments')} AS e
FULL JOIN ${stateTable('plans')} AS p ON p.plan_id = e.plan_id AND p.environment = e.name AND p.created_at = e.created_at
WHERE $1 = '' OR coalesce(e.name, p.environment) = $1
ORDER BY at_ms, e.sequence`,
    [environment ?? ''],
  );
  const snapshots = await planSnapshots(database);
  const last = new Map<string, Pick<Promotion, 'sequence' | 'target'>>();
  return rows.flatMap((row): readonly Promotion[] => {
    const name = String(row.name);
    const moved =
      row.target === null ? undefined : { sequence: Number(row.sequence), target: decodeEnvironment(row.target) };
    const current = moved ?? last.get(name);
    // Rows that were built for an environment which does not say what it was: an older version's record.
    if (current === undefined) return [];
    last.set(name, current);
    const planId = String(row.plan_id);
    const plan = row.plan === null ? undefined : decodePlanPayload(row.plan);
    return [
      {
        environment: name,
        planId,
        type: moved === undefined ? 'rows' : plan?.backTo === undefined ? 'plan' : 'rollback',
        at: new Date(Number(row.at_ms)).toISOString(),
        // A plan's notes name the promotion that it would be.
        snapshotId: snapshots.get(`${planId}/${current.sequence + (moved === undefined ? 1 : 0)}/${name}`),
        record: plan?.record,
        changes: plan?.changes ?? [],
        sourceChanges: plan?.sourceChanges ?? [],
        ...(plan?.backTo === undefined ? {} : { backTo: plan.backTo }),
        ...current,
      },
    ];
  });
}

/** DuckLake snapshots by `plan/sequence/environment`. */
async function planSnapshots(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database.rows(
    `SELECT snapshot_id, commit_extra_info FROM ${LAKE}.snapshots() WHERE commit_extra_info LIKE '%/promote"%' OR commit_extra_info LIKE '%/record"%'`,
  );
  const found = new Map<string, number>();
  for (const row of rows) {
    const note: unknown = JSON.parse(String(row.commit_extra_info));
    if (!isRecord(note)) continue;
    const [, planId, sequence] = /^(.*)\/(\d+)\/(?:promote|record)$/.exec(textAt(note, 'key')) ?? [];
    if (planId !== undefined)
      found.set(`${planId}/${sequence}/${textAt(note, 'environment')}`, Number(row.snapshot_id));
  }
  return found;
}
