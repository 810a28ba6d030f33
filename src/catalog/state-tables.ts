import { type AuditRun, auditRunKey } from '../domain/audit-result.js';
import { type Diagnostic, DiagnosticError } from '../domain/diagnostic.js';
import { type Interval, subtract, union } from '../domain/interval.js';
import { LAKE, physicalName, qualified, STATE_SCHEMA, type TableName } from '../domain/names.js';
import type { Plan } from '../domain/plan.js';
import { type Dataset, type Environment, type LakeState, physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import { decodeDataset, decodeEnvironment, decodeSnapshot } from './decode.js';
import type { LakeSession, Transaction } from './lake-session.js';
import { METADATA } from './metadata-names.js';

/** Version of the layout below; a lake of a newer one is refused. */
export const STATE_VERSION = 1;

const definitions = {
  meta: 'key VARCHAR, value VARCHAR',
  snapshots:
    'fingerprint VARCHAR, key VARCHAR, version VARCHAR, plan_id VARCHAR, created_at TIMESTAMP WITH TIME ZONE, payload VARCHAR',
  intervals: 'built_key VARCHAR, start_ms BIGINT, end_ms BIGINT, plan_id VARCHAR, created_at TIMESTAMP WITH TIME ZONE',
  environments: 'name VARCHAR, sequence BIGINT, plan_id VARCHAR, created_at TIMESTAMP WITH TIME ZONE, payload VARCHAR',
  datasets: 'source VARCHAR, version VARCHAR, plan_id VARCHAR, created_at TIMESTAMP WITH TIME ZONE, payload VARCHAR',
  // Added later: a lake without one of these is as good, and gets it with the next write.
  consumed:
    'built_key VARCHAR, table_name VARCHAR, snapshot_id BIGINT, plan_id VARCHAR, created_at TIMESTAMP WITH TIME ZONE',
  audit_results:
    'audit VARCHAR, model VARCHAR, version VARCHAR, environment VARCHAR, plan_id VARCHAR, start_ms BIGINT, end_ms BIGINT, run_at TIMESTAMP WITH TIME ZONE, status VARCHAR, row_count BIGINT, rows VARCHAR, definition VARCHAR',
  plans: 'plan_id VARCHAR, environment VARCHAR, created_at TIMESTAMP WITH TIME ZONE, payload VARCHAR',
} as const;

export type StateTable = keyof typeof definitions;

export function stateTable(table: StateTable): string {
  return qualified(LAKE, STATE_SCHEMA, table);
}

/** Makes the state tables of a new lake, and checks their version in an old one. One transaction, or none. */
export async function ensureStateTables(session: LakeSession, now: Date): Promise<void> {
  const [version, present] = await session.exclusively(
    async (database) => [await stateVersion(database), await presentTables(database)] as const,
  );
  if (version !== undefined) checkVersion(version);
  const missing = Object.entries(definitions).filter(([table]) => !present.has(table));
  if (missing.length === 0) return;
  const note = {
    author: 'scilake',
    message:
      version === undefined ? 'create state tables' : `add state tables ${missing.map(([table]) => table).join(', ')}`,
    key: `state-${now.getTime()}`,
    details: { state_version: STATE_VERSION },
  };
  await session.transaction(note, async (transaction) => {
    await transaction.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(LAKE, STATE_SCHEMA)}`);
    for (const [table, columns] of missing) {
      await transaction.run(`CREATE TABLE IF NOT EXISTS ${qualified(LAKE, STATE_SCHEMA, table)} (${columns})`);
    }
    if (version === undefined)
      await transaction.run(`INSERT INTO ${stateTable('meta')} VALUES ('state_version', $1)`, [String(STATE_VERSION)]);
  });
}

async function stateVersion(database: Database): Promise<number | undefined> {
  if (!(await hasStateTable(database, 'meta'))) return undefined;
  const [row] = await database.rows(`SELECT value FROM ${stateTable('meta')} WHERE key = 'state_version'`);
  return row === undefined ? undefined : Number(row.value);
}

/** Listed from DuckLake's own tables: the information schema costs a millisecond a table. */
async function presentTables(database: Database): Promise<ReadonlySet<string>> {
  const tables = await database.rows(
    `SELECT t.table_name FROM ${METADATA}.ducklake_table AS t JOIN ${METADATA}.ducklake_schema AS s USING (schema_id) WHERE s.schema_name = '${STATE_SCHEMA}' AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL`,
  );
  return new Set(tables.map((row) => String(row.table_name)));
}

/** Whether the lake has a state table; one that a later version added may be missing until something is written. */
export async function hasStateTable(database: Database, table: StateTable): Promise<boolean> {
  return (await presentTables(database)).has(table);
}

function checkVersion(version: number): void {
  if (version === STATE_VERSION) return;
  const diagnostic: Diagnostic = {
    code: 'SL0704',
    severity: 'error',
    message: `the lake's state has version ${version}, this Scilake reads version ${STATE_VERSION}`,
    hint: version > STATE_VERSION ? 'install a newer Scilake' : 'install the Scilake that made the lake',
  };
  throw new DiagnosticError([diagnostic]);
}

/** Reads all state in one go. A lake without state tables gives an empty state. */
export async function readState(session: LakeSession): Promise<LakeState> {
  return session.exclusively(async (database) => {
    const version = await stateVersion(database);
    const [current] = await database.rows(`SELECT id FROM ${LAKE}.current_snapshot()`);
    const lakeSnapshot = Number(current?.id);
    if (version === undefined)
      return { lakeSnapshot, environments: new Map(), snapshots: new Map(), built: new Map(), datasets: new Map() };
    checkVersion(version);
    const environments = await database.rows(
      `SELECT payload FROM ${stateTable('environments')} QUALIFY row_number() OVER (PARTITION BY name ORDER BY sequence DESC) = 1`,
    );
    const snapshots = await database.rows(`SELECT payload FROM ${stateTable('snapshots')}`);
    const built = await builtIntervals(database);
    const datasets = await database.rows(`SELECT payload FROM ${stateTable('datasets')}`);
    return {
      lakeSnapshot,
      environments: new Map(
        environments.map((row) => decodeEnvironment(row.payload)).map((environment) => [environment.name, environment]),
      ),
      snapshots: new Map(
        snapshots.map((row) => decodeSnapshot(row.payload)).map((snapshot) => [snapshot.fingerprint, snapshot]),
      ),
      built,
      datasets: new Map(
        datasets
          .map((row) => decodeDataset(row.payload))
          .map((dataset) => [`${dataset.source}@${dataset.version}`, dataset]),
      ),
      auditRuns: await readAuditRuns(database, await presentTables(database)),
    };
  });
}

/** Built intervals by `builtKey`, sorted and disjoint. @param moment  an `AT` clause, for those of another time */
export async function builtIntervals(
  database: Database,
  moment = '',
): Promise<ReadonlyMap<string, readonly Interval[]>> {
  const rows = await database.rows(`SELECT built_key, start_ms, end_ms FROM ${stateTable('intervals')}${moment}`);
  const runs = new Map<string, Interval[]>();
  for (const row of rows) {
    const key = String(row.built_key);
    const interval = { start: Number(row.start_ms), end: Number(row.end_ms) };
    const run = runs.get(key);
    if (run === undefined) runs.set(key, [interval]);
    else run.push(interval);
  }
  return new Map([...runs].map(([key, run]) => [key, union(run)]));
}

/** The last runs of audits of what has no version here, by `auditRunKey`. */
async function readAuditRuns(database: Database, tables: ReadonlySet<string>): Promise<ReadonlyMap<string, AuditRun>> {
  if (!tables.has('audit_results')) return new Map();
  const rows = await database.rows(
    `SELECT environment, if(model = '', audit, model) AS subject, arg_max(definition, run_at) AS definition, max(end_ms) AS end_ms
FROM ${stateTable('audit_results')}
WHERE version = '' AND definition <> ''
GROUP BY ALL`,
  );
  return new Map(
    rows.map((row) => [
      auditRunKey(String(row.environment), String(row.subject)),
      { definition: String(row.definition), executionTime: Number(row.end_ms) },
    ]),
  );
}

function manifestKey(source: string, version: string): string {
  return `manifest/${source}@${version}`;
}

/** The manifest of a dataset; undefined where it was registered before manifests were kept. */
export async function readManifest(database: Database, source: string, version: string): Promise<string | undefined> {
  const [row] = await database.rows(`SELECT value FROM ${stateTable('meta')} WHERE key = $1`, [
    manifestKey(source, version),
  ]);
  return row === undefined ? undefined : String(row.value);
}

/** Up to which snapshot of the lake a table has read the changes of its parent, and which table that was. */
export async function consumedSnapshot(
  session: LakeSession,
  key: string,
): Promise<{ readonly table: string; readonly snapshotId: number } | undefined> {
  return session.exclusively(async (database) => {
    if (!(await hasStateTable(database, 'consumed'))) return undefined;
    const [row] = await database.rows(
      `SELECT table_name, snapshot_id FROM ${stateTable('consumed')} WHERE built_key = $1 ORDER BY snapshot_id DESC LIMIT 1`,
      [key],
    );
    return row === undefined ? undefined : { table: String(row.table_name), snapshotId: Number(row.snapshot_id) };
  });
}

/** Records within the caller's transaction. */
export interface StateWriter {
  /** @param key `builtKey` of the physical table */
  interval(key: string, interval: Interval): Promise<void>;
  /** Takes an interval away again; the table and its rows stay. */
  withoutInterval(key: string, interval: Interval): Promise<void>;
  /** @param manifest  the text of its `manifest.json`: what tables do not say (categories, dtypes), for the way back */
  dataset(dataset: Dataset, manifest: string): Promise<void>;
  /** @param table physical name of the parent whose changes have been read */
  consumed(key: string, table: TableName, snapshotId: number): Promise<void>;
  snapshots(snapshots: readonly Snapshot[]): Promise<void>;
  environment(environment: Environment): Promise<void>;
  plan(plan: Plan, payload: string): Promise<void>;
}

export function stateWriter(transaction: Transaction, planId: string, now: Date): StateWriter {
  const at = now.toISOString();
  const insert = (table: StateTable, rows: readonly (readonly (string | number)[])[]): Promise<void> => {
    const [first] = rows;
    if (first === undefined) return Promise.resolve();
    let index = 0;
    const values = rows.map((row) => `(${row.map(() => `$${++index}`).join(', ')})`).join(', ');
    return transaction.run(`INSERT INTO ${stateTable(table)} VALUES ${values}`, rows.flat());
  };
  return {
    interval: (key, interval) => insert('intervals', [[key, interval.start, interval.end, planId, at]]),
    async withoutInterval(key, interval) {
      const where = 'WHERE built_key = $1 AND start_ms < $2 AND end_ms > $3';
      const given = [key, interval.end, interval.start];
      const rows = await transaction.rows(`SELECT start_ms, end_ms FROM ${stateTable('intervals')} ${where}`, given);
      const held = rows.map((row) => ({ start: Number(row.start_ms), end: Number(row.end_ms) }));
      await transaction.run(`DELETE FROM ${stateTable('intervals')} ${where}`, given);
      // An interval of no length stays: there is a table, and it has rows, even where none of them counts any more.
      const left = [...subtract(held, [interval]), { start: interval.start, end: interval.start }];
      await insert(
        'intervals',
        left.map(({ start, end }) => [key, start, end, planId, at]),
      );
    },
    async dataset(dataset, manifest) {
      await insert('datasets', [[dataset.source, dataset.version, planId, at, JSON.stringify(dataset)]]);
      // Beside the record, not in it: records are all read at each start, manifests hold every category.
      await insert('meta', [[manifestKey(dataset.source, dataset.version), manifest]]);
    },
    async consumed(key, table, snapshotId) {
      // A lake that an earlier version made has no such table yet.
      await transaction.run(`CREATE TABLE IF NOT EXISTS ${stateTable('consumed')} (${definitions.consumed})`);
      await insert('consumed', [[key, `${table.schema}.${table.table}`, snapshotId, planId, at]]);
    },
    snapshots: (snapshots) =>
      insert(
        'snapshots',
        snapshots.map((snapshot) => [
          snapshot.fingerprint,
          snapshot.key,
          snapshot.version,
          planId,
          at,
          JSON.stringify(snapshot),
        ]),
      ),
    environment: (environment) =>
      insert('environments', [[environment.name, environment.sequence, planId, at, JSON.stringify(environment)]]),
    plan: (plan, payload) => insert('plans', [[plan.id, plan.environment, at, payload]]),
  };
}

/** The sequence of an environment as the transaction sees it, to notice a promotion by somebody else. 0 when there is none. */
export async function environmentSequence(transaction: Transaction, name: string): Promise<number> {
  const [row] = await transaction.rows(
    `SELECT coalesce(max(sequence), 0) AS sequence FROM ${stateTable('environments')} WHERE name = $1`,
    [name],
  );
  return Number(row?.sequence);
}

/** Every table that an environment reads by a logical name, with the version behind it. */
export function environmentTables(
  environment: Environment,
  state: LakeState,
): readonly { readonly name: TableName; readonly physical: TableName }[] {
  const sources = Object.entries(environment.sources).flatMap(([source, version]) =>
    (state.datasets.get(`${source}@${version}`)?.elements ?? []).map((element) => {
      const name = { schema: source, table: element.table.toLowerCase() };
      return { name, physical: physicalName(name, version) };
    }),
  );
  const models = Object.values(environment.models).flatMap(({ fingerprint, version }) => {
    const snapshot = state.snapshots.get(fingerprint);
    if (snapshot === undefined || snapshot.storage === 'inline') return [];
    return [{ name: snapshot.name, physical: physicalTable(snapshot, version) }];
  });
  return [...sources, ...models];
}
