import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MacroFunction } from '../../../src/domain/macro.js';
import { type MacroScope, renderMacros, scopeOf, withDefinitions } from '../../../src/parse/macros/index.js';
import { useDatabase } from '../../support/database.js';
import { errorsOf, inShort, sqlText, succeeded } from '../../support/project-text.js';

const columns: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  foo: [
    ['a', 'INTEGER'],
    ['b', 'VARCHAR'],
    ['c', 'VARCHAR'],
  ],
  bar: [
    ['c', 'VARCHAR'],
    ['a', 'INTEGER'],
    ['b', 'INTEGER'],
  ],
};
const variables = new Map([
  ['v', "'z'"],
  ['n', '2'],
  ['f', '1.5'],
  ['b', 'TRUE'],
  ['lst', "('p', 'q')"],
  ['start_ds', "'2024-01-01'"],
  ['end_ds', "'2024-01-02'"],
]);
const scope: MacroScope = {
  ...scopeOf(variables),
  columnsOf: (table) => columns[table]?.map(([name, type]) => ({ name, type })),
};
const render = (text: string, within: MacroScope = scope): string => succeeded(renderMacros(sqlText(text), within)).sql;

interface MacroCase {
  readonly sql: string;
  readonly expected: string;
}
const cases: readonly MacroCase[] = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, 'macro-cases.json'), 'utf8'),
);

describe('a macro expands to what SQLMesh makes of it', () => {
  const database = useDatabase();

  /** Queries by their syntax, whatever their layout; DuckDB's own names for types. */
  const meaning = async (sql: string): Promise<unknown> => {
    const [row] = await database().rows('SELECT json_serialize_sql($1::VARCHAR) AS tree', [sql]);
    const places = new Set(['query_location', 'cte_map']);
    return JSON.parse(String(row?.tree), (key, value) => (places.has(key) && typeof value === 'number' ? 0 : value));
  };

  test.each(cases.map((one) => [one.sql, one.expected]))('%s', async (sql, expected) => {
    expect(await meaning(render(sql))).toEqual(await meaning(expected));
  });
});

describe('where SQLMesh gives up, or gives what nobody meant,', () => {
  test.each([
    ["SELECT @EVAL('a' || 'b') AS x", 'SELECT ab AS x'],
    ["SELECT @EVAL(UPPER(@v)), @EVAL('abc' LIKE 'a%'), @EVAL(2 BETWEEN 1 AND 3)", 'SELECT Z, TRUE, TRUE'],
    // SQLMesh compares the letter x with the letter y here, whatever x stands for.
    ['SELECT @EACH([1, 2], x -> @EVAL(x + 1))', 'SELECT 2, 3'],
    ["SELECT @EACH([a, y], x -> @IF('@x' = 'y', x, x + 1))", 'SELECT a + 1, y + 1'],
    ["SELECT @EACH([a, y], x -> @IF(@'@x' = 'y', x, x + 1))", 'SELECT a + 1, y'],
  ])('%s becomes %s', (sql, expected) => {
    expect(render(sql)).toBe(expected);
  });
});

describe('definitions', () => {
  const defined = (...texts: readonly string[]): MacroScope => withDefinitions(scope, texts.map(sqlText)).scope;

  test('give names to values, in their order', () => {
    expect(render('SELECT @y', defined('@DEF(x, 1 + @n)', '@DEF(y, @x * 2)'))).toBe('SELECT 1 + 2 * 2');
  });

  test('give names to lambdas', () => {
    const within = defined('@DEF(clip, (c, low) -> greatest(c, low))');
    expect(render('SELECT @CLIP(t.mag, @n) AS m', within)).toBe('SELECT greatest(t.mag, 2) AS m');
  });

  test('take as many arguments as they name', () => {
    const within = defined('@DEF(clip, (c, low) -> greatest(c, low))');
    const [error] = errorsOf(renderMacros(sqlText('SELECT a,\n  @clip(1)'), within));
    expect(error && inShort(error)).toBe('2:3+5 SL0206 @CLIP: takes 2 arguments, not 1');
  });

  test('that are none are reported where they stand', () => {
    const { errors } = withDefinitions(scope, [sqlText('@DEF(x)')]);
    expect(errors.map(inShort)).toEqual([
      '1:1+7 SL0206 a definition is @DEF(name, value) or @DEF(name, (a, b) -> body)',
    ]);
  });
});

