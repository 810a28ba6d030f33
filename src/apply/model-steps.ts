import type { Transaction } from '../catalog/lake-session.js';
import { createPhysicalTable, createPhysicalView } from '../catalog/physical.js';
import { stateWriter } from '../catalog/state-tables.js';
import { DiagnosticError, type Result } from '../domain/diagnostic.js';
import { inLake, outsideTable, physicalName, type TableName } from '../domain/names.js';
import type { ModelProgram } from '../domain/program.js';
import { builtKey, physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import type { Work } from './work.js';

type StepOf<T extends Step['type']> = Extract<Step, { readonly type: T }>;

/**
 * Makes the empty table, or the view, of a version. The first call makes those of the whole plan in one transaction: each
 * commit that changes the catalog makes DuckLake read it again, so one by one they would cost the square of their number.
 * If one of them cannot be made, each is made by itself, so that the others are not held up.
 */
export async function createVersion(step: StepOf<'create'>, work: Work): Promise<undefined> {
  if (work.created.has(step.model)) return undefined;
  const waiting = work.plan.steps.filter(
    (other): other is StepOf<'create'> => other.type === 'create' && !work.created.has(other.model),
  );
  if (work.created.size === 0 && waiting.length > 1 && (await tryCreate(waiting, work))) return undefined;
  await create([step], work);
  return undefined;
}

async function tryCreate(steps: readonly StepOf<'create'>[], work: Work): Promise<boolean> {
  try {
    await create(steps, work);
    return true;
  } catch {
    // One of them will fail again by itself, and say why.
    return false;
  }
}

async function create(steps: readonly StepOf<'create'>[], work: Work): Promise<void> {
  const [first] = steps;
  const what = steps.length === 1 ? `create ${first?.model}` : `create ${steps.length} tables and views`;
  await work.session.transaction(work.note(what, `create/${steps.length}/${first?.model}`), async (transaction) => {
    for (const step of steps) await createObject(step.model, step.version, work, transaction);
  });
  await work.runCatalog.pointAt(
    steps.map((step) => {
      const { snapshot } = modelOf(step.model, work);
      return { name: snapshot.name, physical: physicalTable(snapshot, step.version) };
    }),
  );
  for (const step of steps) work.created.add(step.model);
}

/** Makes the table or view of a version within the caller's transaction. */
async function createObject(model: string, version: string, work: Work, transaction: Transaction): Promise<void> {
  const { snapshot, program } = modelOf(model, work);
  if (snapshot.storage !== 'view') return createPhysicalTable(transaction, snapshot, version);
  const body = orThrow(program.standalone((key) => physicalOf(key, work)));
  await createPhysicalView(transaction, snapshot, { version, body });
  const made = await transaction.rows(`SELECT column_type FROM (DESCRIBE ${inLake(physicalTable(snapshot, version))})`);
  for (const [at, column] of snapshot.columns.entries()) {
    const type = String(made[at]?.column_type);
    // Table names were replaced by position: that the view still gives what was bound is checked, not assumed. Nested
    // types are spelled in several ways and are left to DuckDB.
    if (!type.includes('(') && !column.type.includes('(') && type !== column.type) {
      throw new Error(`the stored view gives ${column.name} as ${type}, its query as ${column.type}`);
    }
  }
}

/** Records an interval as built without running anything, because the user said so. */
export async function recordInterval(step: StepOf<'record'>, work: Work): Promise<undefined> {
  const key = builtKey(modelOf(step.model, work).snapshot, step.version);
  await work.session.transaction(
    work.note(`record ${step.model}`, `record/${step.model}/${step.interval.start}`),
    (transaction) => stateWriter(transaction, work.plan.id, work.effects.now()).interval(key, step.interval),
  );
  work.filled.add(key);
  return undefined;
}

/** Takes from the record what another environment has to build again. */
export async function forgetInterval(step: StepOf<'forget'>, work: Work): Promise<undefined> {
  await work.session.transaction(
    work.note(`forget ${step.model} of ${step.environment}`, `forget/${step.key}/${step.interval.start}`),
    (transaction) =>
      stateWriter(transaction, work.plan.id, work.effects.now()).withoutInterval(step.key, step.interval),
  );
  return undefined;
}

/** The snapshot and the SQL of a model of the plan. */
export function modelOf(key: string, work: Work): { readonly snapshot: Snapshot; readonly program: ModelProgram } {
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === key);
  const program = work.programs.get(key);
  if (snapshot === undefined || program === undefined) throw new Error(`the plan names ${key}, the project does not`);
  return { snapshot, program };
}

/** Gives EMBEDDED models their names in the run catalog, parents first, before somebody reads them. */
export async function nameInlineParents(snapshot: Pick<Snapshot, 'key' | 'parents'>, work: Work): Promise<void> {
  for (const parent of snapshot.parents) {
    const inline = work.plan.snapshots.find((candidate) => candidate.key === parent && candidate.storage === 'inline');
    const program = work.programs.get(parent);
    if (inline === undefined || program === undefined || parent === snapshot.key) continue;
    await nameInlineParents(inline, work);
    await work.runCatalog.inline(
      inline.name,
      orThrow(program.query({ start: 0, end: work.plan.options.executionTime })),
    );
  }
}

/** The physical table or view behind a logical name, as SQL. */
function physicalOf(key: string, work: Work): string | undefined {
  const outside = work.project.models.find(
    ({ model }) => model.key === key && model.kind.storage === 'outside' && model.catalog !== undefined,
  );
  if (outside !== undefined) return outsideTable(outside.model.name, outside.model.catalog);
  const name = physicalNameOf(key, work);
  return name === undefined ? undefined : inLake(name);
}

/** The same for what must be there, in the lake. */
export function physicalTableOf(key: string, work: Work): TableName {
  const name = physicalNameOf(key, work);
  if (name === undefined) throw new Error(`nothing stands behind ${key}`);
  return name;
}

function physicalNameOf(key: string, work: Work): TableName | undefined {
  const version = work.plan.target.models[key]?.version;
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === key);
  if (snapshot !== undefined && version !== undefined) return physicalTable(snapshot, version);
  for (const source of work.project.sources) {
    for (const element of source.elements) {
      const name: TableName = { schema: source.source.name, table: element.table.toLowerCase() };
      if (`${name.schema}.${name.table}` === key) return physicalName(name, source.version);
    }
  }
  return work.project.models.find(({ model }) => model.key === key && model.kind.storage === 'outside')?.model.name;
}

export function orThrow<T>(result: Result<T>): T {
  if (!result.ok) throw new DiagnosticError(result.errors);
  return result.value;
}
