import { type Graph, reach } from './graph.js';

/** What a selector may ask of a node besides its name. */
export interface SelectorFacts {
  readonly tagsOf: (node: string) => readonly string[];
  /** Path of its file, relative to the project; undefined for what has none. */
  readonly pathOf: (node: string) => string | undefined;
  /** Nodes whose files differ from a branch or commit of git. */
  readonly changedSince: (reference: string) => ReadonlySet<string>;
  /** Nodes that are not as the environment has them. */
  readonly modified: () => ReadonlySet<string>;
}

/** Facts for a graph of names alone. */
export const noFacts: SelectorFacts = {
  tagsOf: () => [],
  pathOf: () => undefined,
  changedSince: () => new Set(),
  modified: () => new Set(),
};

/** A selector that cannot be read. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

type Expression =
  | { readonly type: 'term'; readonly text: string; readonly upstream: boolean; readonly downstream: boolean }
  | { readonly type: 'not'; readonly inner: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression };

/**
 * The nodes that selectors name; several are joined. As in SQLMesh: names with `*`, `tag:`, `path:`, `git:`, `state:modified`,
 * `+` before for all upstream and after for all downstream, `^` not, `&` and, `|` or, parentheses.
 *
 * @returns the nodes, and the selectors that named none
 * @throws SelectorError
 */
export function select(
  selectors: readonly string[],
  graph: Graph,
  facts: SelectorFacts,
): { readonly nodes: ReadonlySet<string>; readonly unmatched: readonly string[] } {
  const nodes = new Set<string>();
  const unmatched: string[] = [];
  for (const selector of selectors) {
    const found = evaluate(parseSelector(selector), graph, facts);
    if (found.size === 0) unmatched.push(selector);
    for (const node of found) nodes.add(node);
  }
  return { nodes, unmatched };
}

/** Branches and commits that selectors name (`git:main`): what they differ in has to be looked up first. */
export function gitReferences(selectors: readonly string[]): readonly string[] {
  const references = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.type === 'term') {
      if (/^git:/i.test(expression.text)) references.add(expression.text.slice(4));
    } else if (expression.type === 'not') visit(expression.inner);
    else {
      visit(expression.left);
      visit(expression.right);
    }
  };
  for (const selector of selectors) visit(parseSelector(selector));
  return [...references].sort();
}

const token = /\s*([()&|^]|[^\s()&|^]+)/y;

function parseSelector(text: string): Expression {
  const tokens: string[] = [];
  token.lastIndex = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) tokens.push(found[1] ?? '');
  let at = 0;
  const problem = (): SelectorError => {
    const where = tokens[at] === undefined ? 'its end' : `"${tokens[at]}"`;
    return new SelectorError(`the selector "${text}" cannot be read at ${where}`);
  };
  const or = (): Expression => {
    let left = and();
    while (tokens[at] === '|') {
      at++;
      left = { type: 'or', left, right: and() };
    }
    return left;
  };
  const and = (): Expression => {
    let left = not();
    while (tokens[at] === '&') {
      at++;
      left = { type: 'and', left, right: not() };
    }
    return left;
  };
  const not = (): Expression => {
    if (tokens[at] !== '^') return primary();
    at++;
    return { type: 'not', inner: not() };
  };
  const primary = (): Expression => {
    const one = tokens[at];
    if (one === undefined || one === ')' || one === '&' || one === '|') throw problem();
    at++;
    if (one === '(') {
      const inner = or();
      if (tokens[at] !== ')') throw problem();
      at++;
      return inner;
    }
    const core = one.replace(/^\+|\+$/g, '');
    if (core === '') throw problem();
    return { type: 'term', text: core, upstream: one.startsWith('+'), downstream: one.endsWith('+') };
  };
  const expression = or();
  if (at < tokens.length) throw problem();
  return expression;
}

function evaluate(expression: Expression, graph: Graph, facts: SelectorFacts): ReadonlySet<string> {
  switch (expression.type) {
    case 'term': {
      const matched = matching(expression.text, graph, facts);
      const upstream = expression.upstream ? reach(matched, graph.parents) : [];
      const downstream = expression.downstream ? reach(matched, graph.children) : [];
      return new Set([...matched, ...upstream, ...downstream]);
    }
    case 'not': {
      const inner = evaluate(expression.inner, graph, facts);
      return new Set(graph.order.filter((node) => !inner.has(node)));
    }
    case 'and':
    case 'or': {
      const left = evaluate(expression.left, graph, facts);
      const right = evaluate(expression.right, graph, facts);
      return expression.type === 'or'
        ? new Set([...left, ...right])
        : new Set([...left].filter((node) => right.has(node)));
    }
    default:
      return expression satisfies never;
  }
}

function matching(text: string, graph: Graph, facts: SelectorFacts): readonly string[] {
  const [, prefix = '', rest = ''] = /^(tag|path|git|state|resource_type):(.*)$/i.exec(text) ?? ['', '', text];
  switch (prefix.toLowerCase()) {
    case 'tag': {
      const pattern = wildcard(rest.toLowerCase());
      return graph.order.filter((node) => facts.tagsOf(node).some((tag) => pattern.test(tag.toLowerCase())));
    }
    case 'path': {
      const pattern = wildcard(rest.replace(/^\.\//, ''));
      // A folder stands for what lies in it.
      const folder = wildcard(`${rest.replace(/^\.\//, '').replace(/\/$/, '')}/*`);
      return graph.order.filter((node) => {
        const path = facts.pathOf(node);
        return path !== undefined && (pattern.test(path) || folder.test(path));
      });
    }
    case 'git': {
      const changed = facts.changedSince(rest);
      return graph.order.filter((node) => changed.has(node));
    }
    case 'state': {
      if (rest.toLowerCase() !== 'modified')
        throw new SelectorError(`"state:${rest}" is no state; there is state:modified`);
      const modified = facts.modified();
      return graph.order.filter((node) => modified.has(node));
    }
    case 'resource_type':
      return rest.toLowerCase() === 'model' ? graph.order : [];
    default: {
      const pattern = wildcard(text.toLowerCase().replaceAll('"', ''));
      return graph.order.filter((node) => pattern.test(node));
    }
  }
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`);
}
