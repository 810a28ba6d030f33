import { expect, test } from 'vitest';
import { hexDigits, planHash } from '../../src/lineage/plan-hash.js';

test.each([
  // mmh3.hash_bytes('6:abcdef'.encode('utf-16-le'), x64arch=False) of Python's mmh3 5.x, as four little-endian words.
  ['abcdef', 'a3f7cc252999160347abb91ff21f00a8'],
  ['Ünïcöd', '354ca2334908fa4977bcd632141dc1c9'],
  ['0123456789abc 2345678', '9b653715292315862c9640f61c740c1e'],
])('whole blocks of %s hash as MurmurHash3 x86 128 does', (text, expected) => {
  expect(hexDigits(planHash(text))).toBe(expected);
});

test('parts are kept apart', () => {
  expect(planHash('ab', 'c')).not.toBe(planHash('a', 'bc'));
  expect(planHash('a', '')).not.toBe(planHash('a'));
});

test('a hundred thousand alike texts have as many hashes', () => {
  const hashes = new Set(Array.from({ length: 100_000 }, (_, i) => planHash('column', 'table 0', `c${i}`)));
  expect(hashes.size).toBe(100_000);
});
