import { describe, expect, test } from 'vitest';
import { globBase, globMatcher, globPrefix, isGlob } from '../../src/ingest/glob.js';

describe('a pattern', () => {
  test.each([
    ['*.csv', ['a.csv', 'b.c.csv'], ['a.csvx', 'x/a.csv', '.hidden.csv', 'acsv']],
    [
      'data/**/part-?.parquet',
      ['data/part-1.parquet', 'data/a/b/part-é.parquet'],
      ['data/part-10.parquet', 'part-1.parquet', 'data/.a/part-1.parquet'],
    ],
    ['{a,b}/*.{csv,tsv.gz}', ['a/x.csv', 'b/y.tsv.gz'], ['c/x.csv', 'a/x.tsv']],
    ['a/**', ['a/x', 'a/b/c'], ['a', 'b/x', 'a/.x']],
    ['{*,x/*}.csv', ['a.csv', 'x/a.csv'], ['y/a.csv']],
    ['year=*/[1]+(2).csv', ['year=2024/[1]+(2).csv'], ['year=2024/1+(2).csv']],
    ['a**b', ['ab', 'axxb'], ['a/b']],
    ['.x/*', ['.x/a'], ['x/a']],
    ['a{', ['a{'], ['a']],
  ])('%s means what a shell would mean', (pattern, meant, others) => {
    const means = globMatcher(pattern);
    expect(meant.filter((name) => !means(name))).toEqual([]);
    expect(others.filter(means)).toEqual([]);
  });

  test('is told from a plain path, and its plain beginning from the rest', () => {
    expect(['a/b.csv', 'a[1].csv', '{a}', 'a*', 'b?', '{a,b}'].map(isGlob)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(globBase('a/b/c-*.csv')).toBe('a/b/');
    expect(globPrefix('a/b/c-*.csv')).toBe('a/b/c-');
    expect(globBase('*.csv')).toBe('');
  });
});
