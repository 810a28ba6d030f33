import type { BoundModel } from '../domain/bound-project.js';
import { columnKey, type RowKind, type ValueKind } from '../domain/query-print.js';
import { type ColumnGraph, isValueKind, type LineageEdge } from '../lineage/column-graph.js';
import type { Style } from './style.js';

/** A column with everything that it comes from, or that comes from it, as an indented tree. What was shown above is not unfolded twice. */
export function lineageTree(
  graph: ColumnGraph,
  column: string,
  direction: 'upstream' | 'downstream',
  style: Style,
): string {
  const lines = [style.bold(column)];
  const seen = new Set<string>();
  const unfold = (key: string, indent: string): void => {
    const edges = direction === 'upstream' ? (graph.up.get(key) ?? []) : (graph.down.get(key) ?? []);
    for (const [at, edge] of edges.entries()) {
      const isLast = at === edges.length - 1;
      const next = direction === 'upstream' ? edge.from : edge.to;
      const isKnown = seen.has(next);
      const isRowSet = direction === 'downstream' && !isValueKind(edge.how);
      lines.push(
        `${indent}${isLast ? '└─' : '├─'} ${next}${isRowSet ? ' rows' : ''} ${style.dim(`(${edge.how})${isKnown && !isRowSet ? ' …' : ''}`)}`,
      );
      if (isKnown || isRowSet) continue;
      seen.add(next);
      unfold(next, `${indent}${isLast ? '   ' : '│  '}`);
    }
  };
  unfold(column, '');
  return `${lines.join('\n')}\n`;
}

/** The chosen columns with what they read, one level, as a Mermaid flowchart with a box to each table. */
export function lineageMermaid(
  graph: ColumnGraph,
  chosen: { readonly models: readonly BoundModel[]; readonly column: string | undefined },
): string {
  const targets = chosen.models.flatMap((bound) => {
    const names = bound.columns
      .map((column) => column.name)
      .filter((name) => chosen.column === undefined || name.toLowerCase() === chosen.column);
    return [
      ...names.map((name) => columnKey(bound.model.key, name)),
      ...(chosen.column === undefined ? [bound.model.key] : []),
    ];
  });
  const edges = targets.flatMap((target) => graph.up.get(target) ?? []);
  const ids = new Map<string, string>();
  const idOf = (key: string): string => {
    const id = ids.get(key) ?? `n${ids.size}`;
    ids.set(key, id);
    return id;
  };
  const links = edges.map(
    (edge) => `  ${idOf(edge.from)} ${isValueKind(edge.how) ? '-->' : '-.->'}|${edge.how}| ${idOf(edge.to)}`,
  );
  const models = new Set(chosen.models.map((bound) => bound.model.key));
  const boxes = new Map<string, string[]>();
  for (const [key, id] of ids) {
    const table = models.has(key) ? key : key.slice(0, key.lastIndexOf('.'));
    const label = models.has(key) ? 'rows' : key.slice(table.length + 1);
    boxes.set(table, [...(boxes.get(table) ?? []), `    ${id}["${label.replaceAll('"', '#quot;')}"]`]);
  }
  const groups = [...boxes].map(
    ([table, nodes], at) => `  subgraph t${at}["${table.replaceAll('"', '#quot;')}"]\n${nodes.join('\n')}\n  end`,
  );
  return `flowchart LR\n${groups.join('\n')}\n${links.join('\n')}\n`;
}

const directSubtypes: Readonly<Record<ValueKind, string>> = {
  copy: 'IDENTITY',
  expression: 'TRANSFORMATION',
  window: 'TRANSFORMATION',
  aggregate: 'AGGREGATION',
};
const indirectSubtypes: Readonly<Record<RowKind, string>> = {
  filter: 'FILTER',
  join: 'JOIN',
  group: 'GROUP_BY',
  distinct: 'GROUP_BY',
  order: 'SORT',
  unnest: 'JOIN',
  'set operation': 'FILTER',
};

/**
 * OpenLineage's column lineage facet of one model: direct inputs by field, and what decides the rows for the dataset.
 *
 * @source openlineage.io, ColumnLineageDatasetFacet 1-2-0
 */
export function openLineageFacet(bound: BoundModel, namespace: string): object {
  const lineage = bound.lineage;
  const input = (from: string, how: LineageEdge['how']): object => {
    const split = from.lastIndexOf('.');
    const transformation = isValueKind(how)
      ? { type: 'DIRECT', subtype: directSubtypes[how] }
      : { type: 'INDIRECT', subtype: indirectSubtypes[how] };
    return {
      namespace,
      name: from.slice(0, split),
      field: from.slice(split + 1),
      transformations: [{ ...transformation, description: how, masking: false }],
    };
  };
  const fields = lineage.known
    ? lineage.print.columns.map(
        (column) =>
          [
            column.name,
            { inputFields: column.sources.map((from) => input(from, column.kinds[from] ?? 'expression')) },
          ] as const,
      )
    : [];
  const dataset = lineage.known
    ? Object.entries(lineage.print.rowKinds).flatMap(([from, kinds]) => kinds.map((how) => input(from, how)))
    : [];
  return {
    columnLineage: {
      _producer: 'urn:scilake',
      _schemaURL: 'https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json',
      fields: Object.fromEntries(fields),
      dataset,
    },
  };
}
