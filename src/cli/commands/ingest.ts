import type { Plan } from '../../domain/plan.js';
import { loadSources } from '../../load/load-sources.js';
import { apply, ownFolder, planFrom, recordedState } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { exitCodeOf, reportErrors, reportWarnings, showJson } from '../report.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake ingest [SOURCE…]`: brings sources into the lake; models see them with the next apply. One that fails leaves the others. */
export const ingestCommand: CommandDefinition = {
  configure(command) {
    command.argument('[sources...]', 'names of sources (default: all)');
  },
  async run(context, names) {
    const { workspace, shell } = context;
    const { project, diagnostics } = await loadSources(names, {
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      cacheFolder: ownFolder(workspace, 'cache'),
      ask: 'always',
    });
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    reportWarnings(
      context,
      diagnostics.filter(({ severity }) => severity !== 'error'),
    );
    const { config } = project.project;
    const state = await recordedState(workspace, config);
    const options = await readPlanOptions(context, config, ['prod'], {});
    const planned = await planFrom(project, state, { ...options, ignoreCron: false });
    if (!planned.ok) return reportErrors(context, [...errors, ...planned.errors]);
    const applied = await apply(workspace, project, sourcesOnly(planned.value, project.sources));
    const done = project.sources.map(({ source, version, sha256 }) => {
      const own = applied.outcomes.filter(({ step }) => 'source' in step && step.source === source.name);
      const failed = own.find(({ status }) => status === 'failed');
      const status = failed !== undefined ? 'failed' : own.length === 0 ? 'unchanged' : 'ingested';
      const rows = own.find(({ step }) => step.type === 'register')?.rows ?? null;
      return { source: source.name, version, sha256, status, rows, error: failed?.error };
    });
    const failures = [...errors, ...done.flatMap(({ error }) => (error === undefined ? [] : [error]))];
    if (context.options.json) {
      showJson(shell, {
        sources: done.map(({ error, ...one }) => ({ ...one, error: error?.message ?? null })),
        errors: failures,
      });
    } else
      for (const { source, status, version, rows } of done)
        shell.out(
          `${source}  ${status}, version ${version}${rows === null ? '' : `, ${rows.toLocaleString('en')} rows`}\n`,
        );
    if (failures.length === 0) return exitCodes.done;
    return context.options.json ? exitCodeOf(failures) : reportErrors(context, failures);
  },
};

/** The plan without what it would do to models: no environment moves. */
function sourcesOnly(plan: Plan, sources: readonly { readonly source: { readonly name: string } }[]): Plan {
  const names = new Set(sources.map(({ source }) => source.name));
  const steps = plan.steps.filter((step) => 'source' in step && names.has(step.source));
  return { ...plan, steps, snapshots: [] };
}
