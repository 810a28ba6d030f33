import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokenize } from '../../src/parse/tokenizer.js';
import { useDatabase } from '../support/database.js';

/** Tokens as `type:text`. */
const cut = (text: string): readonly string[] => tokenize(text).tokens.map((token) => `${token.type}:${token.text}`);
const textIn = (text: string): string | undefined => tokenize(text).tokens[0]?.value;

describe('tokens', () => {
  test.each([
    ['a_1 $b', ['word:a_1', 'symbol:$', 'word:b']],
    ['żółć', ['word:żółć']],
    ['"a ""b""".c', ['name:"a ""b"""', 'symbol:.', 'word:c']],
    ["'it''s' 'x'", ["string:'it''s'", "string:'x'"]],
    ["E'a\\'b' e'\\\\'", ["string:E'a\\'b'", "string:e'\\\\'"]],
    ['$$it\'s "x" -- y$$', ['string:$$it\'s "x" -- y$$']],
    ['$tag$ $$ $ta$ $tag$ z', ['string:$tag$ $$ $ta$ $tag$', 'word:z']],
    ['1 1.5 .5 1e-3 1_000', ['number:1', 'number:1.5', 'number:.5', 'number:1e-3', 'number:1_000']],
    ['a.1', ['word:a', 'number:.1']],
    ['@start_ds @{x}_y', ['macro:@start_ds', 'macro:@{x}', 'word:_y']],
    ['@ -5', ['symbol:@', 'symbol:-', 'number:5']],
    [
      'a:=b::int->>c||d<>e',
      [
        'word:a',
        'symbol::=',
        'word:b',
        'symbol:::',
        'word:int',
        'symbol:->',
        'symbol:>',
        'word:c',
        'symbol:||',
        'word:d',
        'symbol:<>',
        'word:e',
      ],
    ],
    ['a -- b\n/* c */ d', ['word:a', 'word:d']],
    ["a /* b /* c */ ' */ d", ['word:a', 'word:d']],
    ["'/* x' -- y", ["string:'/* x'"]],
  ])('of %s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  test.each([
    ["'it''s'", "it's"],
    ['"a ""b"""', 'a "b"'],
    ['$t$a$t$', 'a'],
    ["''", ''],
    ['word', 'word'],
  ])('the value of %s is without its quotes', (text, value) => {
    expect(textIn(text)).toBe(value);
  });

  test('lose nothing of the text but white space and comments', () => {
    const piece = fc.constantFrom(
      'a',
      "'b''c'",
      '"d"',
      '$$e$$',
      '@f',
      '1.5',
      '(',
      ')',
      ',',
      ';',
      ' ',
      '\n',
      '/* g */',
      '-- h\n',
      '😀',
      '=>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join(' ');
        const { tokens, problems } = tokenize(text);
        expect(problems).toEqual([]);
        expect(tokens.map((token) => token.text)).toEqual(tokens.map((token) => text.slice(token.start, token.end)));
        const between = [0, ...tokens.map((token) => token.end)].map((from, at) =>
          text.slice(from, tokens[at]?.start ?? text.length),
        );
        expect(
          between
            .join('')
            .replace(/\/\* g \*\/|-- h\n/g, '')
            .trim(),
        ).toBe('');
      }),
    );
  });
});

describe('what never ends is reported where it begins', () => {
  test.each([
    ["SELECT 'abc", 7, 8, 'this string is never closed'],
    ["SELECT E'abc\\'", 7, 8, 'this string is never closed'],
    ['SELECT "abc', 7, 8, 'this quoted name is never closed'],
    ['SELECT 1 /* a /* b */', 9, 11, 'this comment is never closed'],
    ['SELECT $tag$ $$', 7, 12, 'this $tag$ string is never closed'],
  ])('%s', (text, start, end, message) => {
    expect(tokenize(text).problems).toEqual([{ span: { start, end }, message }]);
  });
});

describe('DuckDB cuts the same way', () => {
  const database = useDatabase();

  test.each(["'it''s'", "E'a\\'b'", '$$x$$', "$tag$a $$ 'b$tag$", "'a' /* b /* c */ ' */", "'a' -- '\n"])(
    'the string in %s',
    async (text) => {
      const expected = text.startsWith('E') ? "a'b" : textIn(text);
      expect(await database().rows(`SELECT ${text} AS v`)).toEqual([{ v: expected }]);
    },
  );
});
