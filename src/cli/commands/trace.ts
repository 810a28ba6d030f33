import type { BoundProject, BoundSource } from '../../domain/bound-project.js';
import { columnKey } from '../../domain/query-print.js';
import { columnGraph, sourceColumns } from '../../lineage/column-graph.js';
import { load } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { chooseColumns } from './lineage.js';
import { unknownModel } from './load-model.js';

/** `scilake trace MODEL[.COLUMN]`: the raw files behind a column, with accession, DOI and license. */
export const trace: CommandDefinition = {
  configure(command) {
    command.argument('<column>', 'schema.table or schema.table.column');
  },
  async run(context, [name = '']) {
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const chosen = chooseColumns(loaded.value, name.toLowerCase());
    const [bound] = chosen?.models ?? [];
    if (chosen === undefined || bound === undefined)
      return reportErrors(context, unknownModel(name, loaded.value).errors);
    const graph = columnGraph(loaded.value.models.map((one) => ({ key: one.model.key, lineage: one.lineage })));
    const names = chosen.column === undefined ? bound.columns.map((column) => column.name) : [chosen.column];
    const values = sourceColumns(
      graph,
      names.map((column) => columnKey(bound.model.key, column)),
    );
    const rows = sourceColumns(graph, [bound.model.key]);
    const origins = originsOf(loaded.value, values, rows);
    if (context.options.json) showJson(context.shell, { column: name.toLowerCase(), origins });
    else {
      const style = styleOf(context.shell.hasColor);
      for (const origin of origins) {
        context.shell.out(`${style.bold(origin.source)}  ${origin.uri}\n`);
        for (const [label, text] of [
          ['doi', origin.doi],
          ['accession', origin.accession],
          ['license', origin.license],
          ['citation', origin.citation],
          ['sha256', origin.sha256],
        ] as const) {
          if (text !== '') context.shell.out(`  ${style.dim(label.padEnd(9))} ${text}\n`);
        }
        if (origin.values.length > 0)
          context.shell.out(`  ${style.dim('values'.padEnd(9))} ${origin.values.join(', ')}\n`);
        if (origin.rows.length > 0) context.shell.out(`  ${style.dim('rows'.padEnd(9))} ${origin.rows.join(', ')}\n`);
      }
      if (origins.length === 0) context.shell.out('It comes from no source.\n');
    }
    return exitCodes.done;
  },
};

interface Origin {
  readonly source: string;
  readonly uri: string;
  readonly doi: string;
  readonly accession: string;
  readonly license: string;
  readonly citation: string;
  readonly sha256: string;
  /** Columns of the source that enter the value. */
  readonly values: readonly string[];
  /** Columns of the source that decide which rows there are. */
  readonly rows: readonly string[];
}

function originsOf(project: BoundProject, values: readonly string[], rows: readonly string[]): readonly Origin[] {
  const of = (source: BoundSource, columns: readonly string[]): readonly string[] =>
    columns.filter((column) => column.startsWith(`${source.source.name}.`));
  return project.sources.flatMap((source): readonly Origin[] => {
    const [inValues, inRows] = [of(source, values), of(source, rows)];
    if (inValues.length + inRows.length === 0) return [];
    const { name, uri, doi, accession, license, citation } = source.source;
    return [
      { source: name, uri, doi, accession, license, citation, sha256: source.sha256, values: inValues, rows: inRows },
    ];
  });
}
