import type { Dataset } from '../../domain/snapshot.js';
import { spdxOf } from '../../domain/spdx.js';
import { readProject } from '../../load/read-project.js';
import { recordedState } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { drawTable } from '../draw-table.js';
import { readProvenance } from '../read-provenance.js';
import { reportErrors, showJson } from '../report.js';
import { sizeText } from '../size-text.js';
import { styleOf } from '../style.js';

/** `scilake sources`: what is declared and what of it is in the lake. Nobody outside is asked. */
export const sources: CommandDefinition = {
  configure: () => undefined,
  async run(context) {
    const { workspace, shell } = context;
    const read = await readProject({
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      cacheFolder: '',
    });
    const errors = read.diagnostics.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) return reportErrors(context, errors);
    const { config } = read.project;
    const state = await recordedState(workspace, config);
    const contents = readProvenance(workspace, config);
    const now = workspace.outside.now().getTime();
    const inProd = state.environments.get('prod')?.sources ?? {};
    const list = read.project.sources.map((source) => {
      const runs = (contents.get('ingestion_runs') ?? []).filter((row) => row.source === source.name);
      const last = runs.at(-1);
      const done = runs.findLast((row) => row.status === 'done');
      const datasets = [...state.datasets.values()].filter((one: Dataset) => one.source === source.name);
      const dataset = (contents.get('datasets') ?? []).find(
        (row) => row.source === source.name && row.uri === source.uri,
      );
      // Where the declaration leaves it out, the place may have said it.
      const said = (column: string): string => String(dataset?.[column] ?? '');
      const run = (contents.get('runs') ?? []).find((row) => row.run_id === done?.run_id);
      const startedAt = run === undefined ? '' : String(run.started_at);
      return {
        source: source.name,
        state: stateOf({ isPromoted: inProd[source.name] !== undefined, datasets, status: String(last?.status ?? '') }),
        version: inProd[source.name] ?? datasets.at(-1)?.version ?? '',
        uri: source.uri,
        resolved: said('resolved'),
        ingestedAt: startedAt,
        ageMs: startedAt === '' ? null : now - Date.parse(startedAt),
        sizeBytes: typeof done?.size_bytes === 'number' ? done.size_bytes : null,
        sha256: String(done?.sha256 ?? ''),
        license: spdxOf(source.license) ?? (source.license === '' ? said('license') : ''),
        licenseText: source.license || said('license_text'),
        doi: source.doi || said('doi'),
        accession: source.accession || said('accession'),
        error: last?.status === 'failed' ? String(last.error) : '',
      };
    });
    if (context.options.json) showJson(shell, { sources: list });
    else if (list.length === 0) shell.out('No source is declared: write one into sources/.\n');
    else {
      const rows = list.map((one) => [
        one.source,
        one.state,
        ageText(one.ageMs),
        one.sizeBytes === null ? '' : sizeText(one.sizeBytes),
        one.license || (one.licenseText === '' ? 'none given' : `? ${one.licenseText}`),
        one.resolved === '' ? one.uri : `${one.uri} (${one.resolved})`,
      ]);
      shell.out(
        drawTable(['source', 'state', 'age', 'size', 'license', 'uri'], rows, {
          width: shell.columns,
          style: styleOf(shell.hasColor),
        }),
      );
    }
    return exitCodes.done;
  },
};

function stateOf(facts: {
  readonly isPromoted: boolean;
  readonly datasets: readonly Dataset[];
  readonly status: string;
}): string {
  const place = facts.isPromoted ? 'in prod' : facts.datasets.length > 0 ? 'in the lake' : 'not ingested';
  return facts.status === 'failed' ? `${place}, last try failed` : place;
}

function ageText(ms: number | null): string {
  if (ms === null) return '';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes < 60 * 48 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
