import { columnKey, type Lineage, type RowKind, type ValueKind } from '../domain/query-print.js';

/** One way in which a column reaches another, or the row set of a model. */
export interface LineageEdge {
  /** `schema.table.column`. */
  readonly from: string;
  /** `schema.table.column`; the model's key where the column decides its rows. */
  readonly to: string;
  readonly how: ValueKind | RowKind;
}

/** A table with what is known of where it comes from. */
export interface LineageNode {
  readonly key: string;
  readonly lineage: Lineage;
}

/** Column lineage of a whole project, in both directions. */
export interface ColumnGraph {
  /** Edges into a column or into a model's row set. */
  readonly up: ReadonlyMap<string, readonly LineageEdge[]>;
  /** Edges out of a column. */
  readonly down: ReadonlyMap<string, readonly LineageEdge[]>;
}

/** Joins the prints of all models into one graph. Models whose lineage is unknown have no edges into them. */
export function columnGraph(nodes: readonly LineageNode[]): ColumnGraph {
  const edges = nodes.flatMap(({ key, lineage }): readonly LineageEdge[] => {
    if (!lineage.known) return [];
    const values = lineage.print.columns.flatMap((column) =>
      column.sources.map(
        (from): LineageEdge => ({ from, to: columnKey(key, column.name), how: column.kinds[from] ?? 'expression' }),
      ),
    );
    const rows = Object.entries(lineage.print.rowKinds).flatMap(([from, kinds]) =>
      kinds.map((how): LineageEdge => ({ from, to: key, how })),
    );
    return [...values, ...rows];
  });
  return { up: grouped(edges, (edge) => edge.to), down: grouped(edges, (edge) => edge.from) };
}

function grouped(
  edges: readonly LineageEdge[],
  keyOf: (edge: LineageEdge) => string,
): ReadonlyMap<string, readonly LineageEdge[]> {
  const groups = new Map<string, LineageEdge[]>();
  for (const edge of edges) {
    const group = groups.get(keyOf(edge));
    if (group === undefined) groups.set(keyOf(edge), [edge]);
    else group.push(edge);
  }
  return groups;
}

/**
 * The columns that no model computes, from which a column or a row set comes in the end: columns of sources, of seeds and
 * of tables outside the project. Sorted.
 *
 * @param from column keys, or a model's key for its row set
 */
export function sourceColumns(graph: ColumnGraph, from: Iterable<string>): readonly string[] {
  const seen = new Set<string>();
  const ends = new Set<string>();
  const queue = [...from];
  for (let column = queue.pop(); column !== undefined; column = queue.pop()) {
    if (seen.has(column)) continue;
    seen.add(column);
    const edges = graph.up.get(column) ?? [];
    if (edges.length === 0) ends.add(column);
    queue.push(...edges.map((edge) => edge.from));
  }
  return [...ends].sort();
}

/** Columns, and row sets by their model's key, that read a column directly. Sorted. */
export function readersOf(
  graph: ColumnGraph,
  column: string,
): { readonly columns: readonly string[]; readonly rowSets: readonly string[] } {
  const edges = graph.down.get(column) ?? [];
  const isRowSet = (edge: LineageEdge): boolean => !isValueKind(edge.how);
  const sorted = (list: readonly LineageEdge[]): readonly string[] => [...new Set(list.map((edge) => edge.to))].sort();
  return { columns: sorted(edges.filter((edge) => !isRowSet(edge))), rowSets: sorted(edges.filter(isRowSet)) };
}

export function isValueKind(how: LineageEdge['how']): how is ValueKind {
  return how === 'copy' || how === 'expression' || how === 'window' || how === 'aggregate';
}
