import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../convert/support.js';
import { ApiDouble } from './api-double.js';
import { LandRig, linesOf } from './land-rig.js';

const root = temporaryFolder();
let server: ApiDouble;
let rig: LandRig;
beforeEach(async () => {
  server = await new ApiDouble().listen();
  server.records = [1, 2, 3, 4, 5].map((id) => `{"id": ${id}, "b": {"z": 1, "a": [1, 2]}}`);
  rig = new LandRig(root);
});
afterEach(() => server.close());

/** What lands of the five records. */
const lines = [1, 2, 3, 4, 5].map((id) => `{"id":${id},"b":{"z":1,"a":[1,2]}}`);
const api = (at: string, block = ''): string => `uri '${server.url(at)}', api (${block})`;

describe('pages', () => {
  test.each([
    ['one', '/single', '', 1],
    [
      'by number, to the total',
      '/page',
      "records 'results.items', paginator (type page, start 1, total_path 'total_pages')",
      3,
    ],
    ['by number, to an empty one', '/page', 'paginator (type page, start 1)', 4],
    ['by number, as far as there is more', '/more', "paginator (type page, param p, has_more_path 'more')", 3],
    ['by offset', '/offset', "paginator (type offset, limit 2, total_path 'total')", 3],
    ['by the header Link', '/header-link', 'paginator header_link', 3],
    ['by a link in the answer', '/json-link', "paginator (type json_link, path 'paging.next')", 3],
    ['by a mark in the answer', '/cursor', "paginator (type cursor, path 'meta.next')", 3],
    ['by a mark in a header', '/header-cursor', "paginator (type cursor, header 'X-Next', param token)", 3],
    ['by the header Link, without a word', '/header-link', '', 3],
    ['by a link in the answer, without a word', '/json-link', '', 3],
  ])('%s', async (_, at, block, pageCount) => {
    const landing = await rig.land(api(at, block));
    expect(linesOf(landing)).toEqual([lines]);
    expect(path.basename(landing.path)).toBe('studies.jsonl');
    expect(server.asked.length).toBe(pageCount);
  });

  test('end before the maximum', async () => {
    expect(linesOf(await rig.land(api('/page', 'paginator (type page, start 1, maximum 3)')))).toEqual([
      lines.slice(0, 4),
    ]);
    expect(server.queries('/page')).toEqual([{ page: '1' }, { page: '2' }]);
  });

  test('take the declared parameters along, and headers', async () => {
    server.on('/strict', ['status', 'per_page', 'tag', 'page'], () => ({ body: '[]' }));
    await rig.errors(
      api('/strict?tag=a', "params (status 'public', per_page 100), headers ('x-kind' 'b'), paginator (type page)"),
    );
    expect(server.asked[0]).toMatchObject({
      query: { tag: 'a', status: 'public', per_page: '100', page: '0' },
      headers: { 'x-kind': 'b', accept: 'application/json' },
    });
  });

  test('that are more than may be are an error', async () => {
    expect(await rig.error(api('/page', 'paginator (type page, start 1), max_pages 2'))).toMatch(
      /^SL0513 source "studies": there are more pages than max_pages 2/,
    );
  });

  test('that come again are an error, not an endless loop', async () => {
    server.on('/same', ['page'], () => ({ body: '[{"id":1}]' }));
    expect(await rig.error(api('/same', 'paginator page'))).toMatch(/SL0513 .*page 2 is the same as the one before it/);
    let count = 0;
    const counted = (): number => {
      count += 1;
      return count;
    };
    server.on('/circle', ['at'], () => ({ body: `{"items":[${counted()}],"next":"/circle?at=${count % 3}"}` }));
    expect(await rig.error(api('/circle'))).toMatch(
      /SL0513 .*page 4 names a page that has been asked for already: .*at=1/,
    );
    server.on('/mark', ['cursor'], () => ({ body: `{"items":[${counted()}],"mark":"x"}` }));
    expect(await rig.error(api('/mark', "paginator (type cursor, path 'mark')"))).toMatch(/asked for already/);
  });

  test('of which a short one would have records passed over are an error', async () => {
    server.on('/capped', ['offset', 'limit'], () => ({ body: `{"data":[1,2],"total":5}` }));
    expect(await rig.error(api('/capped', "paginator (type offset, limit 3, total_path 'total')"))).toMatch(
      /SL0513 .*has 2 records, and 3 were asked for/,
    );
  });

  test('are not taken for all where the answer says that there is more', async () => {
    expect(await rig.error(api('/page'))).toMatch(/SL0513 .*total_pages is 3/);
    server.on('/hinted', [], () => ({ body: '{"items":[1],"meta":{"has_more":true}}' }));
    expect(await rig.error(api('/hinted'))).toMatch(/SL0513 .*says that there is more \(meta\.has_more is true\)/);
    expect(linesOf(await rig.land(api('/hinted', 'paginator single')))).toEqual([['1']]);
  });

  test.each([
    ['{"a":[1],"b":{"c":[2]}}', '', /several lists: a, b\.c/],
    ['{"a":1}', '', /no list of records/],
    ['{"a":1}', "records 'b.c'", /nothing at b\.c; it has a/],
    ['{"a":1}', "records 'a'", /a single value at a/],
    ['<html>', '', /SL0506 .*is no JSON/],
    [
      '{"items":[],"total":"many"}',
      "paginator (type page, total_path 'total', stop_after_empty false)",
      /total_path leads to "many"/,
    ],
  ])('of another form than declared are an error: %s %s', async (body, block, expected) => {
    server.on('/odd', ['page'], () => ({ body }));
    expect(await rig.error(api('/odd', block))).toMatch(expected);
  });

  test('may end with an answer that says nothing', async () => {
    server.on('/silent', ['page'], ({ query }) =>
      query.page === '2' ? { status: 204, body: '' } : { body: `{"items":[${query.page}]}` },
    );
    expect(linesOf(await rig.land(api('/silent', 'paginator page')))).toEqual([['0', '1']]);
  });

  test('without records are an error', async () => {
    server.records = [];
    expect(await rig.error(api('/single'))).toMatch(/^SL0514 /);
  });
});

