import * as path from 'node:path';
import type { BoundProject } from '../../domain/bound-project.js';
import type { Plan } from '../../domain/plan.js';
import type { Snapshot } from '../../domain/snapshot.js';
import { snapshotsOf } from '../../plan/build-plan.js';
import { load, planFrom, recordedState, staleSources } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, textOption } from '../command.js';
import { drawPlan } from '../draw-plan.js';
import { planJson } from '../plan-json.js';
import { reportErrors, reportWarnings, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { checksBeforePlan } from './checks-before.js';
import { configurePlanOptions, readPlanOptions } from './plan-options.js';

/** `scilake plan [ENV]`: what apply would do. Writes nothing but the file of `-o`. */
export const planCommand: CommandDefinition = {
  configure(command) {
    configurePlanOptions(command);
    command
      .option('-o, --output <file>', 'save the plan, for apply --plan')
      .option('--no-diff', 'leave the text of changes out');
  },
  async run(context, positionals, options) {
    const made = await makePlan(context, positionals, options);
    if (typeof made === 'number') return made;
    const { plan, before } = made;
    const output = textOption(options, 'output');
    if (output !== undefined)
      context.shell.outside.files.writeText(
        path.resolve(context.shell.workingFolder, output),
        `${JSON.stringify(planJson(plan), null, 2)}\n`,
      );
    if (context.options.json) showJson(context.shell, planJson(plan));
    else {
      context.shell.out(
        drawPlan(plan, { style: styleOf(context.shell.hasColor), before, withDiff: options.diff !== false }),
      );
      if (plan.steps.length > 0)
        context.shell.out(
          `\nApply it with: scilake apply${plan.environment === 'prod' ? '' : ` ${plan.environment}`}\n`,
        );
    }
    return exitCodes.done;
  },
};

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
  const loaded = await load(context.workspace);
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
  const stale = await staleSources(context.workspace, project, planOptions.executionTime);
  reportWarnings(context, [...planned.warnings, ...stale]);
  const base = state.environments.get(planned.value.environment) ?? state.environments.get(planned.value.basedOn ?? '');
  const plan = { ...planned.value, warnings: [...planned.value.warnings, ...stale] };
  return { plan, project, before: snapshotsOf(base, state) };
}
