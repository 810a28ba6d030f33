import type { BoundProject } from '../../domain/bound-project.js';
import type { Plan } from '../../domain/plan.js';
import type { Snapshot } from '../../domain/snapshot.js';
import { snapshotsOf } from '../../plan/build-plan.js';
import { load, planFrom, recordedState, staleSources } from '../../workflow.js';
import type { CommandContext } from '../command.js';
import { reportErrors, reportWarnings } from '../report.js';
import { checksBeforePlan } from './checks-before.js';
import { readPlanOptions } from './plan-options.js';

export interface MadePlan {
  readonly plan: Plan;
  readonly project: BoundProject;
  /** What the environment has now, by model. */
  readonly before: ReadonlyMap<string, Snapshot>;
}

/** Loads the project and plans; a number is the exit code of a failure that has been reported. */
export async function makePlan(
  context: CommandContext,
  positionals: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<MadePlan | number> {
  const loaded = await load(context.workspace, 'are left out');
  if (!loaded.ok) return reportErrors(context, loaded.errors);
  reportWarnings(context, loaded.warnings);
  const project = loaded.value;
  const planOptions = await readPlanOptions(context, project.project.config, positionals, options);
  const broken = await checksBeforePlan(context, project, options, planOptions.executionTime);
  if (broken.some(({ severity }) => severity === 'error')) return reportErrors(context, broken);
  reportWarnings(context, broken);
  const state = await recordedState(context.workspace, project.project.config);
  const planned = await planFrom(project, state, planOptions);
  if (!planned.ok) return reportErrors(context, planned.errors);
  const { left } = project;
  // Where nothing else is to be built, the errors are the answer.
  if (left !== undefined && planned.value.steps.every(({ type }) => type === 'promote' || type === 'demote'))
    return reportErrors(context, left.errors);
  const stale = await staleSources(context.workspace, project, planOptions.executionTime);
  reportWarnings(context, [...planned.warnings, ...stale]);
  const base = state.environments.get(planned.value.environment) ?? state.environments.get(planned.value.basedOn ?? '');
  const plan = { ...planned.value, warnings: [...planned.value.warnings, ...stale] };
  return { plan, project, before: snapshotsOf(base, state) };
}
