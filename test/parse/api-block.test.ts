import { describe, expect, test } from 'vitest';
import { compareCursors, cursorBefore } from '../../src/domain/api/cursor-value.js';
import { parseJsonPath, pathText } from '../../src/domain/api/json-path.js';
import { linkOf } from '../../src/domain/api/web-link.js';
import type { Source } from '../../src/domain/model.js';
import { parseSourceFile } from '../../src/parse/source-file.js';
import { errorsOf, inShort, succeeded, textFile } from '../support/project-text.js';

const parsed = (properties: string) => parseSourceFile(textFile(`SOURCE (name a, ${properties});`, 'sources/s.sql'));
const source = (properties: string): Source | undefined => succeeded(parsed(properties))[0];
const api = (block: string) => source(`uri 'https://h/x', api (${block})`)?.api;
const problems = (block: string): readonly string[] =>
  errorsOf(parsed(`uri 'https://h/x', api (${block})`)).map(
    (one) => inShort(one).replace(/^\S+ /, '') + (one.hint === undefined ? '' : ` | ${one.hint}`),
  );

describe('an api block', () => {
  test('says where records are, and how they are asked for', () => {
    expect(
      api(`records 'results.items', params (status 'public', per_page 100, tag a, tag b), headers (Accept 'application/json', 'X-Kind' 1),
        paginator (type page, param p, start 1, total_path 'total_pages', stop_after_empty true),
        auth (type bearer, token '@env(STUDIES_TOKEN)'),
        incremental (cursor 'meta.updated_at', param since, initial '2024-01-01', lag '1 day', on_missing include), max_pages 1000`),
    ).toMatchObject({
      records: ['results', 'items'],
      params: [
        ['status', 'public'],
        ['per_page', '100'],
        ['tag', 'a'],
        ['tag', 'b'],
      ],
      headers: { accept: 'application/json', 'x-kind': '1' },
      paginator: { first: { p: '1' } },
      auth: { variables: ['STUDIES_TOKEN'] },
      incremental: {
        cursor: ['meta', 'updated_at'],
        param: 'since',
        initial: { type: 'text', text: '2024-01-01' },
        lag: '1 day',
        onMissing: 'include',
      },
      maxPages: 1000,
    });
    expect(api('incremental (cursor id, initial 100, lag 5)')?.incremental?.initial).toEqual({
      type: 'number',
      text: '100',
    });
    expect(api('')).toMatchObject({ params: [], headers: {} });
  });

  test('is known by what decides its records, not by credentials, limits and lags', () => {
    const key = api(
      "params (a 1), incremental (cursor id, lag 1), max_pages 2, auth (type bearer, token '@env(A)')",
    )?.key;
    expect(
      api("max_pages 3, incremental (lag 2, cursor id), params (a  1), auth (type bearer, token '@env(B)')")?.key,
    ).toBe(key);
    expect(api('params (a 2), incremental (cursor id)')?.key).not.toBe(key);
    expect(api('params (a 1), incremental (cursor no)')?.key).not.toBe(key);
  });

  test('tells all that is wrong with it in one go', () => {
    expect(
      problems(
        "record 'x', paginator (type page, parm 'p'), auth (type barer, token 'x'), incremental (cursor 'a.*', on_missing rais)",
      ),
    ).toEqual([
      'SL0103 unknown property "parm" in paginator page | did you mean "param"?',
      'SL0105 there is no auth barer | did you mean "bearer"?',
      `SL0105 "cursor" is the path of one place in the answer, not a.* | write 'results.items', 'data[0].items' or 'a[''odd.key'']'`,
      'SL0105 "on_missing" is one of raise, include, exclude, not rais | did you mean "raise"?',
      'SL0103 unknown property "record" in api | did you mean "records"?',
    ]);
  });

  test.each([
    ['paginator pages', 'SL0105 there is no paginator pages | did you mean "page"?'],
    ['paginator (param p)', ''],
    ['paginator (type offset)', 'SL0104 paginator offset needs "limit" | say how many records a page has: limit 100'],
    [
      'paginator cursor',
      'SL0104 the paginator cursor needs "path" or "header" | path \'meta.next_cursor\', or header \'x-next-page\'',
    ],
    [
      'paginator (type page, stop_after_empty false)',
      'SL0105 nothing ends these pages | give total_path, has_more_path or maximum, or leave stop_after_empty as it is',
    ],
    ['auth (token x)', 'SL0104 auth needs "type" | it is one of bearer, api_key, basic, oauth2_client_credentials'],
    [
      "incremental (cursor x, initial '2024-01-01', lag 5)",
      'SL0105 "lag" is a time span before a date, or a number before a number, not 5 | write lag \'1 day\', or lag 100 where the cursor is a number',
    ],
    ['incremental (param x)', 'SL0104 incremental needs "cursor" | name the value that grows: cursor \'updated_at\''],
  ])('is wrong where it says %s', (block, expected) => {
    expect(problems(block)[0]).toBe(
      expected === '' ? 'SL0103 unknown property "param" in paginator auto | known are type' : expected,
    );
  });

  test.each([
    ["auth (type bearer, token 'abc-very-secret')", /"token" is a secret, and is written down here/],
    ['auth (type api_key, key very-secret)', /"key" is a secret/],
    ["auth (type basic, username me, password 'very-secret')", /"password" is a secret/],
    ["headers (Authorization 'Bearer very-secret')", /"Authorization" is a secret: credentials are given by "auth"/],
    ["params (api_key 'very-secret')", /"api_key" is a secret/],
    ["params (q '@env(KEY)')", /"q" is a secret/],
  ])('holds no secret: %s', (block, expected) => {
    const found = errorsOf(parsed(`uri 'https://h/x', nonsense 1, api (${block})`));
    expect(found[0]?.message).toMatch(expected);
    // Not in the line that is shown below the message either, nor below that of another error in that line.
    expect(found).toHaveLength(2);
    expect(JSON.stringify(found)).not.toContain('very-secret');
  });

  test('has an address without a secret, and one of the web', () => {
    const [found] = errorsOf(parsed("uri 'https://h/x?a=1&api_key=very-secret', api ()"));
    expect(found?.message).toMatch(/holds a secret in its parameter api_key/);
    expect(JSON.stringify(found)).not.toContain('very-secret');
    expect(api("params (page_token 'x')")?.params).toEqual([['page_token', 'x']]);
    expect(errorsOf(parsed("uri 's3://b/x', api ()"))[0]?.message).toMatch(/has an http or https address/);
  });
});

