import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderGraph, reach } from '../../src/dag/graph.js';

/** node → what it reads, from `b: a` lines. */
function edges(...lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines.map((line) => {
      const [node = '', reads = ''] = line.split(':').map((part) => part.trim());
      return [node, reads.split(/\s+/).filter((name) => name !== '')];
    }),
  );
}

const randomEdges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16 }).map((pairs) => {
  const map = new Map<string, string[]>(Array.from({ length: 8 }, (_, at) => [`n${at}`, []]));
  for (const [node, parent] of pairs) map.get(`n${node}`)?.push(`n${parent}`);
  return map;
});

describe('the order', () => {
  test('puts parents before their readers', () => {
    expect(orderGraph(edges('c: b', 'b: a', 'a:', 'd: a c')).graph.order).toEqual(['a', 'b', 'c', 'd']);
  });

  test('keeps the given order between those that do not depend on each other', () => {
    expect(orderGraph(edges('z:', 'm:', 'a:')).graph.order).toEqual(['z', 'm', 'a']);
  });

  test('leaves out edges to itself and to what is unknown', () => {
    const { graph, cycles } = orderGraph(edges('a: a elsewhere.t', 'b: a a'));
    expect([graph.order, graph.parents.get('a'), graph.parents.get('b'), graph.children.get('a'), cycles]).toEqual([
      ['a', 'b'],
      [],
      ['a'],
      ['b'],
      [],
    ]);
  });

  test('holds each node that no cycle stands before, after its parents', () => {
    fc.assert(
      fc.property(randomEdges, (map) => {
        const { graph } = orderGraph(map);
        for (const [at, node] of graph.order.entries()) {
          for (const parent of graph.parents.get(node) ?? []) expect(graph.order.indexOf(parent)).toBeLessThan(at);
        }
        const blocked = [...map.keys()].filter((node) => !graph.order.includes(node));
        for (const node of blocked)
          expect(graph.parents.get(node)?.some((parent) => blocked.includes(parent))).toBe(true);
      }),
    );
  });
});

describe('cycles', () => {
  test('are none where there are none', () => {
    expect(orderGraph(edges('a:', 'b: a')).cycles).toEqual([]);
  });

  test('go round in reading order, the first again at the end', () => {
    expect(orderGraph(edges('a: b', 'b: c', 'c: a')).cycles).toEqual([['a', 'b', 'c', 'a']]);
  });

  test('leave out what only stands below them', () => {
    const { graph, cycles } = orderGraph(edges('x: a', 'a: b', 'b: a', 'free:'));
    expect(cycles).toEqual([['a', 'b', 'a']]);
    expect(graph.order).toEqual(['free']);
  });

  test('are all found, one for each knot, also where one knot stands below another', () => {
    const { cycles } = orderGraph(edges('a: b', 'b: a', 'c: a d', 'd: c', 'e: f', 'f: e'));
    expect(cycles.map((cycle) => [...new Set(cycle)].sort().join(''))).toEqual(['ab', 'cd', 'ef']);
  });

  test('are real paths, and every node on a cycle is in the knot of one of them', () => {
    fc.assert(
      fc.property(randomEdges, (map) => {
        const { graph, cycles } = orderGraph(map);
        for (const cycle of cycles) {
          expect(cycle[0]).toBe(cycle.at(-1));
          for (const [at, node] of cycle.slice(0, -1).entries())
            expect(graph.parents.get(node)).toContain(cycle[at + 1]);
        }
        const upstream = (node: string): ReadonlySet<string> => reach(graph.parents.get(node) ?? [], graph.parents);
        const knotOf = (node: string): string =>
          [...upstream(node)]
            .filter((other) => upstream(other).has(node))
            .sort()
            .join();
        const knots = new Set([...map.keys()].filter((node) => upstream(node).has(node)).map(knotOf));
        expect(cycles.map((cycle) => knotOf(cycle[0] ?? '')).sort()).toEqual([...knots].sort());
      }),
      { numRuns: 300 },
    );
  });
});

describe('reach', () => {
  const { graph } = orderGraph(edges('a:', 'b: a', 'c: b', 'd: a', 'e:'));

  test('holds the start and all along the way', () => {
    expect([...reach(['b'], graph.parents)].sort()).toEqual(['a', 'b']);
    expect([...reach(['a'], graph.children)].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('of nothing is nothing', () => {
    expect([...reach([], graph.children)]).toEqual([]);
  });
});
