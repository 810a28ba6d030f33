import { isoInstant } from '../../domain/interval.js';
import { planFrom } from '../../workflow.js';
import { type CommandDefinition, collect, exitCodes } from '../command.js';
import { drawIntervals } from '../draw-plan.js';
import { reportErrors, showJson } from '../report.js';
import { loadRun } from './run.js';

/** `scilake check_intervals [ENV]`: what a run would build, by model. */
export const checkIntervals: CommandDefinition = {
  configure(command) {
    command
      .argument('[environment]', 'prod when left out')
      .option('-s, --start <time>', 'look from here on (not prod)')
      .option('-e, --end <time>', 'look up to here')
      .option('--select-model <selector>', 'look at these only; may be repeated', collect)
      .option('--no-signals', 'whatever signals hold back counts too');
  },
  async run(context, positionals, options) {
    const loaded = await loadRun(context, positionals, { ...options, autoUpstream: false });
    if (typeof loaded === 'number') return loaded;
    const { project, state, planOptions } = loaded;
    const { environment } = planOptions;
    const planned = await planFrom(project, state, planOptions, { ignoresSignals: options.signals === false });
    if (!planned.ok) return reportErrors(context, planned.errors);
    const missing = Object.entries(planned.value.missing).sort(([a], [b]) => (a < b ? -1 : 1));
    if (context.options.json)
      showJson(context.shell, {
        environment,
        missing: Object.fromEntries(
          missing.map(([model, intervals]) => [
            model,
            intervals.map(({ start, end }) => [isoInstant(start), isoInstant(end)]),
          ]),
        ),
      });
    else if (missing.length === 0) context.shell.out(`${environment} has all intervals that are due.\n`);
    else for (const [model, intervals] of missing) context.shell.out(`${model}  ${drawIntervals(intervals)}\n`);
    return exitCodes.done;
  },
};
