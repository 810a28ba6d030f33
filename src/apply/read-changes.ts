import { consumedSnapshot } from '../catalog/state-tables.js';
import { messageOf } from '../domain/diagnostic.js';
import type { FillRequest } from '../domain/kind.js';
import { ident, LAKE, literal, type TableName } from '../domain/names.js';
import { builtKey, type Snapshot } from '../domain/snapshot.js';
import { physicalTableOf } from './model-steps.js';
import type { Work } from './work.js';

const [REMOVED, ADDED] = [ident('__scilake_removed'), ident('__scilake_added')];

/** What a model that reads changes has before it: the whole of its parent, nothing, or what changed. */
export interface ReadChanges {
  readonly parent: TableName;
  /** The lake's snapshot up to which the parent has been read once this is done. */
  readonly snapshotId: number;
  readonly mode: 'whole' | 'unchanged' | 'changes';
  readonly changes?: NonNullable<FillRequest['changes']>;
}

/**
 * Runs a model's query over the rows of its parent that are gone since the model read it last, and over those that have come,
 * into two temporary tables. Of a row that changed several times only where it began and where it ended counts.
 *
 * @returns `whole` when there is nothing to compare with: a first load, another table, snapshots that have expired
 */
export async function readChanges(
  snapshot: Snapshot,
  version: string,
  query: string,
  work: Work,
): Promise<ReadChanges> {
  const key = snapshot.lineage.known ? (snapshot.lineage.print.tables[0] ?? '') : '';
  const parent = physicalTableOf(key, work);
  const snapshotId = await work.session.snapshotId();
  const consumed = await consumedSnapshot(work.session, builtKey(snapshot, version));
  if (consumed === undefined || consumed.table !== `${parent.schema}.${parent.table}`)
    return { parent, snapshotId, mode: 'whole' };
  if (consumed.snapshotId === snapshotId) return { parent, snapshotId, mode: 'unchanged' };
  const [schema = '', table = ''] = key.split('.');
  const name = { schema, table };
  const feed = `ducklake_table_changes(${literal(LAKE)}, ${literal(parent.schema)}, ${literal(parent.table)}, ${consumed.snapshotId + 1}, ${snapshotId})`;
  const rows = (which: 'removed' | 'added'): string => {
    const kinds = which === 'removed' ? "('delete', 'update_preimage')" : "('insert', 'update_postimage')";
    const order = which === 'removed' ? 'snapshot_id ASC, is_gone DESC' : 'snapshot_id DESC, is_gone ASC';
    return `SELECT * EXCLUDE (snapshot_id, rowid, change_type, is_gone)
FROM (
  SELECT *, change_type IN ('delete', 'update_preimage') AS is_gone
  FROM ${feed}
  QUALIFY row_number() OVER (PARTITION BY rowid ORDER BY ${order}) = 1
)
WHERE change_type IN ${kinds}`;
  };
  try {
    for (const which of ['removed', 'added'] as const) {
      await work.runCatalog.inline(name, rows(which));
      const into = which === 'removed' ? REMOVED : ADDED;
      await work.session.exclusively((database) => database.run(`CREATE OR REPLACE TEMP TABLE ${into} AS\n${query}`));
    }
  } catch (thrown) {
    // Somebody has expired the snapshots in between: what changed cannot be told any more.
    if (!messageOf(thrown).includes('No snapshot found')) throw thrown;
    return { parent, snapshotId, mode: 'whole' };
  } finally {
    await work.runCatalog.pointAt([{ name, physical: parent }]);
  }
  return { parent, snapshotId, mode: 'changes', changes: { removed: `temp.${REMOVED}`, added: `temp.${ADDED}` } };
}

export async function dropChanges(work: Work): Promise<void> {
  await work.session.exclusively((database) =>
    database.run(`DROP TABLE IF EXISTS temp.${REMOVED}; DROP TABLE IF EXISTS temp.${ADDED}`),
  );
}
