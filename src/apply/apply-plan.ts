import { promote, recordPlan } from '../catalog/promote.js';
import { openRunCatalog, type PointedName, RUN_CATALOG } from '../catalog/run-catalog.js';
import { type Diagnostic, DiagnosticError, messageOf } from '../domain/diagnostic.js';
import type { StepOutcome } from '../domain/event.js';

import type { PlanRecord } from '../domain/history.js';
import { ident, inLake, LAKE, physicalName, type TableName, viewName } from '../domain/names.js';
import { physicalTable } from '../domain/snapshot.js';
import { type Step, subjectOf } from '../domain/step.js';
import { backfill } from './backfill.js';
import { CutOff } from './cut-off.js';
import { createVersion, forgetInterval, orThrow, recordInterval } from './model-steps.js';
import { auditAlone, auditVersion } from './recorded-audits.js';
import { convertSource, fetchSource, registerSource, sourceTable } from './source-steps.js';
import type { ApplyEffects, ApplyRequest, Work } from './work.js';

export type { ApplyEffects, ApplyRequest } from './work.js';

export interface AppliedPlan {
  readonly status: 'applied' | 'nothing to do' | 'failed';
  readonly outcomes: readonly StepOutcome[];
  /** DuckLake's snapshot after the last step. */
  readonly lakeSnapshot: number;
}

/**
 * Carries out a plan, step by step. A step that fails takes what depends on it out of the run; the rest is still built
 * and kept for the next try. The environment moves only when everything has succeeded.
 */
export async function applyPlan(request: ApplyRequest, effects: ApplyEffects): Promise<AppliedPlan> {
  const { plan, session, state } = request;
  if (plan.steps.length === 0) return { status: 'nothing to do', outcomes: [], lakeSnapshot: state.lakeSnapshot };
  const runCatalog = await openRunCatalog(session, request.project.project.catalog);
  let current = 0;
  const work: Work = {
    ...request,
    effects,
    runCatalog,
    datasets: new Map(state.datasets),
    conversions: new Map(),
    converter: undefined,
    reported: undefined,
    created: new Set(),
    outcomes: [],
    filled: new Set(state.built.keys()),
    note: (message, key) => ({
      author: effects.author,
      message,
      key: `${plan.id}/${plan.target.sequence}/${key}`,
      details: { plan: plan.id, environment: plan.environment },
    }),
    progress: (done, total, unit, element) =>
      effects.emit({
        type: 'step-progress',
        index: current,
        done,
        total,
        unit,
        ...(element === undefined ? {} : { element }),
      }),
  };
  try {
    await runHooks(request.hooks.before, work);
    await pointAtExisting(work);
    const { outcomes } = work;
    const cutOff = new CutOff(work);
    const broken = new Map<string, StepOutcome['status']>();
    for (const [index, step] of plan.steps.entries()) {
      current = index;
      effects.emit({ type: 'step-started', index, count: plan.steps.length, step });
      const outcome = cutOff.covers(step) ? await keepTable(step, work) : await runStep(step, work, broken);
      if (outcome.status === 'done') await cutOff.observe(step);
      else if (outcome.status !== 'unchanged') noteBroken(step, outcome, broken);
      outcomes.push(outcome);
      effects.emit({ type: 'step-finished', index, count: plan.steps.length, outcome });
    }
    await runHooks(request.hooks.after, work);
    const failed = outcomes.some((outcome) => outcome.status === 'failed' || outcome.status === 'skipped');
    if (!failed && !plan.steps.some(({ type }) => type === 'promote')) await recordRows(work);
    return { status: failed ? 'failed' : 'applied', outcomes, lakeSnapshot: await session.snapshotId() };
  } finally {
    await Promise.allSettled(work.conversions.values());
    await runCatalog.close();
  }
}

/** Statements of the project around a whole plan. Names in them are those of the lake itself, `prod`'s views among them. */
async function runHooks(statements: readonly string[], work: Work): Promise<void> {
  if (statements.length === 0) return;
  await work.session.exclusively(async (database) => {
    await database.run(`USE ${ident(LAKE)}`);
    try {
      for (const statement of statements) await database.run(statement);
    } catch (thrown) {
      const diagnostic: Diagnostic = {
        code: 'SL0712',
        severity: 'error',
        message: `a statement of before_all or after_all failed: ${messageOf(thrown).split('\n')[0]}`,
        hint: 'correct it in scilake.yaml',
      };
      throw new DiagnosticError([diagnostic], { cause: thrown });
    } finally {
      await database.run(`USE ${RUN_CATALOG}`);
    }
  });
}

