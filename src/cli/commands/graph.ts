import type { BoundProject } from '../../domain/bound-project.js';
import { load } from '../../workflow.js';
import { type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake graph`: sources, models and audits as nodes, with what reads what. */
export const graph: CommandDefinition = {
  configure: () => undefined,
  async run(context) {
    const loaded = await load(context.workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const { nodes, edges } = graphOf(loaded.value);
    if (context.options.json) {
      showJson(context.shell, { nodes, edges });
      return exitCodes.done;
    }
    const style = styleOf(context.shell.hasColor);
    for (const node of nodes.filter((candidate) => candidate.type !== 'audit')) {
      const reads = edges.filter((edge) => edge.to === node.id && edge.type === 'reads').map((edge) => edge.from);
      context.shell.out(
        `${style.bold(node.id)}  ${style.dim(node.kind)}${reads.length > 0 ? `  ← ${reads.join(', ')}` : ''}\n`,
      );
    }
    return exitCodes.done;
  },
};

interface GraphNode {
  readonly id: string;
  readonly type: 'source' | 'model' | 'audit';
  readonly kind: string;
  readonly cron: string | null;
  readonly tags: readonly string[];
  readonly file: string;
  /** Tables of a source. */
  readonly tables?: readonly string[];
}

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly type: 'reads' | 'audits';
}

function graphOf({ project, models, sources, audits: alone }: BoundProject): {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
} {
  const sourceOf = new Map<string, string>(
    sources.flatMap((source) =>
      source.elements.map(
        (element) => [`${source.source.name}.${element.table.toLowerCase()}`, source.source.name] as const,
      ),
    ),
  );
  const used = new Set(models.flatMap(({ model }) => model.audits.map((call) => call.name)));
  const nodes: readonly GraphNode[] = [
    ...sources.map(
      (source): GraphNode => ({
        id: source.source.name,
        type: 'source',
        kind: source.format,
        cron: null,
        tags: [],
        file: source.source.file.path,
        tables: source.elements.map((element) => `${source.source.name}.${element.table.toLowerCase()}`),
      }),
    ),
    ...models.map(
      ({ model }): GraphNode => ({
        id: model.key,
        type: 'model',
        kind: model.kind.name,
        cron: model.cron.expression,
        tags: model.tags,
        file: model.file.path,
      }),
    ),
    ...[...project.audits.values()]
      .filter((audit) => used.has(audit.name) || (audit.standalone !== undefined && !audit.skip))
      .map(
        (audit): GraphNode => ({
          id: audit.name,
          type: 'audit',
          kind: audit.blocking ? 'blocking' : 'warning',
          cron: audit.standalone?.cron.expression ?? null,
          tags: [],
          file: audit.query.file.path,
        }),
      ),
  ];
  const reads = models.flatMap(({ model, parents }) =>
    [...new Set(parents.filter((parent) => parent !== model.key).map((parent) => sourceOf.get(parent) ?? parent))].map(
      (from): GraphEdge => ({ from, to: model.key, type: 'reads' }),
    ),
  );
  const audits = models.flatMap(({ model }) =>
    [...new Set(model.audits.map((call) => call.name))].map(
      (from): GraphEdge => ({ from, to: model.key, type: 'audits' }),
    ),
  );
  const watched = alone.flatMap(({ audit, reads: read }) =>
    [...new Set(read.map((key) => sourceOf.get(key) ?? key))].map(
      (from): GraphEdge => ({ from, to: audit.name, type: 'reads' }),
    ),
  );
  return { nodes, edges: [...reads, ...audits, ...watched] };
}