test('what came the last time is taken for a day where it is made, and not at all where it is a file', () => {
  const refreshOf = (properties: string) => source(properties)?.refresh;
  expect(refreshOf("uri 'x.csv'")).toBe('always');
  expect(refreshOf("uri 'https://h/x'")).toBe('always');
  expect(refreshOf("uri 'https://h/x', api ()")).toEqual({ afterMs: 86_400_000 });
  expect(refreshOf("uri 'command:python3 x.py'")).toEqual({ afterMs: 86_400_000 });
  expect(refreshOf("uri 'x', refresh '2 hours'")).toEqual({ afterMs: 7_200_000 });
  expect(refreshOf("uri 'x', refresh never")).toBe('never');
  expect(errorsOf(parsed("uri 'x', refresh daily")).map(inShort)).toEqual([
    '1:34+5 SL0105 "refresh" is always, never or a time span, not daily',
  ]);
  expect(source("uri 'command:x', timeout '1 hour'")?.timeoutMs).toBe(3_600_000);
  expect(errorsOf(parsed("uri 'x', timeout '1 hour'")).map(inShort)).toEqual([
    '1:34+8 SL0105 "timeout" is for programs',
  ]);
});

test.each([
  ['results.items', ['results', 'items']],
  ['$', []],
  ['$.a[0].b', ['a', 0, 'b']],
  ["['a.b'].c", ['a.b', 'c']],
  ['@odata.nextLink', ['@odata', 'nextLink']],
  ['a.*', undefined],
  ['a..b', undefined],
  ['', undefined],
  ['a[?(@.b)]', undefined],
  ['$schema', ['$schema']],
])('the path %s', (text, path) => {
  expect(parseJsonPath(text)).toEqual(path);
  if (path !== undefined) expect(parseJsonPath(pathText(path))).toEqual(path);
});

test.each([
  ['10', '9', 1],
  ['12345678901234567891', '12345678901234567890', 1],
  ['1.5', '1.50', 0],
  ['-2', '1e-3', -1],
  ['2024-01-02', '2024-01-01T23:59:59Z', 1],
  ['2024-01-01T12:00:00+02:00', '2024-01-01T10:00:00Z', 0],
  ['2024-01-01 10:00:00.123456', '2024-01-01T10:00:00.1234560Z', 0],
  ['2024-01-01T10:00:00.123457Z', '2024-01-01T10:00:00.123456Z', 1],
  ['b', 'a', 1],
  ['2024-01-01', 'x', -1],
])('the texts %s and %s come in the right order', (a, b, order) => {
  const text = (value: string) => ({ type: 'text', text: value }) as const;
  expect(Math.sign(compareCursors(text(a), text(b)) ?? 9)).toBe(order);
  expect(Math.sign(compareCursors(text(b), text(a)) ?? 9)).toBe(order === 0 ? 0 : -order);
});

test('a number and a date have no order', () => {
  expect(compareCursors({ type: 'number', text: '5' }, { type: 'text', text: '2024-01-01' })).toBeUndefined();
});

test.each([
  ['2024-03-01', '1 day', '2024-02-29'],
  ['2024-03-01', '12 hours', '2024-02-29'],
  ['2024-03-01T00:30:00.123+02:00', '1 hour', '2024-02-29T23:30:00.123+02:00'],
  ['2024-03-01 00:30', '1 hour', '2024-02-29 23:30'],
  ['100000000000000000000', '1', '99999999999999999999'],
  ['0.5', '1.25', '-0.75'],
  ['abc', '1 day', undefined],
  ['5', '1 day', undefined],
])('before %s by %s lies %s', (cursor, lag, before) => {
  expect(cursorBefore({ type: 'text', text: cursor }, lag)?.text).toBe(before);
});

test.each([
  ['<https://h/a?b=1,2>; rel=next', 'https://h/a?b=1,2'],
  ['<a>; rel="prev", <b>; title="x, \\"<c>; rel=next"; REL="Last NEXT"', 'b'],
  ['<a>; rel=prev; rel=next', undefined],
  ['<a>', undefined],
  ['nonsense', undefined],
  ['', undefined],
])('the header %s leads to %s', (header, next) => {
  expect(linkOf(header, 'next')).toBe(next);
});
