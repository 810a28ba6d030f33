import type { BoundModel, BoundProject } from '../../domain/bound-project.js';
import { columnKey } from '../../domain/query-print.js';
import { type ColumnGraph, columnGraph, readersOf, sourceColumns } from '../../lineage/column-graph.js';
import { load } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, flagOption, UsageError } from '../command.js';
import { lineageMermaid, lineageTree, openLineageFacet } from '../draw-lineage.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { unknownModel } from './load-model.js';

/** `scilake lineage [MODEL[.COLUMN]]`: the columns that each output column, and the row set, comes from or goes to. */
export const lineage: CommandDefinition = {
  configure(command) {
    command
      .argument('[model]', 'schema.table or schema.table.column')
      .option('--to-sources', 'follow every column to the columns of sources')
      .option('--downstream', 'what reads it, instead of what it reads')
      .option('--mermaid', 'as a Mermaid flowchart')
      .option('--openlineage', 'as OpenLineage column facets, by model');
  },
  async run(context, [name], options) {
    const isDown = flagOption(options, 'downstream');
    const isToSources = flagOption(options, 'toSources');
    if (isDown && isToSources) throw new UsageError('--downstream and --to-sources look in opposite directions');
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const chosen = chooseColumns(loaded.value, name?.toLowerCase());
    if (chosen === undefined) return reportErrors(context, unknownModel(name ?? '', loaded.value).errors);
    const graph = columnGraph(loaded.value.models.map((bound) => ({ key: bound.model.key, lineage: bound.lineage })));
    const direction: Direction = isDown ? 'downstream' : isToSources ? 'to sources' : 'upstream';
    const { shell } = context;
    if (flagOption(options, 'openlineage')) {
      showJson(
        shell,
        Object.fromEntries(
          chosen.models.map((bound) => [bound.model.key, openLineageFacet(bound, loaded.value.project.config.name)]),
        ),
      );
    } else if (flagOption(options, 'mermaid')) shell.out(lineageMermaid(graph, chosen));
    else if (context.options.json) showJson(shell, { models: lineageJson(graph, chosen, direction) });
    else show(context, graph, chosen, direction);
    return exitCodes.done;
  },
};

type Direction = 'upstream' | 'to sources' | 'downstream';

/** Models to speak of, and of one of them perhaps a single column. */
export interface ChosenColumns {
  readonly models: readonly BoundModel[];
  readonly column: string | undefined;
}

interface ModelLineage {
  readonly tables: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly rows: readonly string[];
  readonly unknown: boolean;
}

function lineageJson(
  graph: ColumnGraph,
  chosen: ChosenColumns,
  direction: Direction,
): Readonly<Record<string, ModelLineage>> {
  return Object.fromEntries(
    chosen.models.map((bound) => [bound.model.key, lineageOf(graph, bound, chosen.column, direction)]),
  );
}

function lineageOf(
  graph: ColumnGraph,
  bound: BoundModel,
  column: string | undefined,
  direction: Direction,
): ModelLineage {
  const { key } = bound.model;
  const names = bound.columns
    .map((candidate) => candidate.name)
    .filter((name) => column === undefined || name.toLowerCase() === column);
  if (direction === 'downstream') {
    const readers = names.map((name) => ({ name, ...readersOf(graph, columnKey(key, name)) }));
    const rows = [...new Set(readers.flatMap((reader) => reader.rowSets))].sort();
    const tables = [
      ...new Set([
        ...rows,
        ...readers.flatMap((reader) => reader.columns.map((target) => target.slice(0, target.lastIndexOf('.')))),
      ]),
    ].sort();
    return {
      tables,
      columns: Object.fromEntries(readers.map((reader) => [reader.name, reader.columns])),
      rows,
      unknown: false,
    };
  }
  if (!bound.lineage.known) return { tables: bound.parents, columns: {}, rows: [], unknown: true };
  const { print } = bound.lineage;
  const known = print.columns.filter((candidate) => names.includes(candidate.name));
  if (direction === 'upstream') {
    return {
      tables: print.tables,
      columns: Object.fromEntries(known.map((candidate) => [candidate.name, candidate.sources])),
      rows: print.rowSources,
      unknown: false,
    };
  }
  const columns = Object.fromEntries(
    known.map((candidate) => [
      candidate.name,
      candidate.sources.length === 0 ? [] : sourceColumns(graph, candidate.sources),
    ]),
  );
  const rows = print.rowSources.length === 0 ? [] : sourceColumns(graph, print.rowSources);
  const tables = [
    ...new Set([...Object.values(columns).flat(), ...rows].map((end) => end.slice(0, end.lastIndexOf('.')))),
  ].sort();
  return { tables, columns, rows, unknown: false };
}

function show({ shell }: CommandContext, graph: ColumnGraph, chosen: ChosenColumns, direction: Direction): void {
  const style = styleOf(shell.hasColor);
  const [only] = chosen.models;
  if (chosen.column !== undefined && only !== undefined && direction !== 'to sources') {
    shell.out(lineageTree(graph, columnKey(only.model.key, chosen.column), direction, style));
    return;
  }
  const arrow = style.dim(direction === 'downstream' ? '→' : '←');
  for (const bound of chosen.models) {
    const { columns, rows, unknown } = lineageOf(graph, bound, chosen.column, direction);
    const reason = bound.lineage.known ? '' : `  ${style.dim(bound.lineage.reason)}`;
    shell.out(`${style.bold(bound.model.key)}${unknown ? `  ${style.yellow('lineage unknown')}${reason}` : ''}\n`);
    for (const [column, ends] of Object.entries(columns))
      shell.out(`  ${column} ${arrow} ${ends.join(', ') || style.dim('(no column)')}\n`);
    if (rows.length > 0) shell.out(`  ${style.dim('rows')} ${arrow} ${rows.join(', ')}\n`);
    if (bound.lineage.known && bound.lineage.print.volatile.length > 0)
      shell.out(`  ${style.yellow('gives other values each time:')} ${bound.lineage.print.volatile.join(', ')}\n`);
  }
}

/** All models that compute something, one of them, or one column of one. */
export function chooseColumns(project: BoundProject, name: string | undefined): ChosenColumns | undefined {
  const models = project.models.filter(
    (bound) => bound.model.kind.storage !== 'outside' && bound.model.kind.seed === undefined,
  );
  if (name === undefined) return { models, column: undefined };
  const whole = project.models.find((bound) => bound.model.key === name);
  if (whole !== undefined) return { models: [whole], column: undefined };
  const owner = project.models.find((bound) => name.startsWith(`${bound.model.key}.`));
  const column = owner === undefined ? undefined : name.slice(owner.model.key.length + 1);
  const isThere = owner?.columns.some((candidate) => candidate.name.toLowerCase() === column) === true;
  return owner !== undefined && isThere ? { models: [owner], column } : undefined;
}
