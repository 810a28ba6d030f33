import { type AuditOccasion, writeAuditResults } from '../catalog/audit-results.js';
import type { Transaction } from '../catalog/lake-session.js';
import type { AuditResult } from '../domain/audit-result.js';
import type { Interval } from '../domain/interval.js';
import { inLake, outsideTable } from '../domain/names.js';
import { builtKey, physicalTable, type Snapshot } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import { AuditFailure, brokenRows, runAudits } from './audits.js';
import { modelOf, nameInlineParents, orThrow } from './model-steps.js';
import type { Work } from './work.js';

const loadHint = 'nothing of this load is visible; correct the query or the data, or make the audit non-blocking';
const promotionHint = 'the environment stays as it was; correct the models or the audit';

/** Audits what a transaction has written, and keeps the results within it. @throws AuditFailure, which takes it all back */
export async function auditLoad(
  transaction: Transaction,
  load: { readonly snapshot: Snapshot; readonly version: string; readonly interval: Interval },
  work: Work,
): Promise<void> {
  const { snapshot, version, interval } = load;
  const { program } = modelOf(snapshot.key, work);
  const queries = orThrow(program.audits(inLake(physicalTable(snapshot, version)), interval));
  if (queries.length === 0) return;
  const results = await runAudits({
    queries,
    model: snapshot.key,
    version,
    interval,
    storeRows: work.project.project.config.audits.storeRows,
    hint: loadHint,
    run: (sql) => transaction.rows(sql),
    emit: work.effects.emit,
  });
  await writeAuditResults(transaction, results, occasionOf(work));
}

/**
 * Keeps what blocking audits found: their load is rolled back, and what broke it would be gone with it.
 *
 * @throws whatever `load` throws
 */
export async function keepingFailures<T>(what: string, work: Work, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (thrown) {
    if (thrown instanceof AuditFailure) await record(what, thrown.results, work);
    throw thrown;
  }
}

/** Runs the audits of a version that is built already, or of a table that somebody else keeps. @returns number of rows that broke them */
export async function auditVersion(step: Extract<Step, { readonly type: 'audit' }>, work: Work): Promise<number> {
  if (step.definition !== undefined) return auditOutside(step.model, step.definition, work);
  const { snapshot, program } = modelOf(step.model, work);
  const built = work.state.built.get(builtKey(snapshot, step.version)) ?? [];
  const interval = { start: built[0]?.start ?? 0, end: built.at(-1)?.end ?? work.plan.options.executionTime };
  await nameInlineParents(snapshot, work);
  return runAndRecord(
    { queries: orThrow(program.audits(inLake(physicalTable(snapshot, step.version)), interval)), interval },
    { model: step.model, version: step.version, definition: '' },
    work,
  );
}

/** Runs the audits of a table that somebody else keeps. @returns number of rows that broke them */
async function auditOutside(model: string, definition: string, work: Work): Promise<number> {
  const outside = work.project.models.find((bound) => bound.model.key === model)?.model;
  const program = work.programs.get(model);
  if (outside === undefined || program === undefined) throw new Error(`the plan names ${model}, the project does not`);
  const interval = { start: 0, end: work.plan.options.executionTime };
  const queries = orThrow(program.audits(outsideTable(outside.name, outside.catalog), interval));
  return runAndRecord({ queries, interval }, { model, version: '', definition }, work);
}

/** Runs an audit that stands alone, over what its environment will be. @returns number of rows that broke it */
export async function auditAlone(step: Extract<Step, { readonly type: 'standalone' }>, work: Work): Promise<number> {
  const one = work.standalone.get(step.audit);
  if (one === undefined) throw new Error(`the plan names audit ${step.audit}, the project does not`);
  await nameInlineParents({ key: '', parents: one.reads }, work);
  const interval = { start: 0, end: work.plan.options.executionTime };
  const { definition } = one;
  return runAndRecord({ queries: [orThrow(one.query)], interval }, { model: '', version: '', definition }, work);
}

async function runAndRecord(
  asked: Pick<Parameters<typeof runAudits>[0], 'queries' | 'interval'>,
  subject: { readonly model: string; readonly version: string; readonly definition: string },
  work: Work,
): Promise<number> {
  const what = subject.model === '' ? (asked.queries[0]?.name ?? '') : subject.model;
  const results = await keepingFailures(what, work, () =>
    work.session.exclusively((database) =>
      runAudits({
        ...asked,
        ...subject,
        storeRows: work.project.project.config.audits.storeRows,
        hint: promotionHint,
        run: (sql) => database.rows(sql),
        emit: work.effects.emit,
      }),
    ),
  );
  await record(what, results, work);
  return brokenRows(results);
}

async function record(what: string, results: readonly AuditResult[], work: Work): Promise<void> {
  if (results.length === 0) return;
  const at = results[0]?.interval;
  const note = work.note(`audit ${what}`, `audit/${what}/${at?.start}-${at?.end}`);
  await work.session.transaction(note, (transaction) => writeAuditResults(transaction, results, occasionOf(work)));
}

function occasionOf({ plan, effects }: Work): AuditOccasion {
  return { environment: plan.environment, planId: plan.id, now: effects.now() };
}
