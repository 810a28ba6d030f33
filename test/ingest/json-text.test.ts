import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemsOf, membersOf, onOneLine, scalarAt, spanAt, wholeSpan } from '../../src/ingest/json-text.js';

/** Key by key and item by item, put together again from where each stands. */
function again(text: string, span = wholeSpan(text)): unknown {
  const first = text[span.start];
  if (first === '[') return [...itemsOf(text, span)].map((item) => again(text, item));
  if (first !== '{') return JSON.parse(text.slice(span.start, span.end));
  const members = [...membersOf(text, span)].map(({ key, ...member }): [string, unknown] => [key, again(text, member)]);
  return Object.fromEntries(members);
}

test('any JSON is cut where its values begin and end, however it is laid out', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 1, 2, '\t', '\r\n '), (json, space) => {
      const value: unknown = JSON.parse(json);
      const text = ` ${JSON.stringify(value, null, space)}\n`.replaceAll(/\n(\s*)(["\d])/g, '\n$1$2');
      expect(onOneLine(text, wholeSpan(text))).toBe(JSON.stringify(value));
      expect(again(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 500 },
  );
});

test('a path leads to the value as it is written', () => {
  const text =
    '{"a": [{"n": 12345678901234567890}, {"t": "\\u00e9\\"]}"}], "a.b": {"": true}, "z": null, "d": 1, "d": 2}';
  expect(scalarAt(text, ['a', 0, 'n'])).toBe('12345678901234567890');
  expect(scalarAt(text, ['a', 1, 't'])).toBe('é"]}');
  expect(scalarAt(text, ['a.b', ''])).toBe('true');
  expect(scalarAt(text, ['d'])).toBe('2');
  for (const path of [['z'], ['a'], ['a', 2], ['a', 'n'], ['z', 'x'], ['no']])
    expect(scalarAt(text, path)).toBeUndefined();
  expect(spanAt('', ['a'])).toBeUndefined();
});
