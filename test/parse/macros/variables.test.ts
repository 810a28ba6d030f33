import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  argumentVariables,
  configVariables,
  renderMacros,
  scopeOf,
  timeVariables,
} from '../../../src/parse/macros/index.js';
import { useDatabase } from '../../support/database.js';
import { between, errorsOf, inShort, sqlText, succeeded, utc } from '../../support/project-text.js';

const render = (text: string, values: Readonly<Record<string, string>>): string =>
  succeeded(renderMacros(sqlText(text), scopeOf(new Map(Object.entries(values))))).sql;

describe('variables in a query', () => {
  test.each([
    ['SELECT @n', 'SELECT 3'],
    ['SELECT @N + @{n}', 'SELECT 3 + 3'],
    ['SELECT 1 AS @{name}_col', 'SELECT 1 AS z_col'],
    ["SELECT '@n', $$@n$$ -- @n\n/* @n */, @n", "SELECT '@n', $$@n$$ -- @n\n/* @n */, 3"],
    ['SELECT   @n  ,\n\t@n', 'SELECT   3  ,\n\t3'],
  ])('%s become their values, and nothing else changes', (text, expected) => {
    expect(render(text, { n: '3', name: 'z' })).toBe(expected);
  });

  test('are listed once each', () => {
    expect(
      succeeded(
        renderMacros(
          sqlText('SELECT @b, @A, @b'),
          scopeOf(
            new Map([
              ['a', '1'],
              ['b', '2'],
            ]),
          ),
        ),
      ).used,
    ).toEqual(['a', 'b']);
  });

  test('that do not exist are all reported, each where it stands', () => {
    const errors = errorsOf(
      renderMacros(sqlText('SELECT @start_dss,\n  @nothing'), scopeOf(new Map([['start_ds', "'2024-01-01'"]]))),
    );
    expect(errors.map(inShort)).toEqual([
      '1:8+10 SL0206 there is no macro or variable @start_dss',
      '2:3+8 SL0206 there is no macro or variable @nothing',
    ]);
    expect(errors.map((error) => error.hint)).toEqual(['did you mean "@start_ds"?', undefined]);
  });

  test('let every position of the rendered text lead back to the author’s', () => {
    const piece = fc.constantFrom('@a', '@bb', '@{ccc}', ' x ', '😀', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join(' ');
        const values = new Map([
          ['a', 'a long value'],
          ['bb', ''],
          ['ccc', 'c'],
        ]);
        const { sql, originOf } = succeeded(renderMacros(sqlText(text), scopeOf(values)));
        const isCopied = (at: number): boolean => sql[at] === 'x' || sql[at] === '\n';
        for (let at = 0; at < sql.length; at++) if (isCopied(at)) expect(text[originOf(at)]).toBe(sql[at]);
      }),
    );
  });

  test('lead every position within a value back to the variable', () => {
    const { sql, originOf } = succeeded(
      renderMacros(sqlText('SELECT @a, wrong'), scopeOf(new Map([['a', 'TIMESTAMP']]))),
    );
    expect([
      originOf(sql.indexOf('TIMESTAMP')),
      originOf(sql.indexOf('STAMP')),
      originOf(sql.indexOf('wrong')),
    ]).toEqual([7, 7, 11]);
  });
});

describe('time variables', () => {
  const values = timeVariables(between('2024-01-01', '2024-01-03'), utc('2024-01-10 12:30'));
  const database = useDatabase();

  test.each([
    ['start_ds', "'2024-01-01'"],
    ['end_ds', "'2024-01-02'"],
    ['start_date', "DATE '2024-01-01'"],
    ['end_date', "DATE '2024-01-02'"],
    ['start_ts', "'2024-01-01 00:00:00'"],
    ['end_ts', "'2024-01-02 23:59:59.999999'"],
    ['start_dt', "TIMESTAMPTZ '2024-01-01 00:00:00+00:00'"],
    ['end_dt', "TIMESTAMPTZ '2024-01-02 23:59:59.999999+00:00'"],
    ['end_dtntz', "TIMESTAMP '2024-01-02 23:59:59.999999'"],
    ['end_tstz', "'2024-01-02 23:59:59.999999+00:00'"],
    ['start_epoch', '1704067200'],
    ['start_millis', '1704067200000'],
    ['end_millis', '1704239999999'],
    ['start_hour', '0'],
    ['end_hour', '23'],
    ['execution_ts', "'2024-01-10 12:30:00'"],
    ['execution_hour', '12'],
    ['latest_ds', "'2024-01-10'"],
  ])('@%s is %s: the end is the last moment inside', (name, expected) => {
    expect(values.get(name)).toBe(expected);
  });

  test('each is an expression that DuckDB takes', async () => {
    const row = [...values].map(([name, sql]) => `${sql} AS ${name}`).join(', ');
    expect(Object.keys((await database().rows(`SELECT ${row}`))[0] ?? {})).toEqual([...values.keys()]);
  });

  test('between the start and the end lie the rows of the interval and no others', async () => {
    const found = await database().rows(
      `SELECT count(*) AS n, min(ts)::VARCHAR AS first, max(ts)::VARCHAR AS last
       FROM (SELECT TIMESTAMP '2023-12-31' + INTERVAL (i) HOUR AS ts FROM range(96) AS r(i)) WHERE ts BETWEEN ${values.get('start_ts')} AND ${values.get('end_ts')}`,
    );
    expect(found).toEqual([{ n: '48', first: '2024-01-01 00:00:00', last: '2024-01-02 23:00:00' }]);
  });
});

test('variables of the configuration are SQL: text is quoted, numbers and booleans are not', () => {
  expect([...configVariables({ Who: "O'Hara", n: 3, on: true })]).toEqual([
    ['who', "'O''Hara'"],
    ['n', '3'],
    ['on', 'true'],
  ]);
});

test('a list argument stands in parentheses', () => {
  expect([...argumentVariables({ columns: ['a', 'b'], threshold: '10' })]).toEqual([
    ['columns', '(a, b)'],
    ['threshold', '10'],
  ]);
});
