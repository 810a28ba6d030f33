import { STATE_VERSION } from '../../catalog/state-tables.js';
import { messageOf } from '../../domain/diagnostic.js';
import { loadExtension } from '../../effects/extensions.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { lakeLocation, recordedState } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { version } from '../version.js';

/** `scilake info` (`doctor`): what is installed, what is found, what the lake says; problems as errors. */
export const info: CommandDefinition = {
  configure: () => undefined,
  async run(context) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const engine = await describeEngine(context);
    const location = lakeLocation(workspace, config.value);
    const exists = workspace.lakes.exists(location);
    const state = exists && engine.ducklake.found ? await recordedState(workspace, config.value) : undefined;
    const facts = {
      scilake: version,
      node: process.version,
      duckdb: engine.duckdb,
      ducklake: engine.ducklake,
      project: { name: config.value.name, folder: workspace.projectFolder },
      lake: {
        catalog: location.catalog,
        data: location.data,
        exists,
        snapshot: state?.lakeSnapshot ?? null,
        stateVersion: STATE_VERSION,
        environments: [...(state?.environments.keys() ?? [])],
        snapshots: state?.snapshots.size ?? 0,
        datasets: state?.datasets.size ?? 0,
      },
    };
    if (context.options.json) showJson(shell, facts);
    else {
      const style = styleOf(shell.hasColor);
      const line = (name: string, value: string): void => shell.out(`${style.bold(name.padEnd(12))} ${value}\n`);
      line('scilake', facts.scilake);
      line('node', facts.node);
      line('duckdb', facts.duckdb);
      line(
        'ducklake',
        engine.ducklake.found ? `${engine.ducklake.version} (from ${engine.ducklake.origin})` : style.red('not found'),
      );
      line('project', `${facts.project.name} in ${facts.project.folder}`);
      line('catalog', `${facts.lake.catalog}${exists ? '' : ' (not there yet)'}`);
      line('data', facts.lake.data);
      if (state !== undefined)
        line(
          'lake',
          `snapshot ${state.lakeSnapshot}, state version ${STATE_VERSION}; ${state.environments.size} environments, ${state.snapshots.size} model versions, ${state.datasets.size} datasets`,
        );
      if (!engine.ducklake.found) shell.err(`${engine.ducklake.why}\n`);
    }
    return engine.ducklake.found ? exitCodes.done : exitCodes.errors;
  },
};

type Ducklake =
  | { readonly found: true; readonly version: string; readonly origin: string }
  | { readonly found: false; readonly why: string };

async function describeEngine({
  workspace,
}: CommandContext): Promise<{ readonly duckdb: string; readonly ducklake: Ducklake }> {
  const { outside } = workspace;
  const database = await outside.duckdb.open();
  try {
    const [row] = await database.rows('SELECT version() AS version');
    const duckdb = String(row?.version);
    try {
      const loaded = await loadExtension(database, 'ducklake', { ...outside, announce: () => undefined });
      const [extension] = await database.rows(
        "SELECT extension_version FROM duckdb_extensions() WHERE extension_name = 'ducklake'",
      );
      return {
        duckdb,
        ducklake: { found: true, version: String(extension?.extension_version), origin: loaded.origin },
      };
    } catch (thrown) {
      return { duckdb, ducklake: { found: false, why: messageOf(thrown) } };
    }
  } finally {
    database.close();
  }
}
