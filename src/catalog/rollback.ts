import type { PlanRecord } from '../domain/history.js';
import { ident, inLake, LAKE, qualified, type TableName, tableKey } from '../domain/names.js';
import type { Past, RollbackPlan } from '../domain/rollback.js';
import { builtKey, type LakeState, physicalTable } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import type { CommitNote, LakeSession, Transaction } from './lake-session.js';
import { METADATA } from './metadata-names.js';
import { createPhysicalTable } from './physical.js';
import { promote } from './promote.js';
import { environmentAt } from './state-at.js';
import { builtIntervals, stateWriter } from './state-tables.js';

/** An environment as it was at one of DuckLake's snapshots; undefined where it was not there yet. */
export async function readPast(database: Database, name: string, snapshotId: number): Promise<Past | undefined> {
  const found = await environmentAt(database, name, snapshotId);
  if (found === undefined) return undefined;
  const built = await builtIntervals(database, ` AT (VERSION => ${snapshotId})`);
  return { environment: found.environment, snapshots: found.state.snapshots, built, snapshotId };
}

/** `schema.table` of all tables and views that the lake has now. */
export async function presentTables(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.rows(
    `SELECT schema_name, table_name FROM ${METADATA}.ducklake_table AS t JOIN ${METADATA}.ducklake_schema AS s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
UNION ALL
SELECT schema_name, view_name FROM ${METADATA}.ducklake_view AS v JOIN ${METADATA}.ducklake_schema AS s USING (schema_id) WHERE v.end_snapshot IS NULL AND s.end_snapshot IS NULL`,
  );
  return new Set(rows.map((row) => tableKey({ schema: String(row.schema_name), table: String(row.table_name) })));
}

/**
 * `schema.table` of the tables whose rows or columns changed after a snapshot. DuckLake notes what each snapshot did as a
 * list of `what:table id`; compaction moves rows and changes none.
 */
export async function changedTables(database: Database, snapshotId: number): Promise<ReadonlySet<string>> {
  const notes = await database.rows(
    `SELECT changes_made FROM ${METADATA}.ducklake_snapshot_changes WHERE snapshot_id > $1`,
    [snapshotId],
  );
  const ids = new Set(
    notes.flatMap((row) =>
      [
        ...String(row.changes_made).matchAll(
          /(?:^|,)(?:inserted_into_table|deleted_from_table|altered_table|inlined_insert|inlined_delete):(\d+)/g,
        ),
      ].map(([, id]) => Number(id)),
    ),
  );
  if (ids.size === 0) return new Set();
  const rows = await database.rows(
    `SELECT s.schema_name, t.table_name FROM ${METADATA}.ducklake_table AS t JOIN ${METADATA}.ducklake_schema AS s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND t.table_id IN (${[...ids].join(', ')})`,
  );
  return new Set(rows.map((row) => tableKey({ schema: String(row.schema_name), table: String(row.table_name) })));
}

/** Carries out a rollback: copies, views and records in one transaction. @returns rows that were copied */
export async function rollBack(
  session: LakeSession,
  rollback: RollbackPlan,
  request: {
    readonly state: LakeState;
    readonly note: CommitNote;
    readonly record: Omit<PlanRecord, 'steps'>;
    readonly now: Date;
  },
): Promise<number> {
  const { plan } = rollback;
  const { state, note, record, now } = request;
  let rowCount = 0;
  await promote(session, {
    plan,
    before: state.environments.get(plan.environment),
    recorded: state.snapshots,
    datasets: state.datasets,
    unneeded: [],
    statements: [],
    note,
    record: { ...record, steps: [] },
    now,
    backTo: rollback.backTo,
    first: async (transaction) => {
      rowCount = await restore(transaction, rollback, now);
    },
  });
  return rowCount;
}

async function restore(
  transaction: Transaction,
  { plan, tables, views, renamed, snapshotId }: RollbackPlan,
  now: Date,
): Promise<number> {
  const writer = stateWriter(transaction, plan.id, now);
  let rowCount = 0;
  for (const { snapshot, from, version, built } of tables) {
    await createPhysicalTable(transaction, snapshot, version);
    const to = inLake(physicalTable(snapshot, version));
    const past = `${inLake(from)} AT (VERSION => ${snapshotId})`;
    await transaction.run(`INSERT INTO ${to} BY NAME SELECT * FROM ${past}`);
    const [counted] = await transaction.rows(`SELECT count(*) AS n FROM ${to}`);
    rowCount += Number(counted?.n);
    for (const interval of built) await writer.interval(builtKey(snapshot, version), interval);
  }
  for (const { snapshot, from, version } of views) {
    const body = await viewText(transaction, from, renamed);
    const columns = snapshot.columns.map(({ name }) => ident(name)).join(', ');
    await transaction.run(
      `CREATE OR REPLACE VIEW ${inLake(physicalTable(snapshot, version))} (${columns}) AS\n${body}`,
    );
  }
  return rowCount;
}

/** A physical view's text over other tables. Names of physical tables end in a hash: with their schema nothing else is spelled like them. */
async function viewText(transaction: Transaction, view: TableName, renamed: RollbackPlan['renamed']): Promise<string> {
  const [row] = await transaction.rows(
    'SELECT sql FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND view_name = $3',
    [LAKE, view.schema, view.table],
  );
  if (row === undefined) throw new Error(`the lake has no view ${qualified(view.schema, view.table)}`);
  const text = String(row.sql);
  // `CREATE VIEW name (columns) AS body;`
  const body = /\)\s+AS\s+([\s\S]*?);?\s*$/.exec(text)?.[1] ?? '';
  let changed = body;
  for (const { from, to } of renamed) changed = changed.replace(nameIn(from), () => qualified(to.schema, to.table));
  return changed;
}

/** Where a text of DuckDB's names a table with its schema: it quotes names that need it, and only those. */
function nameIn({ schema, table }: TableName): RegExp {
  const part = (name: string): string => {
    const [plain, quoted] = [name, ident(name)].map((one) => one.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return `(?:${quoted}|(?<![\\p{L}\\p{N}_"])${plain}(?![\\p{L}\\p{N}_"]))`;
  };
  return new RegExp(`${part(schema)}\\.${part(table)}`, 'gu');
}
