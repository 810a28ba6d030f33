import { Option } from 'commander';
import type { BoundProject } from '../../domain/bound-project.js';
import { DiagnosticError } from '../../domain/diagnostic.js';
import { environmentName, PROD } from '../../domain/names.js';
import type { PlanOptions } from '../../domain/plan.js';
import type { LakeState } from '../../domain/snapshot.js';
import { recordedProject } from '../../load/recorded-project.js';
import { snapshotsOf } from '../../plan/build-plan.js';
import { load, ownFolder, planFrom, recordedState } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, collect, countOption } from '../command.js';
import { reportErrors, reportWarnings } from '../report.js';
import { retryMoved } from '../retry-moved.js';
import { applyMade } from './apply.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake run [ENV]`: builds what cron says is due, of the versions that the environment has. Changed files wait for a plan. */
export const runCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('[environment]', 'prod when left out')
      .option('-s, --start <time>', 'build from here on (not prod)')
      .option('-e, --end <time>', 'build up to here')
      .option('--ignore-cron', 'build every complete interval, whatever cron says')
      .option('--select-model <selector>', 'run only these and what they read; may be repeated', collect)
      .option('--no-auto-upstream', 'with --select-model: not what they read')
      .option('--exit-on-env-update <code>', 'the exit code where the lake has moved before the work begins')
      // Nothing is removed in a run.
      .addOption(new Option('--skip-janitor').hideHelp());
  },
  async run(context, positionals, options) {
    const answered = { ...context, options: { ...context.options, yes: true } };
    const runOnce = async (): Promise<number> => {
      const loaded = await loadRun(context, positionals, options);
      if (typeof loaded === 'number') return loaded;
      const { project, state, planOptions } = loaded;
      const planned = await planFrom(project, state, planOptions);
      if (!planned.ok) return reportErrors(context, planned.errors);
      reportWarnings(context, planned.warnings);
      const before = snapshotsOf(state.environments.get(planOptions.environment), state);
      return applyMade(answered, { plan: planned.value, project, before });
    };
    const code = countOption(options, 'exitOnEnvUpdate', 0);
    if (code === undefined) return retryMoved(answered, runOnce);
    try {
      return await runOnce();
    } catch (thrown) {
      if (!(thrown instanceof DiagnosticError)) throw thrown;
      if (!thrown.diagnostics.some((diagnostic) => diagnostic.code === 'SL0709')) throw thrown;
      reportErrors(context, thrown.diagnostics);
      return code;
    }
  },
};

/**
 * What a run of an environment starts from: the project as that has it, whatever the files say now, and the options with
 * `--select-model` read as what is built. A number is the exit code of what has been reported.
 */
export async function loadRun(
  context: CommandContext,
  positionals: readonly string[],
  { selectModel, ...options }: Readonly<Record<string, unknown>>,
): Promise<number | { readonly project: BoundProject; readonly state: LakeState; readonly planOptions: PlanOptions }> {
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
  const { config } = recorded.value.project;
  const given = await readPlanOptions(context, config, positionals, { ...options, backfillModel: selectModel });
  return { project: recorded.value, state, planOptions: { ...given, environment, run: true } };
}
