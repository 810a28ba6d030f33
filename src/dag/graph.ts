/** A directed graph of names: each node with the nodes it reads. */
export interface Graph {
  /** In topological order, parents first; ties in the order given. */
  readonly order: readonly string[];
  readonly parents: ReadonlyMap<string, readonly string[]>;
  readonly children: ReadonlyMap<string, readonly string[]>;
}

/** Nodes that read each other in a circle, in reading order, the first again at the end. */
export type Cycle = readonly string[];

/**
 * Orders the nodes. Edges to unknown nodes and to the node itself are left out.
 *
 * @param edges node → nodes it reads
 * @returns the graph, or the cycles (one for each knot of nodes)
 */
export function orderGraph(edges: ReadonlyMap<string, readonly string[]>): {
  readonly graph: Graph;
  readonly cycles: readonly Cycle[];
} {
  const parents = new Map<string, readonly string[]>();
  const children = new Map<string, string[]>([...edges.keys()].map((node) => [node, []]));
  for (const [node, read] of edges) {
    const known = [...new Set(read)].filter((parent) => parent !== node && edges.has(parent));
    parents.set(node, known);
    for (const parent of known) children.get(parent)?.push(node);
  }
  const waiting = new Map([...parents].map(([node, list]) => [node, list.length]));
  const ready = [...edges.keys()].filter((node) => waiting.get(node) === 0);
  const order: string[] = [];
  for (let at = 0; at < ready.length; at++) {
    const node = ready[at] ?? '';
    order.push(node);
    for (const child of children.get(node) ?? []) {
      const left = (waiting.get(child) ?? 0) - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  const stuck = new Set([...edges.keys()].filter((node) => (waiting.get(node) ?? 0) > 0));
  return { graph: { order, parents, children }, cycles: findCycles(stuck, parents) };
}

function findCycles(stuck: ReadonlySet<string>, parents: ReadonlyMap<string, readonly string[]>): readonly Cycle[] {
  const above = new Map<string, readonly string[]>();
  const below = new Map<string, string[]>([...stuck].map((node) => [node, []]));
  for (const node of stuck) {
    const read = (parents.get(node) ?? []).filter((parent) => stuck.has(parent));
    above.set(node, read);
    for (const parent of read) below.get(parent)?.push(node);
  }
  const cycles: Cycle[] = [];
  const knotted = new Set<string>();
  for (const start of stuck) {
    const cycle = knotted.has(start) ? undefined : wayBack(start, above);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    // A knot is all that lies both above and below one of its nodes.
    const upstream = reach([start], above);
    for (const node of reach([start], below)) if (upstream.has(node)) knotted.add(node);
  }
  return cycles;
}

/** The shortest way along the edges from a node back to itself. */
function wayBack(start: string, next: ReadonlyMap<string, readonly string[]>): Cycle | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] ?? '';
    for (const neighbour of next.get(node) ?? []) {
      if (neighbour === start) {
        const way = [start];
        for (let back: string | undefined = node; back !== undefined; back = cameFrom.get(back)) way.unshift(back);
        return way;
      }
      if (cameFrom.has(neighbour)) continue;
      cameFrom.set(neighbour, node);
      queue.push(neighbour);
    }
  }
  return undefined;
}

/** The nodes and everything that is reached from them along `next` (parents or children). */
export function reach(from: Iterable<string>, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set(from);
  const queue = [...found];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const neighbour of next.get(node) ?? []) {
      if (found.has(neighbour)) continue;
      found.add(neighbour);
      queue.push(neighbour);
    }
  }
  return found;
}