/** Gives logical names to all that is there before the first step. */
async function pointAtExisting(work: Work): Promise<void> {
  const { plan, project, runCatalog, datasets } = work;
  for (const { model } of project.models.filter((bound) => bound.model.kind.storage === 'outside')) {
    try {
      await runCatalog.pointOutside(model.name, model.catalog);
    } catch (thrown) {
      throw new DiagnosticError(
        [
          {
            code: 'SL0711',
            severity: 'error',
            message: `external table ${model.key} is not in the lake: ${messageOf(thrown).split('\n')[0]}`,
            location: model.location,
            hint: 'let whoever keeps it make it first, or declare a source',
          },
        ],
        { cause: thrown },
      );
    }
  }
  const sources = project.sources.flatMap(({ source, version }) =>
    (datasets.get(`${source.name}@${version}`)?.elements ?? []).map((element) =>
      sourceTable(source.name, element.table, version),
    ),
  );
  const created = new Set(plan.steps.flatMap((step) => (step.type === 'create' ? [step.model] : [])));
  const models = plan.snapshots.flatMap((snapshot): readonly PointedName[] => {
    const version = plan.target.models[snapshot.key]?.version;
    if (version === undefined || created.has(snapshot.key) || snapshot.storage === 'inline') return [];
    return [{ name: snapshot.name, physical: physicalTable(snapshot, version) }];
  });
  await runCatalog.pointAt([...sources, ...models]);
}

/** The model goes on with the table that the environment has; whatever comes after reads that one. */
async function keepTable(step: Step, work: Work): Promise<StepOutcome> {
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === subjectOf(step));
  const version = work.plan.target.models[snapshot?.key ?? '']?.version;
  if (step.type === 'create' && snapshot !== undefined && version !== undefined) {
    await work.runCatalog.pointAt([{ name: snapshot.name, physical: physicalTable(snapshot, version) }]);
  }
  return { step, status: 'unchanged', elapsedMs: 0 };
}

async function runStep(
  step: Step,
  work: Work,
  broken: ReadonlyMap<string, StepOutcome['status']>,
): Promise<StepOutcome> {
  const start = work.effects.elapsedMs();
  const cause = brokenCause(step, work, broken);
  if (cause !== undefined) return { step, status: 'skipped', elapsedMs: 0, error: skipped(step, cause) };
  try {
    const rows = await execute(step, work);
    return {
      step,
      status: 'done',
      elapsedMs: work.effects.elapsedMs() - start,
      ...(rows === undefined ? {} : { rows }),
    };
  } catch (thrown) {
    return {
      step,
      status: 'failed',
      elapsedMs: work.effects.elapsedMs() - start,
      error: stepDiagnostic(thrown, step, work),
      ...(thrown instanceof DiagnosticError && thrown.diagnostics.length > 1
        ? { moreErrors: thrown.diagnostics.slice(1) }
        : {}),
    };
  }
}

function execute(step: Step, work: Work): Promise<number | undefined> {
  switch (step.type) {
    case 'fetch':
      return fetchSource(step.source, work);
    case 'convert':
      return convertSource(step.source, work);
    case 'register':
      return registerSource(step.source, work);
    case 'create':
      return createVersion(step, work);
    case 'backfill':
      return backfill(step, work);
    case 'record':
      return recordInterval(step, work);
    case 'forget':
      return forgetInterval(step, work);
    case 'audit':
      return auditVersion(step, work);
    case 'standalone':
      return auditAlone(step, work);
    // Both are part of the one transaction of the promotion.
    case 'alter':
    case 'demote':
      return Promise.resolve(undefined);
    case 'promote':
      return promoteEnvironment(work);
    default:
      return step satisfies never;
  }
}

async function promoteEnvironment(work: Work): Promise<undefined> {
  const { plan, state, session, effects, datasets } = work;
  const summary = `${plan.environment}: ${plan.changes.length} changed, plan ${plan.id}`;
  await promote(session, {
    plan,
    before: state.environments.get(plan.environment),
    recorded: state.snapshots,
    datasets,
    unneeded: unneededTables(work),
    statements: movedStatements(work),
    note: work.note(`promote ${summary}`, 'promote'),
    record: planRecord(work),
    now: effects.now(),
  });
  return undefined;
}

