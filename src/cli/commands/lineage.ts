import type { BoundModel, BoundProject } from '../../domain/bound-project.js';
import { load } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { unknownModel } from './load-model.js';

/** `scilake lineage [MODEL[.COLUMN]]`: the columns that each output column, and the row set, is computed from, one level up. */
export const lineage: CommandDefinition = {
  configure(command) {
    command.argument('[model]', 'schema.table or schema.table.column');
  },
  async run(context, [name]) {
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const found = choose(loaded.value, name?.toLowerCase());
    if (found === undefined) return reportErrors(context, unknownModel(name ?? '', loaded.value).errors);
    if (context.options.json) {
      showJson(context.shell, {
        models: Object.fromEntries(found.models.map((bound) => [bound.model.key, lineageJson(bound, found.column)])),
      });
      return exitCodes.done;
    }
    const style = styleOf(context.shell.hasColor);
    for (const bound of found.models) {
      const { columns, rows, unknown } = lineageJson(bound, found.column);
      context.shell.out(`${style.bold(bound.model.key)}${unknown ? `  ${style.yellow('lineage unknown')}` : ''}\n`);
      for (const [column, sources] of Object.entries(columns))
        context.shell.out(`  ${column} ${style.dim('←')} ${sources.join(', ') || style.dim('(no column)')}\n`);
      if (rows.length > 0) context.shell.out(`  ${style.dim('rows ←')} ${rows.join(', ')}\n`);
    }
    return exitCodes.done;
  },
};

interface ModelLineage {
  readonly tables: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly rows: readonly string[];
  readonly unknown: boolean;
}

function lineageJson({ lineage: known, parents }: BoundModel, column: string | undefined): ModelLineage {
  if (!known.known) return { tables: parents, columns: {}, rows: [], unknown: true };
  const columns = known.print.columns.filter(
    (candidate) => column === undefined || candidate.name.toLowerCase() === column,
  );
  return {
    tables: known.print.tables,
    columns: Object.fromEntries(columns.map((candidate) => [candidate.name, candidate.sources])),
    rows: known.print.rowSources,
    unknown: false,
  };
}

function choose(
  project: BoundProject,
  name: string | undefined,
): { readonly models: readonly BoundModel[]; readonly column: string | undefined } | undefined {
  const models = project.models.filter(
    (bound) => bound.model.kind.storage !== 'outside' && bound.model.kind.seed === undefined,
  );
  if (name === undefined) return { models, column: undefined };
  const whole = project.models.find((bound) => bound.model.key === name);
  if (whole !== undefined) return { models: [whole], column: undefined };
  const owner = project.models.find((bound) => name.startsWith(`${bound.model.key}.`));
  const column = owner === undefined ? undefined : name.slice(owner.model.key.length + 1);
  return owner?.columns.some((candidate) => candidate.name.toLowerCase() === column)
    ? { models: [owner], column }
    : undefined;
}