test('records keep their digits, keys and order', async () => {
  server.records = [
    '{"n": 12345678901234567890, "x": 1.10, "e": 1E400,\n "z": "a  \\"b\\" \\u00e9\\\\", "a": null}',
    '{"b":true}',
  ];
  expect(linesOf(await rig.land(api('/single')))).toEqual([
    ['{"n":12345678901234567890,"x":1.10,"e":1E400,"z":"a  \\"b\\" \\u00e9\\\\","a":null}', '{"b":true}'],
  ]);
});

test('equal answers make the same version', async () => {
  const first = await rig.land(api('/single'));
  expect(await rig.land(api('/single'), { ask: 'always' })).toEqual(first);
  server.records.push('{"id": 6}');
  expect(await rig.land(api('/single'), { ask: 'always' })).not.toEqual(first);
});

describe('a page that fails', () => {
  const paged = (): string => api('/page', "paginator (type page, start 1, total_path 'total_pages')");

  test('is asked for again alone, after as long as the server says', async () => {
    server.on('/page', ['page'], ({ query }) => {
      // The second page, once it is asked for, is refused twice and cut once.
      if (query.page === '1')
        server.faults.push(
          { type: 'status', status: 429, headers: { 'retry-after': '7' } },
          { type: 'status', status: 503, headers: { 'retry-after': new Date(rig.now.getTime() + 9000).toUTCString() } },
          { type: 'cut' },
        );
      return { body: `{"items":[{"id":${query.page}}],"total_pages":3}` };
    });
    expect(linesOf(await rig.land(paged()))).toEqual([['{"id":1}', '{"id":2}', '{"id":3}']]);
    expect(server.queries('/page').map(({ page }) => page)).toEqual(['1', '2', '2', '2', '2', '3']);
    expect(rig.waits.slice(0, 2)).toEqual([7000, 9000]);
    expect(rig.waits[2]).toBeGreaterThan(500);
  });

  test('for ever leaves what came the last time, with a warning', async () => {
    const properties = paged();
    const first = await rig.land(properties);
    await server.close();
    expect(await rig.land(properties, { ask: 'always' })).toMatchObject({ sha256: first.sha256 });
    const fresh = new LandRig(root);
    expect(await fresh.error(properties)).toMatch(/^SL0507 .*nothing listens there at .*page=1/);
  });

  test('with a reason says it', async () => {
    expect(await rig.error(api('/single', 'params (nonsense 1)'))).toMatch(
      /SL0506 .*the server answers 400 \(\{"error": "there is no parameter nonsense"\}\)/,
    );
  });
});

