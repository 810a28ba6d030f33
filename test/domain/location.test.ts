import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { locate, utf16Offset, wordAt } from '../../src/domain/location.js';
import { textFile } from '../support/project-text.js';

const at = (text: string, word: string) => {
  const start = text.indexOf(word);
  return locate(textFile(text, 'models/a.sql'), { start, end: start + word.length });
};

describe('a span is located', () => {
  test('by line and column from one, with the line’s text', () => {
    expect(at('SELECT\n  wrong,\n  b', 'wrong')).toEqual({
      file: 'models/a.sql',
      line: 2,
      column: 3,
      length: 5,
      text: '  wrong,',
    });
  });

  test('in UTF-16 units, as editors count', () => {
    expect(at("SELECT '😀ż', wrong", 'wrong')).toMatchObject({ line: 1, column: 15, length: 5 });
  });

  test('without the carriage return of Windows lines', () => {
    expect(at('SELECT\r\n  wrong\r\nFROM t', 'wrong')).toMatchObject({ line: 2, column: 3, text: '  wrong' });
  });

  test('on its first line where it runs over several', () => {
    expect(at('a\nbcd\nef\ng', 'cd\nef')).toMatchObject({ line: 2, column: 2, length: 2 });
  });

  test('with at least one character, even at the end of the file', () => {
    expect(locate(textFile('ab'), { start: 2, end: 2 })).toMatchObject({ line: 1, column: 3, length: 1 });
    expect(locate(textFile(''), { start: 0, end: 1 })).toMatchObject({ line: 1, column: 1, length: 1, text: '' });
  });

  test('so that its place in the file can be found again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'ż', '😀', '\n', ' '), { minLength: 1, maxLength: 30 }),
        fc.nat(29),
        (pieces, index) => {
          const text = pieces.join('');
          const start = Math.min(index, text.length - 1);
          const { line, column, text: lineText } = locate(textFile(text), { start, end: start + 1 });
          const lines = text.split('\n');
          expect(lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1).toBe(start);
          expect(lineText).toBe(lines[line - 1]);
        },
      ),
    );
  });
});

describe('a byte offset of DuckDB', () => {
  test('is the UTF-16 offset of the same character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '€', '😀', '\n'), { maxLength: 20 }),
        fc.nat(20),
        (characters, index) => {
          const before = characters.slice(0, index).join('');
          expect(utf16Offset(characters.join(''), Buffer.byteLength(before))).toBe(before.length);
        },
      ),
    );
  });

  test('beyond the text is its end', () => {
    expect(utf16Offset('żx', 99)).toBe(2);
  });
});

test.each([
  ['abc.d', 0, 'abc'],
  ['"a ""b"" c" x', 0, '"a ""b"" c"'],
  ["'it''s' x", 0, "'it''s'"],
  ['x + żółć_1, y', 4, 'żółć_1'],
  ['a + b', 2, '+'],
])('in %s, the word at %i is %s', (text, start, word) => {
  const span = wordAt(text, start);
  expect(text.slice(span.start, span.end)).toBe(word);
});
