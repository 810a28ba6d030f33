import { environmentName, PROD } from '../../domain/names.js';
import { recordedProject } from '../../load/recorded-project.js';
import { snapshotsOf } from '../../plan/build-plan.js';
import { load, ownFolder, planFrom, recordedState } from '../../workflow.js';
import type { CommandDefinition } from '../command.js';
import { reportErrors, reportWarnings } from '../report.js';
import { applyMade } from './apply.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake run [ENV]`: builds what cron says is due, of the versions that the environment has. Changed files wait for a plan. */
export const runCommand: CommandDefinition = {
  configure(command) {
    command.argument('[environment]', 'prod when left out');
  },
  async run(context, positionals, options) {
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const environment = environmentName(positionals[0] ?? PROD);
    const state = await recordedState(context.workspace, loaded.value.project.config);
    const current = state.environments.get(environment);
    if (current === undefined) {
      return reportErrors(context, [
        {
          code: 'SL0408',
          severity: 'error',
          message: `there is no environment "${environment}" to run`,
          hint: 'make it with scilake apply',
        },
      ]);
    }
    const recorded = await recordedProject(loaded.value, current, state, {
      ...context.workspace.outside,
      projectFolder: context.workspace.projectFolder,
      cacheFolder: ownFolder(context.workspace, 'cache'),
    });
    if (!recorded.ok) return reportErrors(context, recorded.errors);
    const planOptions = await readPlanOptions(context, recorded.value.project.config, positionals, options);
    const planned = await planFrom(recorded.value, state, { ...planOptions, environment, run: true });
    if (!planned.ok) return reportErrors(context, planned.errors);
    reportWarnings(context, planned.warnings);
    return applyMade(
      { ...context, options: { ...context.options, yes: true } },
      { plan: planned.value, project: recorded.value, before: snapshotsOf(current, state) },
    );
  },
};
