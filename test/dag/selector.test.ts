import { describe, expect, test } from 'vitest';
import { orderGraph } from '../../src/dag/graph.js';
import { gitReferences, noFacts, SelectorError, type SelectorFacts, select } from '../../src/dag/selector.js';

const { graph } = orderGraph(
  new Map([
    ['raw.a', []],
    ['stg.a', ['raw.a']],
    ['stg.b', ['raw.a']],
    ['mart.x', ['stg.a', 'stg.b']],
    ['mart.axb', ['stg.b']],
  ]),
);
const tags: Readonly<Record<string, readonly string[]>> = { 'stg.b': ['Nightly'], 'mart.x': ['nightly', 'core'] };
const facts: SelectorFacts = {
  tagsOf: (node) => tags[node] ?? [],
  pathOf: (node) => `models/${node.replace('.', '/')}.sql`,
  changedSince: (reference) => new Set(reference === 'main' ? ['stg.a'] : []),
  modified: () => new Set(['mart.x']),
};
const pick = (...selectors: readonly string[]): readonly string[] => [...select(selectors, graph, facts).nodes].sort();

describe('a selector', () => {
  test.each([
    ['stg.a', ['stg.a']],
    ['STG.A', ['stg.a']],
    ['"stg"."a"', ['stg.a']],
    ['stg.*', ['stg.a', 'stg.b']],
    ['*.a', ['raw.a', 'stg.a']],
    ['mart.a*', ['mart.axb']],
    ['+stg.a', ['raw.a', 'stg.a']],
    ['stg.a+', ['mart.x', 'stg.a']],
    ['+stg.b+', ['mart.axb', 'mart.x', 'raw.a', 'stg.b']],
    ['tag:nightly', ['mart.x', 'stg.b']],
    ['tag:night*', ['mart.x', 'stg.b']],
    ['+tag:core', ['mart.x', 'raw.a', 'stg.a', 'stg.b']],
    ['path:models/stg', ['stg.a', 'stg.b']],
    ['path:./models/stg/a.sql', ['stg.a']],
    ['git:main+', ['mart.x', 'stg.a']],
    ['state:modified', ['mart.x']],
    ['resource_type:model & mart.*', ['mart.axb', 'mart.x']],
    ['stg.* & tag:nightly', ['stg.b']],
    ['stg.a | mart.*', ['mart.axb', 'mart.x', 'stg.a']],
    ['^stg.*', ['mart.axb', 'mart.x', 'raw.a']],
    ['*.a & ^(raw.* | tag:nightly)', ['stg.a']],
    // & binds before |, ^ before both.
    ['raw.a | stg.* & ^stg.a', ['raw.a', 'stg.b']],
    ['(raw.a | stg.*) & ^stg.a', ['raw.a', 'stg.b']],
    ['*', ['mart.axb', 'mart.x', 'raw.a', 'stg.a', 'stg.b']],
  ])('%s names %j', (selector, expected) => {
    expect(pick(selector)).toEqual(expected);
  });

  test('takes a dot for a dot', () => {
    expect(pick('mart.a.b', 'mart?x')).toEqual([]);
  });

  test('joins with others', () => {
    expect(pick('raw.a', 'mart.x')).toEqual(['mart.x', 'raw.a']);
  });

  test('that names nothing is told', () => {
    expect(select(['stg.a', '+stg.c+', 'tag:x'], graph, noFacts).unmatched).toEqual(['+stg.c+', 'tag:x']);
  });

  test.each(['', '(a', 'a &', '& a', 'a b', '+', 'state:new'])('cannot be "%s"', (selector) => {
    expect(() => pick(selector)).toThrow(SelectorError);
  });
});

test('branches that selectors name are known before anything is selected', () => {
  expect(gitReferences(['git:main & ^(git:v1.0+ | a)', 'b'])).toEqual(['main', 'v1.0']);
});
