import * as path from 'node:path';
import type { Column } from '../../domain/column.js';
import { inLake } from '../../domain/names.js';
import { outsideTables } from '../../load/external-tables.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { writeExternalModels } from '../../parse/write-external-models.js';
import { lakeLocation, ownFolder, withLake } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, flagOption } from '../command.js';
import { reportErrors, reportWarnings, showJson } from '../report.js';

const FILE = 'external_models.yaml';

/** `scilake create_external_models`: writes the tables that models read and nobody here makes, with their columns. */
export const createExternalModels: CommandDefinition = {
  configure(command) {
    command.option('--strict', 'write nothing where the columns of a table cannot be found');
  },
  async run(context, _, options) {
    const { workspace, shell } = context;
    const { outside, projectFolder } = workspace;
    const effects = { ...outside, projectFolder, cacheFolder: ownFolder(workspace, 'cache') };
    const found = await outsideTables(effects, FILE, (keys) => columnsInLake(context, keys));
    if (!found.ok) return reportErrors(context, found.errors);
    const { tables, missing, warnings } = found.value;
    if (flagOption(options, 'strict') && missing.length > 0)
      return reportErrors(
        context,
        missing.map((one) => ({ ...one, severity: 'error' })),
      );
    reportWarnings(context, [...warnings, ...missing]);
    const target = path.join(projectFolder, FILE);
    const before = outside.files.facts(target) === undefined ? undefined : outside.files.readText(target);
    const { text, added, updated } = writeExternalModels(before, tables);
    if (added.length + updated.length > 0) outside.files.writeText(target, text);
    if (context.options.json) showJson(shell, { file: FILE, added, updated, missing });
    else {
      for (const key of added) shell.out(`added    ${key}\n`);
      for (const key of updated) shell.out(`updated  ${key}\n`);
      if (added.length + updated.length === 0) shell.out(`${FILE} has all that models read from elsewhere.\n`);
    }
    return exitCodes.done;
  },
};

async function columnsInLake(
  { workspace }: CommandContext,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly Column[]>> {
  const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
  if (!config.ok || keys.length === 0 || !workspace.lakes.exists(lakeLocation(workspace, config.value)))
    return new Map();
  return withLake(workspace, config.value, 'read', (session) =>
    session.exclusively(async (database) => {
      const found = new Map<string, readonly Column[]>();
      for (const key of keys) {
        const [schema = '', table = ''] = key.split('.').map((part) => part.replaceAll('"', ''));
        try {
          found.set(key, await database.describe(`FROM ${inLake({ schema, table })}`));
        } catch {
          // It is not there: whoever asks says so.
        }
      }
      return found;
    }),
  );
}
