import { createPhysicalTable, createPhysicalView } from '../catalog/physical.js';
import { stateWriter } from '../catalog/state-tables.js';
import { DiagnosticError, type Result } from '../domain/diagnostic.js';
import { inLake, physicalName, type TableName } from '../domain/names.js';
import type { ModelProgram } from '../domain/program.js';
import { builtKey, physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import { runAudits } from './audits.js';
import type { Work } from './work.js';

type StepOf<T extends Step['type']> = Extract<Step, { readonly type: T }>;

/** Makes the empty table, or the view, of a version; EMBEDDED parents get their names on the way. */
export async function createVersion(step: StepOf<'create'>, work: Work): Promise<undefined> {
  const { snapshot } = modelOf(step.model, work);
  await nameInlineParents(snapshot, work);
  if (snapshot.storage === 'view') await createView(step, work);
  else {
    await work.session.transaction(work.note(`create ${step.model}`, `create/${step.model}`), (transaction) =>
      createPhysicalTable(transaction, snapshot, step.version),
    );
  }
  await work.runCatalog.pointAt(snapshot.name, physicalTable(snapshot, step.version));
  return undefined;
}

async function createView(step: StepOf<'create'>, work: Work): Promise<void> {
  const { snapshot, program } = modelOf(step.model, work);
  const body = orThrow(program.standalone((key) => physicalOf(key, work)));
  await work.session.transaction(work.note(`create ${step.model}`, `create/${step.model}`), async (transaction) => {
    await createPhysicalView(transaction, snapshot, { version: step.version, body });
    const found = await transaction.rows(
      `SELECT column_name, column_type FROM (DESCRIBE ${inLake(physicalTable(snapshot, step.version))})`,
    );
    const wanted = snapshot.columns.map((column) => column.name.toLowerCase()).join(', ');
    const made = found.map((row) => String(row.column_name).toLowerCase()).join(', ');
    // The names were put in by position: that the view still gives the columns that were bound is checked, not assumed.
    if (wanted !== made) throw new Error(`the stored view gives other columns (${made}) than its query (${wanted})`);
  });
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

/** Runs the audits of a version that is built already. */
export async function auditVersion(step: StepOf<'audit'>, work: Work): Promise<number> {
  const { snapshot, program } = modelOf(step.model, work);
  const built = work.state.built.get(builtKey(snapshot, step.version)) ?? [];
  const interval = { start: built[0]?.start ?? 0, end: built.at(-1)?.end ?? work.plan.options.executionTime };
  const table = inLake(physicalTable(snapshot, step.version));
  return work.session.exclusively((database) =>
    runAudits({
      program,
      table,
      interval,
      run: (sql) => database.rows(sql),
      emit: work.effects.emit,
      model: step.model,
    }),
  );
}

/** The snapshot and the SQL of a model of the plan. */
export function modelOf(key: string, work: Work): { readonly snapshot: Snapshot; readonly program: ModelProgram } {
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === key);
  const program = work.programs.get(key);
  if (snapshot === undefined || program === undefined) throw new Error(`the plan names ${key}, the project does not`);
  return { snapshot, program };
}

/** Gives EMBEDDED models their names in the run catalog, parents first, before somebody reads them. */
export async function nameInlineParents(snapshot: Snapshot, work: Work): Promise<void> {
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
  const version = work.plan.target.models[key]?.version;
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === key);
  if (snapshot !== undefined && version !== undefined) return inLake(physicalTable(snapshot, version));
  for (const source of work.project.sources) {
    for (const element of source.elements) {
      const name: TableName = { schema: source.source.name, table: element.table.toLowerCase() };
      if (`${name.schema}.${name.table}` === key) return inLake(physicalName(name, source.version));
    }
  }
  const outside = work.project.models.find(
    (bound) => bound.model.key === key && bound.model.kind.storage === 'outside',
  );
  return outside === undefined ? undefined : inLake(outside.model.name);
}

export function orThrow<T>(result: Result<T>): T {
  if (!result.ok) throw new DiagnosticError(result.errors);
  return result.value;
}
