import { readHistory } from './catalog/read-history.js';
import { changedTables, presentTables, readPast, rollBack } from './catalog/rollback.js';
import { type Moment, snapshotAt } from './catalog/state-at.js';
import { readState } from './catalog/state-tables.js';
import { type Diagnostic, DiagnosticError, type Result } from './domain/diagnostic.js';
import type { Promotion } from './domain/history.js';
import type { PlanOptions } from './domain/plan.js';
import type { ProjectConfig } from './domain/project.js';
import type { RollbackPlan } from './domain/rollback.js';
import { planRollback } from './plan/plan-rollback.js';
import { headOf, lakeLocation, lakeMoved, momentText, noEnvironment, type Workspace, withLake } from './workflow.js';

/** The promotions of all environments, or of one, oldest first. */
export async function history(
  workspace: Workspace,
  config: ProjectConfig,
  environment?: string,
): Promise<readonly Promotion[]> {
  if (!workspace.lakes.exists(lakeLocation(workspace, config))) return [];
  return withLake(workspace, config, 'read', (session) =>
    session.exclusively((database) => readHistory(database, environment)),
  );
}

/**
 * What putting an environment back to a moment would do.
 *
 * @throws DiagnosticError SL0710 without such an environment, SL0422 without such a moment
 */
export async function planBack(
  workspace: Workspace,
  config: ProjectConfig,
  request: { readonly to: Moment; readonly options: PlanOptions },
): Promise<Result<RollbackPlan>> {
  const { to, options } = request;
  const name = options.environment;
  if (!workspace.lakes.exists(lakeLocation(workspace, config))) throw new DiagnosticError([noEnvironment(name, [])]);
  return withLake(workspace, config, 'read', async (session) => {
    const state = await readState(session);
    const current = state.environments.get(name);
    if (current === undefined) throw new DiagnosticError([noEnvironment(name, [...state.environments.keys()])]);
    return session.exclusively(async (database) => {
      const snapshotId = await snapshotAt(database, to, momentText(to));
      const past = await readPast(database, name, snapshotId);
      if (past === undefined) throw new DiagnosticError([notYet(name, momentText(to))]);
      const present = {
        state,
        tables: await presentTables(database),
        changed: await changedTables(database, snapshotId),
      };
      return planRollback(current, past, present, options);
    });
  });
}

/**
 * Puts an environment back, in one transaction.
 *
 * @returns rows that were copied from the past
 * @throws DiagnosticError SL0709 when the lake has moved since it was planned
 */
export async function rollback(
  workspace: Workspace,
  config: ProjectConfig,
  wanted: RollbackPlan,
): Promise<{ readonly rowCount: number; readonly lakeSnapshot: number }> {
  const { outside } = workspace;
  const { plan } = wanted;
  const head = await headOf(workspace, config);
  return withLake(workspace, config, 'write', async (session) => {
    const state = await readState(session);
    if (state.lakeSnapshot !== plan.lakeSnapshot) throw new DiagnosticError([lakeMoved(plan, state)]);
    const now = outside.now();
    const rowCount = await rollBack(session, wanted, {
      state,
      note: {
        author: outside.author,
        message: `rollback ${plan.environment} to promotion ${wanted.backTo}, plan ${plan.id}`,
        key: `${plan.id}/${plan.target.sequence}/promote`,
        details: { plan: plan.id, environment: plan.environment },
      },
      record: {
        author: outside.author,
        gitCommit: head?.commit ?? '',
        isGitDirty: head?.isDirty ?? false,
        startedAt: now.toISOString(),
      },
      now,
    });
    return { rowCount, lakeSnapshot: await session.snapshotId() };
  });
}

function notYet(environment: string, moment: string): Diagnostic {
  return {
    code: 'SL0710',
    severity: 'error',
    message: `there was no environment "${environment}" at ${moment}`,
    hint: `scilake log --env ${environment} lists its promotions`,
  };
}