describe('credentials', () => {
  const SECRET = 's3cret+with/odd=chars';
  const guarded = (
    isRight: (asked: { headers: Record<string, unknown>; query: Record<string, string> }) => boolean,
    params: readonly string[] = [],
  ) =>
    server.on('/guarded', params, (asked) =>
      isRight(asked)
        ? { body: '[{"id":1}]' }
        : {
            status: 401,
            body: `{"error":"you sent ${JSON.stringify(asked.query)} ${String(asked.headers.authorization)}"}`,
          },
    );
  const nowhere = (...texts: readonly string[]): void => {
    for (const text of [rig.kept(), ...texts]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(encodeURIComponent(SECRET));
      expect(text).not.toContain(Buffer.from(`me:${SECRET}`).toString('base64'));
    }
  };
  beforeEach(() => {
    rig.environment = { TOKEN: SECRET };
  });

  test('a token is sent, and kept nowhere', async () => {
    guarded(({ headers }) => headers.authorization === `Bearer ${SECRET}`);
    expect(linesOf(await rig.land(api('/guarded', "auth (type bearer, token '@env(TOKEN)')")))).toEqual([['{"id":1}']]);
    nowhere();
  });

  test('a key goes into a header or the query, and is kept nowhere', async () => {
    guarded(({ headers }) => headers['x-key'] === SECRET);
    await rig.land(api('/guarded', "auth (type api_key, name 'X-Key', key '@env(TOKEN)')"));
    guarded(({ query }) => query.key === SECRET, ['key']);
    const block = "auth (type api_key, location query, name 'key', key @env(TOKEN))";
    await rig.land(api('/guarded', block));
    rig.environment = { TOKEN: `${SECRET}-wrong` };
    const refused = await rig.errors(api('/guarded?', block));
    expect(refused[0]).toMatchObject({ code: 'SL0506', message: expect.stringMatching(/answers 401 .*\*\*\*/) });
    nowhere(JSON.stringify(refused));
  });

  test('a user and a password', async () => {
    guarded(({ headers }) => headers.authorization === `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`);
    await rig.land(api('/guarded', "auth (type basic, username 'me', password '@env(TOKEN)')"));
    rig.environment = { TOKEN: `${SECRET}x` };
    const refused = await rig.errors(api('/guarded?', "auth (type basic, username 'me', password '@env(TOKEN)')"));
    nowhere(JSON.stringify(refused));
  });

  test('that are not set are named, all at once', async () => {
    const errors = await rig.errors(api('/x', "auth (type basic, username '@env(NOBODY)', password '@env(NOTHING)')"));
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'SL0512 source "studies": the variable NOBODY is not set',
      'SL0512 source "studies": the variable NOTHING is not set',
    ]);
  });

  describe('of a client', () => {
    let given = 0;
    let lasts = 3600;
    const block = (): string =>
      `paginator (type page, start 1, total_path 'total_pages'), auth (type oauth2_client_credentials, token_url '${server.url('/token')}', client_id 'me', client_secret '@env(TOKEN)', scope 'read')`;
    beforeEach(() => {
      given = 0;
      lasts = 3600;
      server.on('/token', [], ({ method, body }) => {
        const form = new URLSearchParams(body);
        const isRight =
          method === 'POST' &&
          form.get('grant_type') === 'client_credentials' &&
          form.get('client_id') === 'me' &&
          form.get('client_secret') === SECRET &&
          form.get('scope') === 'read';
        if (!isRight) return { status: 401, body: `{"error":"invalid_client","error_description":"not ${body}"}` };
        given += 1;
        return { body: `{"access_token":"granted-${given}","expires_in":${lasts}}` };
      });
      server.on('/page', ['page'], ({ headers, query }) =>
        headers.authorization === `Bearer granted-${given}`
          ? { body: `{"items":[{"id":${query.page}}],"total_pages":3}` }
          : { status: 401, body: '{}' },
      );
    });

    test('bring a token once', async () => {
      expect(linesOf(await rig.land(api('/page', block())))).toEqual([['{"id":1}', '{"id":2}', '{"id":3}']]);
      expect(given).toBe(1);
      nowhere();
      expect(rig.kept()).not.toContain('granted-');
    });

    test('bring another one before its time is over', async () => {
      lasts = 100;
      server.on('/page', ['page'], ({ headers, query }) => {
        if (headers.authorization !== `Bearer granted-${given}`) return { status: 401, body: '{}' };
        if (query.page === '1') rig.now = new Date(rig.now.getTime() + 95_000);
        return { body: `{"items":[{"id":${query.page}}],"total_pages":3}` };
      });
      await rig.land(api('/page', block()));
      expect(server.asked.filter(({ headers }) => headers.authorization === 'Bearer granted-1')).toHaveLength(1);
      expect(given).toBe(2);
    });

    test('bring another one where it is taken back, once', async () => {
      let isTaken = false;
      server.on('/page', ['page'], ({ headers, query }) => {
        if (query.page === '2' && !isTaken) {
          isTaken = true;
          return { status: 401, body: '{}' };
        }
        return headers.authorization === `Bearer granted-${given}`
          ? { body: `{"items":[${query.page}],"total_pages":3}` }
          : { status: 401, body: '' };
      });
      expect(linesOf(await rig.land(api('/page', block())))).toEqual([['1', '2', '3']]);
      expect(given).toBe(2);
      // The server of the tokens, too, may be busy: that is waited for.
      server.on('/page', ['page'], () => {
        if (given === 3) server.faults.push({ type: 'status', status: 503 });
        return { status: 401, body: '{}' };
      });
      expect(await rig.error(api('/page?', block()))).toMatch(/SL0506 .*answers 401/);
      expect(given).toBe(4);
    });

    test('that are refused are told, without the secret', async () => {
      rig.environment = { TOKEN: `${SECRET}-wrong` };
      const refused = await rig.errors(api('/page', block()));
      expect(refused[0]?.message).toMatch(/the server of the token answers 401 and gives no token: not .*\*\*\*/);
      nowhere(JSON.stringify(refused));
    });
  });

  describe('stay with their host', () => {
    let other: ApiDouble;
    beforeEach(async () => {
      other = await new ApiDouble().listen();
      other.on('/rest', ['key', 'page'], () => ({ body: '{"items":[{"id":2}]}' }));
    });
    afterEach(() => other.close());
    const auths = [
      ['bearer', "auth (type bearer, token '@env(TOKEN)')"],
      ['a key in a header', "auth (type api_key, name 'X-Key', key '@env(TOKEN)')"],
      ['a key in the query', "auth (type api_key, location query, name 'key', key '@env(TOKEN)')"],
    ] as const;

    test.each(auths)('where the next page is elsewhere: %s', async (_, block) => {
      server.on('/start', ['key'], () => ({ body: `{"items":[{"id":1}],"next":"${other.url('/rest?page=2')}"}` }));
      expect(linesOf(await rig.land(api('/start', `${block}, headers ('x-tenant' 'lab')`)))).toEqual([
        ['{"id":1}', '{"id":2}'],
      ]);
      expect(other.asked).toHaveLength(1);
      expect(JSON.stringify(other.asked)).not.toContain(SECRET);
      expect(JSON.stringify(other.asked)).not.toContain(encodeURIComponent(SECRET));
      expect(other.asked[0]?.headers).not.toHaveProperty('x-tenant');
      nowhere();
    });

    test.each(auths)('where the server sends us elsewhere, with what we gave it: %s', async (_, block) => {
      server.on('/start', ['key'], ({ query }) => ({
        status: 302,
        headers: {
          location: other.url(`/rest?page=1${query.key === undefined ? '' : `&key=${encodeURIComponent(query.key)}`}`),
        },
        body: '',
      }));
      expect(linesOf(await rig.land(api('/start', block)))).toEqual([['{"id":2}']]);
      expect(JSON.stringify(other.asked)).not.toContain(SECRET);
      nowhere();
    });

    test('where the next address has them in it under another name, nothing is sent', async () => {
      server.on('/start', [], () => ({
        body: `{"items":[1],"next":"${other.url(`/rest?page=${encodeURIComponent(SECRET)}`)}"}`,
      }));
      const refused = await rig.errors(api('/start', "auth (type bearer, token '@env(TOKEN)')"));
      expect(refused[0]?.message).toMatch(/leads to another host, with the credentials in it/);
      expect(other.asked).toEqual([]);
      nowhere(JSON.stringify(refused));
    });

    test('and go along where it sends us on within itself', async () => {
      server.on('/start', ['key'], () => ({ status: 307, headers: { location: '/moved' }, body: '' }));
      server.on('/moved', ['key'], ({ query }) => (query.key === SECRET ? { body: '[1]' } : { status: 401, body: '' }));
      expect(
        linesOf(await rig.land(api('/start', "auth (type api_key, location query, name 'key', key '@env(TOKEN)')"))),
      ).toEqual([['1']]);
    });
  });
});

