import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, digest } from '../../src/domain/digest.js';
import type { JsonValue } from '../../src/domain/kind.js';

test('a digest is the first half of the first quarter of SHA-256 over the parts with their lengths', () => {
  expect(digest('ab', 'c')).toBe(createHash('sha256').update('2:ab|1:c').digest('hex').slice(0, 16));
});

test('a digest tells where one part ends and the next begins', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', ':', '|', '1') }), { maxLength: 4 }),
      fc.array(fc.string({ unit: fc.constantFrom('a', ':', '|', '1') }), { maxLength: 4 }),
      (a, b) => {
        expect(digest(...a) === digest(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      },
    ),
    { numRuns: 500 },
  );
});

test('canonical JSON is JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain: JsonValue = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
    }),
  );
});

test('canonical JSON does not depend on the order of keys, at any depth', () => {
  expect(canonicalJson({ b: [{ y: 1, x: null }], a: 'é' })).toBe(canonicalJson({ a: 'é', b: [{ x: null, y: 1 }] }));
});

test('canonical JSON keeps the order of lists', () => {
  expect(canonicalJson([2, 1])).toBe('[2,1]');
});
