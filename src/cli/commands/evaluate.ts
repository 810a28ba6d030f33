import { environmentName, PROD } from '../../domain/names.js';
import { withEnvironment } from '../../workflow.js';
import { type CommandDefinition, countOption, exitCodes, textOption } from '../command.js';
import { reportErrors } from '../report.js';
import { showRows } from '../show-rows.js';
import { loadModel } from './load-model.js';
import { reportQueryError } from './query.js';

/** `scilake evaluate MODEL`: runs the model's query as its file has it now, over the tables of an environment. */
export const evaluate: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'schema.table')
      .option('--env <environment>', 'environment to read (default: prod)')
      .option('--limit <rows>', 'at most so many rows', '1000')
      .option('--start <time>', 'start of the interval')
      .option('--end <time>', 'end of the interval');
  },
  async run(context, [name = ''], options) {
    const environment = environmentName(textOption(options, 'env') ?? PROD);
    const loaded = await loadModel(context, name, { environment, options });
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const { program, project, interval } = loaded.value;
    const query = program.query(interval);
    if (!query.ok) return reportErrors(context, query.errors);
    const limit = countOption(options, 'limit', 0) ?? 1000;
    return withEnvironment(
      context.workspace,
      project.project.config,
      environment,
      async (database) => {
        try {
          showRows(
            context,
            await database.table(`SELECT * FROM (${query.value}\n) AS evaluated LIMIT ${limit}`),
            limit,
          );
          return exitCodes.done;
        } catch (thrown) {
          return reportQueryError(context, thrown);
        }
      },
      { project: project.project },
    );
  },
};
