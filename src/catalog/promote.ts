import type { Diagnostic } from '../domain/diagnostic.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import type { PlanRecord } from '../domain/history.js';
import { inLake, LAKE, PROD, physicalName, qualified, type TableName, viewName } from '../domain/names.js';
import type { Plan } from '../domain/plan.js';
import { type Dataset, type Environment, physicalTable, type Snapshot } from '../domain/snapshot.js';
import { subjectOf } from '../domain/step.js';
import type { CommitNote, LakeSession, Transaction } from './lake-session.js';
import { alterPhysicalTable } from './physical.js';
import { environmentSequence, stateWriter } from './state-tables.js';

export interface PromoteRequest {
  readonly plan: Plan;
  /** The environment as it was when the plan was made; undefined when there was none. */
  readonly before: Environment | undefined;
  /** Recorded snapshots; those of the plan that are not among them are written. */
  readonly recorded: ReadonlyMap<string, Snapshot>;
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** Empty tables that nothing will point at. */
  readonly unneeded: readonly TableName[];
  /** Statements that run once the views are moved, in the same transaction. */
  readonly statements: readonly string[];
  readonly note: CommitNote;
  /** Who does it, and how the steps before it ended. */
  readonly record: PlanRecord;
  readonly now: Date;
  /** What comes first in the same transaction. */
  readonly first?: (transaction: Transaction) => Promise<void>;
  /** Of a rollback: the promotion that it goes back to. */
  readonly backTo?: number;
}

/**
 * Moves an environment to its new versions in one DuckLake snapshot: views, changed columns of forward-only tables, the
 * records of plan, snapshots and environment. Readers see the environment before or after, never between.
 */
export async function promote(session: LakeSession, request: PromoteRequest): Promise<void> {
  const { plan, before, note } = request;
  await session.transaction(note, async (transaction) => {
    const sequence = await environmentSequence(transaction, plan.environment);
    if (sequence !== (before?.sequence ?? 0)) throw new DiagnosticError([movedMeanwhile(plan.environment)]);
    await request.first?.(transaction);
    for (const step of plan.steps) {
      const snapshot = plan.snapshots.find((candidate) => candidate.key === subjectOf(step));
      if (step.type === 'alter' && snapshot !== undefined)
        await alterPhysicalTable(transaction, { snapshot, change: step });
    }
    const views = environmentViews(plan, request.datasets);
    const isNew = before === undefined;
    const schemas = new Set(views.map((view) => view.view.schema));
    for (const schema of schemas) await transaction.run(`CREATE SCHEMA IF NOT EXISTS ${qualified(LAKE, schema)}`);
    const unchanged = isNew ? new Set<string>() : new Set(currentBodies(before, request));
    for (const { view, body } of views) {
      if (!unchanged.has(`${inLake(view)} ${body}`))
        await transaction.run(`CREATE OR REPLACE VIEW ${inLake(view)} AS ${body}`);
    }
    await dropGone(
      transaction,
      request,
      views.map((view) => view.view),
    );
    for (const statement of request.statements) await transaction.run(statement);
    for (const table of request.unneeded) await transaction.run(`DROP TABLE IF EXISTS ${inLake(table)}`);
    await writeRecords(transaction, request);
  });
}

interface EnvironmentView {
  readonly view: TableName;
  readonly body: string;
}

/** Every view that the environment should have. A source has views in prod, and elsewhere where its version differs from prod's. */
function environmentViews(plan: Plan, datasets: ReadonlyMap<string, Dataset>): readonly EnvironmentView[] {
  return viewsOf(plan.target, new Map(plan.snapshots.map((snapshot) => [snapshot.key, snapshot])), datasets);
}

function viewsOf(
  environment: Environment,
  snapshots: ReadonlyMap<string, Snapshot>,
  datasets: ReadonlyMap<string, Dataset>,
): readonly EnvironmentView[] {
  const models = Object.entries(environment.models).flatMap(([key, model]): readonly EnvironmentView[] => {
    const snapshot = snapshots.get(key);
    if (!model.hasView || snapshot === undefined) return [];
    const body = `SELECT * FROM ${inLake(physicalTable(snapshot, model.version))}`;
    return [{ view: viewName(snapshot.name, environment.name), body }];
  });
  if (environment.name !== PROD) return models;
  const sources = Object.entries(environment.sources).flatMap(([source, version]) =>
    (datasets.get(`${source}@${version}`)?.elements ?? []).map((element): EnvironmentView => {
      const name = { schema: source, table: element.table.toLowerCase() };
      return { view: name, body: `SELECT * FROM ${inLake(physicalName(name, version))}` };
    }),
  );
  return [...sources, ...models];
}

function snapshotsBefore(before: Environment, recorded: ReadonlyMap<string, Snapshot>): ReadonlyMap<string, Snapshot> {
  return new Map(
    Object.entries(before.models).flatMap(([key, { fingerprint }]) => {
      const snapshot = recorded.get(fingerprint);
      return snapshot === undefined ? [] : [[key, snapshot] as const];
    }),
  );
}

function currentBodies(before: Environment | undefined, { recorded, datasets }: PromoteRequest): readonly string[] {
  if (before === undefined) return [];
  return viewsOf(before, snapshotsBefore(before, recorded), datasets).map(
    ({ view, body }) => `${inLake(view)} ${body}`,
  );
}

async function dropGone(
  transaction: Transaction,
  { before, recorded, datasets }: PromoteRequest,
  wanted: readonly TableName[],
): Promise<void> {
  if (before === undefined) return;
  const kept = new Set(wanted.map(inLake));
  for (const { view } of viewsOf(before, snapshotsBefore(before, recorded), datasets)) {
    if (!kept.has(inLake(view))) await transaction.run(`DROP VIEW IF EXISTS ${inLake(view)}`);
  }
}

async function writeRecords(
  transaction: Transaction,
  { plan, recorded, record, now, backTo }: PromoteRequest,
): Promise<void> {
  const writer = stateWriter(transaction, plan.id, now);
  await writer.snapshots(plan.snapshots.filter((snapshot) => !recorded.has(snapshot.fingerprint)));
  await writer.environment(plan.target);
  await writer.plan(plan, planPayload(plan, record, backTo));
}

/** Records a plan that built rows and moved nothing. */
export async function recordPlan(
  session: LakeSession,
  { plan, record, note, now }: Pick<PromoteRequest, 'plan' | 'record' | 'note' | 'now'>,
): Promise<void> {
  await session.transaction(note, (transaction) =>
    stateWriter(transaction, plan.id, now).plan(plan, planPayload(plan, record, undefined)),
  );
}

function planPayload(plan: Plan, record: PlanRecord, backTo: number | undefined): string {
  const { environment, basedOn, lakeSnapshot, changes, sourceChanges, missing, steps, options } = plan;
  return JSON.stringify({
    environment,
    basedOn,
    lakeSnapshot,
    changes,
    sourceChanges,
    missing,
    steps,
    options,
    record,
    ...(backTo === undefined ? {} : { backTo }),
  });
}

function movedMeanwhile(environment: string): Diagnostic {
  return {
    code: 'SL0705',
    severity: 'error',
    message: `environment "${environment}" was promoted by somebody else while this plan was applied`,
    hint: 'make a new plan; what was built is kept and will be used',
  };
}
