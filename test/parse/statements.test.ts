import { describe, expect, test } from 'vitest';
import { splitStatements } from '../../src/parse/statements.js';
import { inShort, textFile } from '../support/project-text.js';

const cut = (text: string): readonly string[] =>
  splitStatements(textFile(text)).statements.map((statement) =>
    statement.type === 'sql'
      ? `${statement.keyword}|${statement.sql.text}`
      : `${statement.name}(${statement.properties.length})`,
  );
const problems = (text: string): readonly string[] => splitStatements(textFile(text)).errors.map(inShort);

describe('a file is cut', () => {
  test('into header blocks and statements, at semicolons', () => {
    expect(cut('MODEL (name a.b, kind FULL);\nSET x = 1;\nselect 1')).toEqual([
      'MODEL(2)',
      'SET|SET x = 1',
      'SELECT|select 1',
    ]);
  });

  test('not at semicolons in strings, names and comments', () => {
    expect(cut(`SELECT ';' AS "a;b" -- ;\n, 1 /* ; */ AS c;`)).toEqual([
      `SELECT|SELECT ';' AS "a;b" -- ;\n, 1 /* ; */ AS c`,
    ]);
  });

  test('without empty statements', () => {
    expect(cut(';; SELECT 1;;\n-- nothing\n;')).toEqual(['SELECT|SELECT 1']);
  });

  test('so that a statement keeps its text and its place', () => {
    const text = '\n  -- why\n  SELECT 1 ; SELECT 2';
    const [, second] = splitStatements(textFile(text)).statements;
    expect(second?.type === 'sql' && text.slice(second.sql.span.start, second.sql.span.end)).toBe('SELECT 2');
  });

  test('with a trailing comma in a header allowed', () => {
    expect(cut('MODEL (name a.b,);')).toEqual(['MODEL(1)']);
  });

  test('with a column called model still a column', () => {
    expect(cut('SELECT model FROM t')).toEqual(['SELECT|SELECT model FROM t']);
  });
});

describe('a header block that', () => {
  test('is never closed is reported at its parenthesis', () => {
    expect(problems('MODEL (\n  name a.b\n;\nSELECT 1')).toEqual([
      '1:7+1 SL0102 the parenthesis that opens the MODEL block is never closed',
    ]);
  });

  test('lacks its semicolon is reported at the next word', () => {
    expect(problems('MODEL (name a.b)\nSELECT 1')).toEqual(['2:1+6 SL0102 unexpected SELECT after the MODEL block']);
  });

  test('holds a string without an end is reported at the string', () => {
    expect(problems("MODEL (name a.b, owner 'me);\nSELECT 1")).toContain('1:24+1 SL0101 this string is never closed');
  });
});
