import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainSeedText, type SeedLayout } from '../../src/parse/seed-text.js';

const usual: SeedLayout = {
  delimiter: ',',
  quote: '"',
  escape: undefined,
  skipsBlanks: false,
  lineEnd: undefined,
  nulls: new Map(),
  nullText: '',
};

/** What pandas 2.3 reads from these texts, written plainly. */
describe('a seed is read as pandas reads it', () => {
  test.each<[string, string, Partial<SeedLayout>, string]>([
    ['blanks before quotes', 'a, b ,c\n1, "x, y" ,  3\n', { skipsBlanks: true }, 'a,b ,c\n1,"x, y" ,3\n'],
    ['blanks, not tabs', 'a,b\n 1,\t3\n', { skipsBlanks: true }, 'a,b\n1,\t3\n'],
    ['nothing but blanks', 'a, b\n1,  \n', { skipsBlanks: true }, 'a,b\n1,\n'],
    ['another quote', "a\n  'q, r'\n", { skipsBlanks: true, quote: "'" }, "a\n'q, r'\n"],
    ['another line end', 'a,b~1,"x~y"~2,z\nw~', { lineEnd: '~' }, 'a,b\n1,"x~y"\n2,"z\nw"\n'],
    ['empty lines', 'a,b~~1,2~', { lineEnd: '~' }, 'a,b\n1,2\n'],
    ['quotes inside', 'a,b~1,x"y"~', { lineEnd: '~' }, 'a,b\n1,x"y"\n'],
    ['an escaped quote', 'a,b~1,"x\\"~y"~', { lineEnd: '~', escape: '\\' }, 'a,b\n1,"x\\"~y"\n'],
    ['doubled quotes', 'a,b~1,"x""~y"~', { lineEnd: '~' }, 'a,b\n1,"x""~y"\n'],
    ['a last field that is empty', 'a,b~1,', { lineEnd: '~' }, 'a,b\n1,\n'],
    ['line ends of Windows', 'a,b\r\n1, 2\r\n', { skipsBlanks: true }, 'a,b\n1,2\n'],
    [
      'missing values of one column',
      'A,b\n-,-\n"-",x\n',
      { nulls: new Map([['a', new Set(['-'])]]), nullText: 'NA' },
      'A,b\nNA,-\nNA,x\n',
    ],
  ])('%s', (_, text, layout, expected) => {
    expect(plainSeedText(text, { ...usual, ...layout })).toBe(expected);
  });
});

test('what needs no rewriting stays as it is', () => {
  const field = fc.oneof(
    fc.stringMatching(/^[a-z0-9 ]{1,6}$/),
    fc.stringMatching(/^[a-z,~\n]{0,6}$/).map((text) => `"${text}"`),
  );
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
    );
  fc.assert(
    fc.property(table, (rows) => {
      const text = (end: string): string => rows.map((fields) => `${fields.join(',')}${end}`).join('');
      expect(plainSeedText(text('\n'), usual)).toBe(text('\n'));
      expect(plainSeedText(text('~'), { ...usual, lineEnd: '~' })).toBe(text('\n'));
    }),
  );
});