describe('a macro of the project', () => {
  const functions = new Map<string, MacroFunction>([
    ['double', (_, [x = '']) => `(${x}) * 2`],
    ['each_column', (context, [table = '']) => context.columnsOf(table)?.map((column) => column.name)],
    ['broken', () => JSON.parse('{')],
  ]);
  const within = { ...scope, functions };

  test('gets SQL and gives SQL', () => {
    expect(render('SELECT @double(a + @n) AS d', within)).toBe('SELECT (a + 2) * 2 AS d');
  });

  test('may give a list, which other macros take apart', () => {
    expect(render('SELECT @each_column(foo)', within)).toBe('SELECT a, b, c');
    expect(render('SELECT @EACH(@each_column(foo), c -> c + 1)', within)).toBe('SELECT a + 1, b + 1, c + 1');
  });

  test('is known to need columns that nobody knows yet', () => {
    expect(succeeded(renderMacros(sqlText('SELECT 1, @each_column(nowhere)'), within))).toMatchObject({
      sql: 'SELECT 1',
      needsColumns: true,
    });
  });

  test('that throws is an error at its call', () => {
    const [error] = errorsOf(renderMacros(sqlText('SELECT\n  @broken()'), within));
    expect(error).toMatchObject({ code: 'SL0206', location: { line: 2, column: 3 } });
    expect(error?.message).toMatch(/^@BROKEN: /);
  });
});

describe('errors', () => {
  test.each([
    ['SELECT @EECH([a], x -> x)', '1:8+5 SL0206 there is no macro or variable @eech', 'did you mean "@each"?'],
    ['SELECT @IF(mag > 1, a)', '1:8+3 SL0206 @IF: "mag" is not a constant', undefined],
    ['SELECT @EACH([a, b])', '1:8+5 SL0206 @EACH: takes a lambda at its end', 'for example x -> x + 1'],
    [
      "SELECT @HAVERSINE_DISTANCE(a, b, c, d, 'm')",
      '1:8+19 SL0206 @HAVERSINE_DISTANCE: "m" is no unit',
      "give 'mi' or 'km'",
    ],
    ["@DATE_SPINE('day', '2024-02-01', '2024-01-01')", '1:1+11 SL0206 @DATE_SPINE: starts after its end', undefined],
    ['SELECT @AND(a', '1:8+4 SL0206 @AND: the parenthesis of @AND is never closed', undefined],
  ])('%s', (sql, message, hint) => {
    const [error] = errorsOf(renderMacros(sqlText(sql), scope));
    expect([error && inShort(error), error?.hint]).toEqual([message, hint]);
  });

  test('are all found in one go', () => {
    expect(errorsOf(renderMacros(sqlText('SELECT @a, @IF(x, 1), @{c}'), scope))).toHaveLength(3);
  });
});

test('what a macro passes on leads back to its own place, what it adds to the call', () => {
  const text = 'SELECT @AND(aaa > 1, wrong < 2) FROM t';
  const { sql, originOf } = succeeded(renderMacros(sqlText(text), scope));
  expect(sql).toBe('SELECT aaa > 1 AND wrong < 2 FROM t');
  expect(originOf(sql.indexOf('wrong'))).toBe(text.indexOf('wrong'));
  expect(originOf(sql.indexOf('AND'))).toBe(text.indexOf('@AND'));
  expect(originOf(sql.indexOf('FROM'))).toBe(text.indexOf('FROM'));
});

test('no text of macros, brackets and quotes breaks the expander', () => {
  const piece = fc.constantFrom(
    '@EACH(',
    '@IF(',
    '@x',
    '@{v}',
    ')',
    '(',
    ',',
    'x -> ',
    '[',
    ']',
    "'",
    '"',
    '@',
    ' a ',
    'TRUE',
    '@WHERE(',
    '@WITH(',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const result = renderMacros(sqlText(pieces.join('')), scope);
      expect(typeof result.ok).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});
