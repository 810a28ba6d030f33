import { parseConfigOnly } from '../../load/read-project.js';
import { lakeLocation, ownFolder, withLake } from '../../workflow.js';
import { type CommandDefinition, exitCodes, UsageError } from '../command.js';
import { reportErrors, showJson } from '../report.js';

/** `scilake destroy`: the lake, its data and caches. Raw files and the project stay. */
export const destroy: CommandDefinition = {
  configure: () => undefined,
  async run(context) {
    const { workspace, shell, options } = context;
    const { files } = workspace.outside;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const location = lakeLocation(workspace, config.value);
    if (!workspace.lakes.exists(location)) {
      if (options.json) showJson(shell, { destroyed: false });
      else shell.out('There is no lake.\n');
      return exitCodes.done;
    }
    if (!options.yes && !shell.isTerminal)
      throw new UsageError('destroy removes all data of the lake; give -y to say that this is meant');
    if (!options.yes && !(await shell.confirm(`Remove ${location.catalog} and everything in ${location.data}?`)))
      return exitCodes.done;
    // Opened once for writing: nobody else may be at work on what is removed.
    await withLake(workspace, config.value, 'write', (session) => session.dropCatalog());
    for (const file of [
      ...(location.type === 'duckdb' ? [location.catalog, `${location.catalog}.wal`] : []),
      location.data,
      ownFolder(workspace, 'cache'),
      ownFolder(workspace, 'staging'),
    ])
      files.remove(file);
    if (options.json) showJson(shell, { destroyed: true });
    else shell.out('The lake is gone. scilake apply makes a new one.\n');
    return exitCodes.done;
  },
};