describe('what is new only', () => {
  const since = (more = ''): string =>
    api(
      '/since',
      `paginator (type page, start 1), incremental (cursor 'at', param 'since', initial '2024-01-01'${more})`,
    );
  const asking = { ask: 'always' } as const;

  test('is added in files of its own, and what came already is left out', async () => {
    server.records = ['{"at":"2023-12-31","id":0}', '{"at":"2024-01-02","id":1}', '{"at":"2024-01-03","id":2}'];
    const first = await rig.land(since());
    expect(linesOf(first)).toEqual([['{"at":"2024-01-02","id":1}', '{"at":"2024-01-03","id":2}']]);
    // Of the same day as the last one: one that is here, one that has changed, one that is new.
    server.records.push('{"at":"2024-01-03","id":3}', '{"at":"2024-01-05","id":4}');
    const second = await rig.land(since(), asking);
    expect(linesOf(second)).toEqual([...linesOf(first), ['{"at":"2024-01-03","id":3}', '{"at":"2024-01-05","id":4}']]);
    expect(await rig.land(since(), asking)).toEqual(second);
    server.records.push('{"at":"2024-01-06","id":5}');
    expect(linesOf(await rig.land(since(), asking))).toHaveLength(3);
    const asked = server.queries('/since').filter(({ page }) => page === '1');
    expect(asked.map((query) => query.since)).toEqual(['2024-01-01', '2024-01-03', '2024-01-05', '2024-01-05']);
    // The set of the first time is what it was.
    expect(linesOf(first)).toHaveLength(1);
  });

  test('is asked for with a lag, and late records come', async () => {
    server.records = ['{"at":"2024-01-05T10:00:00Z","id":1}'];
    await rig.land(since(", lag '2 days'"));
    server.records.push('{"at":"2024-01-04T09:00:00Z","id":2}', '{"at":"2024-01-01T00:00:00Z","id":3}');
    const second = await rig.land(since(", lag '2 days'"), asking);
    expect(linesOf(second)).toEqual([
      ['{"at":"2024-01-05T10:00:00Z","id":1}'],
      ['{"at":"2024-01-04T09:00:00Z","id":2}'],
    ]);
    expect(server.queries('/since').at(-1)?.since).toBe('2024-01-03T10:00:00Z');
    // A late record does not pull the cursor back, and another lag asks no new question.
    await rig.land(since(", lag '1 hour'"), asking);
    expect(server.queries('/since').at(-1)?.since).toBe('2024-01-05T09:00:00Z');
  });

  test('is known by numbers of any length', async () => {
    const numbers = api('/all', "incremental (cursor 'n', param 'after', lag 1)");
    server.on('/all', ['after'], () => ({ body: `[${server.records.join(',')}]` }));
    server.records = ['{"n":9}', '{"n":100000000000000000001}', '{"n":100000000000000000000}'];
    await rig.land(numbers);
    expect(server.queries('/all')).toEqual([{}]);
    server.records.push('{"n":100000000000000000002}', '{"n":10}');
    // The interface gives everything again: the old is left out.
    expect(linesOf(await rig.land(numbers, asking))[1]).toEqual(['{"n":100000000000000000002}']);
    expect(server.queries('/all').at(-1)).toEqual({ after: '100000000000000000000' });
  });

  test.each([
    ['', /SL0515 .*a record has no at: \{"id":1\}/],
    [', on_missing exclude', [['{"at":"2024-02-01"}']]],
    [', on_missing include', [['{"id":1}', '{"at":"2024-02-01"}']]],
  ])('says what becomes of records without the cursor%s', async (more, expected) => {
    server.on('/since', ['since', 'page'], ({ query }) => ({
      body: query.page === '1' ? '[{"id":1},{"at":"2024-02-01"}]' : '[]',
    }));
    if (expected instanceof RegExp) expect(await rig.error(since(more))).toMatch(expected);
    else {
      expect(linesOf(await rig.land(since(more)))).toEqual(expected);
      expect(linesOf(await rig.land(since(more), asking))).toEqual(expected);
    }
  });

  test('cannot be known where cursors have no order', async () => {
    server.on('/since', ['since', 'page'], () => ({ body: '[{"at":5}]' }));
    expect(await rig.error(since())).toMatch(/SL0515 .*of the cursors 5 and 2024-01-01 none comes first/);
  });

  test('that breaks half-way changes nothing', async () => {
    server.records = ['{"at":"2024-01-02"}'];
    const first = await rig.land(since());
    server.records.push('{"at":"2024-01-03"}', '{"at":"2024-01-04"}', '{"at":["2024-02-01"]}');
    expect(await rig.error(`${since()}, refresh always`)).toMatch(/SL0515/);
    server.records.pop();
    const second = await rig.land(since(), asking);
    expect(linesOf(second)).toEqual([...linesOf(first), ['{"at":"2024-01-03"}', '{"at":"2024-01-04"}']]);
  });

  test('begins anew where one of its files is gone', async () => {
    server.records = ['{"at":"2024-01-02"}'];
    const { path: at } = await rig.land(since());
    server.records.push('{"at":"2024-01-03"}');
    const { rmSync } = await import('node:fs');
    rmSync(path.join(rig.folder, '.scilake/raw/sha256'), { recursive: true });
    rmSync(path.dirname(at), { recursive: true });
    expect(linesOf(await rig.land(since()))).toEqual([['{"at":"2024-01-02"}', '{"at":"2024-01-03"}']]);
  });
});

