import { messageOf } from '../../domain/diagnostic.js';
import { environmentName, PROD } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { withEnvironment } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, countOption, exitCodes, textOption } from '../command.js';
import { readMoment } from '../moment.js';
import { reportErrors } from '../report.js';
import { showRows } from '../show-rows.js';

/** `scilake query "SQL"`: any SELECT over the logical names of an environment. The lake is open for reading only. */
export const query: CommandDefinition = {
  configure(command) {
    command
      .argument('<sql>', 'a query; tables by their logical names')
      .option('--env <environment>', 'environment to read (default: prod)')
      .option('--at <moment>', 'as it was: a plan, a DuckLake snapshot, or a time')
      .option('--limit <rows>', 'show at most so many rows');
  },
  async run(context, [sql = ''], options) {
    const config = parseConfigOnly({ ...context.workspace.outside, projectFolder: context.workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const environment = environmentName(textOption(options, 'env') ?? PROD);
    const limit = countOption(options, 'limit', 0);
    const moment = textOption(options, 'at');
    const at = moment === undefined ? {} : { at: readMoment(moment, context) };
    const read = async (database: Database): Promise<number> => {
      try {
        const result = await database.table(sql, limit);
        showRows(context, result, limit);
        return exitCodes.done;
      } catch (thrown) {
        return reportQueryError(context, thrown);
      }
    };
    return withEnvironment(context.workspace, config.value, environment, read, at);
  },
};

/** DuckDB's own words with its own excerpt: the text stands on the command line, not in a file. */
export function reportQueryError(context: CommandContext, thrown: unknown): number {
  return reportErrors(context, [{ code: 'SL0210', severity: 'error', message: messageOf(thrown) }]);
}
