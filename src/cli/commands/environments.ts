import { parseConfigOnly } from '../../load/read-project.js';
import { recordedState } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { drawTable } from '../draw-table.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake environments`: what the lake has, with the plan that made it so. */
export const environments: CommandDefinition = {
  configure: () => undefined,
  async run(context) {
    const config = parseConfigOnly({ ...context.workspace.outside, projectFolder: context.workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const state = await recordedState(context.workspace, config.value);
    const list = [...state.environments.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const views = (index: number): number =>
      Object.values(list[index]?.models ?? {}).filter((model) => model.hasView).length;
    if (context.options.json) {
      showJson(
        context.shell,
        list.map((environment, at) => ({
          name: environment.name,
          plan: environment.planId,
          promotions: environment.sequence,
          models: Object.keys(environment.models).length,
          views: views(at),
          sources: environment.sources,
        })),
      );
    } else if (list.length === 0) context.shell.out('There are no environments yet: scilake apply makes prod.\n');
    else {
      const rows = list.map((environment, at) => [
        environment.name,
        environment.planId,
        environment.sequence,
        Object.keys(environment.models).length,
        views(at),
      ]);
      context.shell.out(
        drawTable(['environment', 'plan', 'promotions', 'models', 'views'], rows, {
          width: context.shell.columns,
          style: styleOf(context.shell.hasColor),
        }),
      );
    }
    return exitCodes.done;
  },
};
