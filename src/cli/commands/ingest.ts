import type { Plan } from '../../domain/plan.js';
import { loadSources } from '../../load/load-sources.js';
import { apply, ownFolder, planFrom, recordedState, tablesInLake } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, flagOption } from '../command.js';
import { exitCodeOf, reportErrors, reportWarnings, showJson } from '../report.js';
import { retryMoved } from '../retry-moved.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake ingest [SOURCE…]`: brings sources into the lake; models see them with the next apply. One that fails leaves the others. */
export const ingestCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('[sources...]', 'names of sources (default: all)')
      .option('--newest', 'where an address moves on, take the newest version in place of the one that was taken');
  },
  run: (
    context,
    names,
    options, // Nobody is asked here.
  ) => retryMoved({ ...context, options: { ...context.options, yes: true } }, () => ingest(context, names, options)),
};

async function ingest(
  context: CommandContext,
  names: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { workspace, shell } = context;
  const { project, diagnostics } = await loadSources(names, {
    ...workspace.outside,
    projectFolder: workspace.projectFolder,
    cacheFolder: ownFolder(workspace, 'cache'),
    recordedTables: tablesInLake(workspace),
    versions: flagOption(options, 'newest') ? 'newest' : 'taken',
    ask: 'always',
  });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  reportWarnings(
    context,
    diagnostics.filter(({ severity }) => severity !== 'error'),
  );
  const { config } = project.project;
  const state = await recordedState(workspace, config);
  const planOptions = await readPlanOptions(context, config, ['prod'], {});
  const planned = await planFrom(project, state, { ...planOptions, ignoreCron: false });
  if (!planned.ok) return reportErrors(context, [...errors, ...planned.errors]);
  const applied = await apply(workspace, project, sourcesOnly(planned.value, project.sources));
  const done = project.sources.map(({ source, version, sha256, resolved = '' }) => {
    const own = applied.outcomes.filter(({ step }) => 'source' in step && step.source === source.name);
    const failed = own.find(({ status }) => status === 'failed');
    const status = failed !== undefined ? 'failed' : own.length === 0 ? 'unchanged' : 'ingested';
    const rows = own.find(({ step }) => step.type === 'register')?.rows ?? null;
    return { source: source.name, version, resolved, sha256, status, rows, error: failed?.error };
  });
  const failures = [...errors, ...done.flatMap(({ error }) => (error === undefined ? [] : [error]))];
  if (context.options.json) {
    showJson(shell, {
      sources: done.map(({ error, ...one }) => ({ ...one, error: error?.message ?? null })),
      errors: failures,
    });
  } else
    for (const { source, status, version, resolved, rows } of done)
      shell.out(
        `${source}  ${status}, version ${version}${resolved === '' ? '' : ` (${resolved})`}${rows === null ? '' : `, ${rows.toLocaleString('en')} rows`}\n`,
      );
  if (failures.length === 0) return exitCodes.done;
  return context.options.json ? exitCodeOf(failures) : reportErrors(context, failures);
}

/** The plan without what it would do to models: no environment moves. */
function sourcesOnly(plan: Plan, sources: readonly { readonly source: { readonly name: string } }[]): Plan {
  const names = new Set(sources.map(({ source }) => source.name));
  const steps = plan.steps.filter((step) => 'source' in step && names.has(step.source));
  return { ...plan, steps, snapshots: [] };
}
