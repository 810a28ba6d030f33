import { LAKE, qualified, STATE_SCHEMA } from '../domain/names.js';
import type { Environment, LakeState } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import { decodeDataset, decodeEnvironment, decodeSnapshot } from './decode.js';

/** A moment of a lake: one of DuckLake's snapshots, or a time. */
export type Moment =
  | { readonly type: 'snapshot'; readonly id: number }
  /** ms UTC. */
  | { readonly type: 'time'; readonly instant: number };

export async function currentSnapshotId(database: Database): Promise<number> {
  const [row] = await database.rows(`SELECT id FROM ${LAKE}.current_snapshot()`);
  return Number(row?.id);
}

/** @returns the id of the last DuckLake snapshot up to a moment; undefined where the lake has none (any more) */
export async function snapshotIdAt(database: Database, moment: Moment): Promise<number | undefined> {
  const condition =
    moment.type === 'snapshot' ? `snapshot_id = ${moment.id}` : `epoch_ms(snapshot_time) <= ${moment.instant}`;
  const [row] = await database.rows(`SELECT max(snapshot_id) AS id FROM ${LAKE}.snapshots() WHERE ${condition}`);
  return row?.id === null || row?.id === undefined ? undefined : Number(row.id);
}

/** An environment as it was at one of DuckLake's snapshots, with the records that its tables are found by. */
export async function environmentAt(
  database: Database,
  name: string,
  snapshotId: number,
): Promise<{ readonly environment: Environment; readonly state: LakeState } | undefined> {
  const table = (of: string): string => `${qualified(LAKE, STATE_SCHEMA, of)} AT (VERSION => ${snapshotId})`;
  // Before its first plan the lake has no such tables.
  const isThere = await database
    .describe(`SELECT * FROM ${table('environments')}`)
    .then(() => true)
    .catch(() => false);
  if (!isThere) return undefined;
  const [row] = await database.rows(
    `SELECT payload FROM ${table('environments')} WHERE name = $1 ORDER BY sequence DESC LIMIT 1`,
    [name],
  );
  if (row === undefined) return undefined;
  const snapshots = await database.rows(`SELECT payload FROM ${table('snapshots')}`);
  const datasets = await database.rows(`SELECT payload FROM ${table('datasets')}`);
  const state: LakeState = {
    lakeSnapshot: snapshotId,
    environments: new Map(),
    snapshots: new Map(snapshots.map((one) => decodeSnapshot(one.payload)).map((one) => [one.fingerprint, one])),
    built: new Map(),
    datasets: new Map(
      datasets.map((one) => decodeDataset(one.payload)).map((one) => [`${one.source}@${one.version}`, one]),
    ),
  };
  return { environment: decodeEnvironment(row.payload), state };
}
