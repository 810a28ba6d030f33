import { environmentName, inLake, PROD } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import { physicalTable } from '../../domain/snapshot.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { withEnvironment } from '../../workflow.js';
import { type CommandDefinition, exitCodes, flagOption, textOption } from '../command.js';
import { reportErrors, showJson } from '../report.js';

/** `scilake table_name MODEL`: the physical table or view behind a model's name in an environment. */
export const tableName: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'schema.table')
      .option('--env, --environment <environment>', 'prod when left out')
      .option('--prod', 'the table that prod will have, where the environment has a preview');
  },
  async run(context, [name = ''], options) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const environment = environmentName(textOption(options, 'environment') ?? PROD);
    const key = name.toLowerCase();
    return withEnvironment(workspace, config.value, environment, async (_, { environment: { models }, state }) => {
      const pointed = models[key];
      const snapshot = pointed === undefined ? undefined : state.snapshots.get(pointed.fingerprint);
      if (pointed === undefined || snapshot === undefined || snapshot.storage === 'inline') {
        const reason = pointed === undefined ? 'has no model' : 'keeps no table of';
        return reportErrors(context, [
          {
            code: 'SL0409',
            severity: 'error',
            message: `${environment} ${reason} "${name}"`,
            hint: didYouMean(key, Object.keys(models)) ?? 'scilake graph lists all models',
          },
        ]);
      }
      const version = flagOption(options, 'prod') ? snapshot.version : pointed.version;
      const table = inLake(physicalTable(snapshot, version));
      if (context.options.json) showJson(shell, { model: key, environment, table });
      else shell.out(`${table}\n`);
      return exitCodes.done;
    });
  },
};
