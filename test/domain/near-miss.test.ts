import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../src/domain/near-miss.js';

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'ab', 1],
  ['abc', 'abd', 1],
  ['abc', 'acb', 1],
  ['grian', 'grain', 1],
  ['kitten', 'sitting', 3],
])('from "%s" to "%s" are %i edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
});

test('an edit distance is symmetric, and zero for equal words only', () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});

test('a misspelt word finds the nearest of the known ones, whatever its case', () => {
  expect(nearest('GRIAN', ['cron', 'grain', 'grains'])).toBe('grain');
});

test('a word that is far from all finds none', () => {
  expect(nearest('frequency', ['cron', 'grain', 'owner'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});

test('a hint asks', () => {
  expect(didYouMean('crom', ['cron'])).toBe('did you mean "cron"?');
});
