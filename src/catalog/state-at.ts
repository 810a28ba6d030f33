import { DiagnosticError } from '../domain/diagnostic.js';
import type { Promotion } from '../domain/history.js';
import { LAKE, qualified, STATE_SCHEMA } from '../domain/names.js';
import type { Environment, LakeState } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import { decodeDataset, decodeEnvironment, decodeSnapshot } from './decode.js';
import { readHistory } from './read-history.js';

/** A moment of a lake: one of DuckLake's snapshots, a time, or when a plan had moved its environment. */
export type Moment =
  /** The beginning of its id is enough. */
  | { readonly type: 'plan'; readonly id: string }
  | { readonly type: 'snapshot'; readonly id: number }
  /** ms UTC. */
  | { readonly type: 'time'; readonly instant: number };

export async function currentSnapshotId(database: Database): Promise<number> {
  const [row] = await database.rows(`SELECT id FROM ${LAKE}.current_snapshot()`);
  return Number(row?.id);
}

/**
 * The id of the last DuckLake snapshot up to a moment.
 *
 * @throws DiagnosticError SL0422 where the lake has none (any more), or several plans begin so
 */
export async function snapshotAt(database: Database, moment: Moment, shown: string): Promise<number> {
  if (moment.type === 'plan') return planSnapshot(await readHistory(database), moment.id);
  const id = await snapshotIdAt(database, moment);
  if (id !== undefined && (moment.type === 'time' || id === moment.id)) return id;
  throw noSnapshot(`the lake has no snapshot for ${shown}`);
}

function planSnapshot(history: readonly Promotion[], start: string): number {
  const found = history.filter(({ planId }) => planId.startsWith(start));
  const plans = new Set(found.map(({ planId }) => planId));
  if (plans.size > 1) throw noSnapshot(`several plans begin with ${start}: ${[...plans].join(', ')}`);
  const last = found.at(-1);
  if (last === undefined) throw noSnapshot(`no plan ${start} has moved an environment`);
  if (last.snapshotId === undefined) throw noSnapshot(`the snapshot of plan ${last.planId} has expired`);
  return last.snapshotId;
}

function noSnapshot(message: string): DiagnosticError {
  const hint = 'scilake log lists what has happened, and when';
  return new DiagnosticError([{ code: 'SL0422', severity: 'error', message, hint }]);
}

async function snapshotIdAt(
  database: Database,
  moment: Exclude<Moment, { readonly type: 'plan' }>,
): Promise<number | undefined> {
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
