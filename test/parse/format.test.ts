import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadSqlPrinter } from '../../src/effects/sql-printer.js';
import { formatFile } from '../../src/parse/format/file.js';
import { difference, type SqlPrinter } from '../../src/parse/format/statement.js';
import { tokenize } from '../../src/parse/tokenizer.js';
import { lineageCases, semanticDiffCases } from '../lineage/cases.js';

let print: SqlPrinter;
beforeAll(async () => {
  print = await loadSqlPrinter();
});

function formatted(text: string): string {
  const result = formatFile({ path: 'models/a.sql', text }, print);
  if (!result.ok) throw new Error(result.errors.map((error) => error.message).join('\n'));
  return result.value;
}

const queries = [
  ...lineageCases.map(({ name, sql }) => ({ name, sql })),
  ...semanticDiffCases.flatMap((one) => [
    { name: `${one.name}, before`, sql: one.old },
    { name: `${one.name}, after`, sql: one.new },
  ]),
];

describe('header blocks', () => {
  test('have one property on each line, with blanks as in SQLMesh', () => {
    expect(formatted('model(NAME s.a,kind   FULL , tags(x,y), grain a,);\nselect 1 as a')).toBe(
      'MODEL (\n  name s.a,\n  kind FULL,\n  tags (x, y),\n  grain a\n);\n\nSELECT\n  1 AS a;\n',
    );
  });

  test('break a list of several calls, and one that is too long', () => {
    const text = formatted(
      `MODEL (name s.a, audits (not_null(columns:=(a)), number_of_rows(threshold := 1)), columns (${'abcdefghij INT, '.repeat(8)}z INT));\nSELECT 1 AS a`,
    );
    expect(text).toContain(
      '  audits (\n    not_null(columns := (a)),\n    number_of_rows(threshold := 1)\n  ),\n  columns (\n    abcdefghij INT,\n',
    );
  });

  test('keep every comment where it belongs, and put those behind properties under each other', () => {
    const text = formatted(
      '-- top\n\nMODEL (\nname s.a, -- the name\n  -- about the kind\nkind FULL -- rebuilt\n , owner x -- who\n -- nothing follows\n); -- behind\nSELECT 1 AS a',
    );
    expect(text).toBe(
      '-- top\n\nMODEL (\n  name s.a,  -- the name\n  -- about the kind\n  kind FULL, -- rebuilt\n  owner x    -- who\n  -- nothing follows\n); -- behind\n\nSELECT\n  1 AS a;\n',
    );
  });

  test('leave a property with comments inside as its author laid it out', () => {
    const property = 'audits (\n      not_null(columns := (a)), -- always\n        assert_x\n  )';
    expect(formatted(`MODEL (name s.a, ${property});\nSELECT 1 AS a`)).toContain(`\n  ${property}\n);`);
  });
});

describe('statements', () => {
  test('keep calls of functions that the printer does not know', () => {
    const text = formatted(
      'MODEL (name s.a);\nSELECT lead(a) OVER (ORDER BY a) AS b, my_own(a, count (*)) AS c FROM t WHERE a IN(1)',
    );
    expect(text).toContain('  lead(a) OVER');
    expect(text).toContain('my_own(a, count(*))');
    expect(text).toContain('a IN (1)');
  });

  test('have reserved words in upper case, and names as they were', () => {
    expect(
      formatted(
        'select Value, x.select, t.order as Limit, left(s, 2) as l from t left join u using (a) where a is not null',
      ),
    ).toBe(
      'SELECT\n  Value,\n  x.select,\n  t.order AS Limit,\n  left(s, 2) AS l\nFROM\n  t\n  LEFT JOIN u USING (a)\nWHERE\n  a IS NOT NULL;\n',
    );
  });

  test('keep macros letter by letter', () => {
    const macros = ["@STAR(s.t,   alias:='x')", '@{x}_y', 'raw_@{y}.z', "@'text  @x'", '@EACH(@cols,\n  c -> @c)'];
    const text = formatted(`select ${macros.join(', ')} from s.t where d between @start_ds and @end_ds`);
    for (const macro of macros) expect(text).toContain(macro);
    expect(text).toContain('d BETWEEN @start_ds AND @end_ds');
  });

  test('keep Jinja blocks letter by letter', () => {
    const block = "JINJA_QUERY_BEGIN;\n  select   {{ var('x') }} {% if a %},b{% endif %}\nJINJA_END;";
    expect(formatted(`MODEL (name s.a);\n${block}`)).toBe(`MODEL (\n  name s.a\n);\n\n${block}\n`);
  });

  test('stay as they are, with a warning, where they cannot be read', () => {
    const result = formatFile({ path: 'models/a.sql', text: 'MODEL (name s.a);\nselect   #1 from t' }, print);
    expect(result).toMatchObject({ ok: true, warnings: [{ code: 'SL0130', location: { line: 2 } }] });
    expect(result.ok ? result.value : '').toContain('\nselect   #1 from t;\n');
  });

  test('put comments on columns under each other', () => {
    expect(formatted('SELECT a, -- one\n  long_name -- two\nFROM t')).toContain(
      '  a,        -- one\n  long_name -- two\n',
    );
  });

  test('a difference of one word or one comment is noticed', () => {
    expect(difference('SELECT a FROM t', 'SELECT A FROM t')).toBe('"a" would change');
    expect(difference('SELECT a /* x */ FROM t', 'SELECT a FROM t')).toBe('a comment would change');
    expect(difference('select a', 'SELECT  a')).toBeUndefined();
  });
});

describe('formatting', () => {
  test.each(queries)('twice is formatting once: $name', ({ sql }) => {
    const once = formatted(sql);
    expect(formatted(once)).toBe(once);
    expect(difference(sql, once.trim().replace(/;$/, ''))).toBeUndefined();
  });

  test('twice is formatting once, and no token and no comment is lost, whatever stands between the tokens', () => {
    const gap = fc.oneof(
      fc.constantFrom(' ', '  ', '\n', '\n\n', '\t'),
      fc.constantFrom(' -- a note\n', '\n-- on its own\n', ' /* in\n between */ ', ' /* one */\n'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...queries), fc.array(gap, { minLength: 1, maxLength: 12 }), ({ sql }, gaps) => {
        const { tokens } = tokenize(sql);
        const mangled = tokens
          .map((token, at) => {
            const touches = token.start === tokens[at - 1]?.end || at === 0;
            return `${touches ? '' : (gaps[at % gaps.length] ?? ' ')}${token.text}`;
          })
          .join('');
        const once = formatted(mangled);
        expect(formatted(once)).toBe(once);
        expect(difference(mangled, once.trim().replace(/;$/, ''))).toBeUndefined();
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