describe('what came the last time', () => {
  test('is taken for a day without asking, as long as the same is asked for', async () => {
    const first = await rig.land(api('/single'));
    rig.now = new Date('2024-01-10T23:59:00Z');
    expect(await rig.land(api('/single'))).toMatchObject(first);
    expect(server.asked).toHaveLength(1);
    await rig.land(api('/single', 'max_pages 7'));
    expect(server.asked).toHaveLength(1);
    await rig.land(api('/single', "headers ('x-a' 'b')"));
    expect(server.asked).toHaveLength(2);
    rig.now = new Date('2024-01-11T00:01:00Z');
    await rig.land(api('/single'));
    expect(server.asked).toHaveLength(3);
  });

  test.each([
    ['always', 2],
    ['never', 1],
    ["'2 hours'", 2],
    ["'4 hours'", 1],
  ])('is taken as long as refresh %s says', async (refresh, count) => {
    await rig.land(`${api('/single')}, refresh ${refresh}`);
    rig.now = new Date('2024-01-10T03:00:00Z');
    await rig.land(`${api('/single')}, refresh ${refresh}`);
    expect(server.asked).toHaveLength(count);
  });

  test('of a file of the web is taken too, where its source says so', async () => {
    const file = `uri '${server.url('/single')}', refresh '1 day'`;
    await rig.land(file);
    await rig.land(file);
    expect(server.asked).toHaveLength(1);
    await rig.land(file, { ask: 'always' });
    expect(server.asked).toHaveLength(2);
    // Another checksum than it has: something new is meant to be there.
    await rig.errors(`${file}, checksum 'sha256:${'0'.repeat(64)}'`);
    expect(server.asked).toHaveLength(3);
  });
});
