import { PROD } from '../../domain/names.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { loadModel } from './load-model.js';

/** `scilake render MODEL`: the SQL that would run, variables filled in. */
export const render: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'schema.table')
      .option('--start <time>', 'start of the interval')
      .option('--end <time>', 'end of the interval');
  },
  async run(context, [name = ''], options) {
    const loaded = await loadModel(context, name, { environment: PROD, options });
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const { program, interval } = loaded.value;
    const query = program.query(interval);
    if (!query.ok) return reportErrors(context, query.errors);
    if (context.options.json) showJson(context.shell, { model: name.toLowerCase(), sql: query.value });
    else context.shell.out(`${query.value}\n`);
    return exitCodes.done;
  },
};
