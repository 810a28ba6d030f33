import { ownFolder } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { showJson } from '../report.js';

/** `scilake clean`: what can be computed again. The lake, its files and what is being converted stay. */
export const clean: CommandDefinition = {
  configure: () => undefined,
  async run({ workspace, shell, options }) {
    const folder = ownFolder(workspace, 'cache');
    workspace.outside.files.remove(folder);
    if (options.json) showJson(shell, { removed: folder });
    else shell.out(`Removed ${folder}.\n`);
    return exitCodes.done;
  },
};