/** A plan without a promotion: what it built is there already, and so is the record of its intervals. */
async function recordRows(work: Work): Promise<void> {
  const { plan, session, effects } = work;
  // Sources alone move no environment, and are recorded as datasets.
  if (plan.snapshots.length === 0) return;
  const summary = `${plan.environment}: rows of ${Object.keys(plan.missing).length} models, plan ${plan.id}`;
  await recordPlan(session, {
    plan,
    record: planRecord(work),
    note: work.note(`build ${summary}`, 'record'),
    now: effects.now(),
  });
}

function planRecord({ head, startedAt, effects, outcomes }: Work): PlanRecord {
  return {
    author: effects.author,
    gitCommit: head?.commit ?? '',
    isGitDirty: head?.isDirty ?? false,
    startedAt: startedAt.toISOString(),
    steps: outcomes.map(({ step, status, elapsedMs, rows }) => ({
      step,
      status,
      elapsedMs: Math.round(elapsedMs),
      ...(rows === undefined ? {} : { rows }),
    })),
  };
}

/** What models want done when their view in the environment is made, or says something new. */
function movedStatements({ plan, state, programs }: Work): readonly string[] {
  const before = state.environments.get(plan.environment)?.models ?? {};
  const { executionTime } = plan.options;
  return plan.snapshots.flatMap((snapshot) => {
    const now = plan.target.models[snapshot.key];
    const was = before[snapshot.key];
    const isMoved = was?.version !== now?.version || was?.fingerprint !== now?.fingerprint || !was?.hasView;
    const program = programs.get(snapshot.key);
    if (now?.hasView !== true || !isMoved || program === undefined) return [];
    const view = inLake(viewName(snapshot.name, plan.environment));
    return orThrow(program.statements('moved', { start: executionTime, end: executionTime }, view));
  });
}

/** Tables that were made for models which then kept the ones they had. */
function unneededTables({ plan, created }: Work): readonly TableName[] {
  return plan.steps.flatMap((step): readonly TableName[] => {
    const snapshot =
      step.type === 'create' ? plan.snapshots.find((candidate) => candidate.key === step.model) : undefined;
    if (step.type !== 'create' || snapshot === undefined || snapshot.storage !== 'table' || !created.has(step.model))
      return [];
    return plan.target.models[step.model]?.version === step.version ? [] : [physicalName(snapshot.name, step.version)];
  });
}

/** The failed step that this one needs, in words; undefined when nothing is in its way. */
function brokenCause(step: Step, work: Work, broken: ReadonlyMap<string, StepOutcome['status']>): string | undefined {
  if (broken.size === 0) return undefined;
  const subject = subjectOf(step);
  if (subject === undefined || step.type === 'alter') {
    return [...broken]
      .filter(([, status]) => status === 'failed')
      .map(([name]) => name)
      .join(', ');
  }
  if (broken.has(subject)) return subject;
  if (step.type === 'fetch' || step.type === 'convert' || step.type === 'register') return undefined;
  const snapshot = work.plan.snapshots.find((candidate) => candidate.key === subject);
  const reads = step.type === 'standalone' ? work.standalone.get(step.audit)?.reads : snapshot?.parents;
  return reads?.find((parent) => parent !== subject && (broken.has(parent) || broken.has(parent.split('.')[0] ?? '')));
}

function noteBroken(step: Step, outcome: StepOutcome, broken: Map<string, StepOutcome['status']>): void {
  const subject = subjectOf(step);
  if (subject !== undefined) broken.set(subject, broken.get(subject) === 'failed' ? 'failed' : outcome.status);
}

function skipped(step: Step, cause: string): Diagnostic {
  const what = subjectOf(step) ?? 'the environment';
  return {
    code: 'SL0707',
    severity: 'warning',
    message: what === cause ? `${what} is skipped after its failure` : `${what} is skipped because ${cause} failed`,
  };
}

/** What went wrong, placed at the model or source that the step works on. */
function stepDiagnostic(thrown: unknown, step: Step, work: Work): Diagnostic {
  if (thrown instanceof DiagnosticError && thrown.diagnostics[0] !== undefined) return thrown.diagnostics[0];
  const subject = subjectOf(step) ?? '';
  const location =
    work.programs.get(subject)?.location ??
    work.project.sources.find((source) => source.source.name === subject)?.source.location ??
    (step.type === 'standalone' ? work.project.project.audits.get(step.audit)?.location : undefined);
  const message = messageOf(thrown).split('\n\n')[0] ?? '';
  return {
    code: 'SL0708',
    severity: 'error',
    message: `${step.type}${subject === '' ? '' : ` ${subject}`}: ${message}`,
    ...(location === undefined ? {} : { location }),
  };
}
