import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../convert/support.js';
import { ApiDouble } from '../ingest/api-double.js';
import { LandRig, linesOf } from '../ingest/land-rig.js';
import { makeRig } from '../support/cli-rig.js';
import { pythonWith } from './python.js';

const root = temporaryFolder();
const outside = { PATH: process.env.PATH ?? '', HOME: root, RUNTIME__DLTHUB_TELEMETRY: 'false' };
let python: string;
let server: ApiDouble;
beforeAll(() => {
  python = pythonWith(['dlt[filesystem,parquet]==1.31.0']);
});
beforeEach(async () => {
  server = await new ApiDouble().listen();
  server.records = [1, 2, 3, 4, 5].map((id) => `{"id":${id},"name":"n${id}"}`);
  plainLinks();
});
/** Links as dlt finds them by itself: one relation alone, and an address that is whole. */
function plainLinks(): void {
  const page = (query: Readonly<Record<string, string>>) => {
    const from = Number(query.after ?? 0);
    const after = from + 2 < server.records.length ? `?after=${from + 2}` : undefined;
    return { records: `[${server.records.slice(from, from + 2).join(',')}]`, after };
  };
  server.on('/plain-link', ['after'], ({ query }) => {
    const { records, after } = page(query);
    return {
      body: records,
      headers: after === undefined ? {} : { link: `<${server.url(`/plain-link${after}`)}>; rel="next"` },
    };
  });
  server.on('/whole-link', ['after'], ({ query }) => {
    const { records, after } = page(query);
    const next = after === undefined ? 'null' : `"${server.url(`/whole-link${after}`)}"`;
    return { body: `{"value":${records},"links":{"next":${next}}}` };
  });
}
afterEach(() => server.close());

describe('the same records as dlt, and the same requests', () => {
  test.each([
    ['/single', '', '', 'paginator single', { type: 'single_page' }],
    [
      '/page',
      'results.items',
      "records 'results.items', ",
      "paginator (type page, base 1, total_path 'total_pages')",
      { type: 'page_number', base_page: 1, total_path: 'total_pages' },
    ],
    [
      '/page',
      'results.items',
      "records 'results.items', ",
      'paginator (type page, base 1)',
      { type: 'page_number', base_page: 1, total_path: null },
    ],
    [
      '/page',
      'results.items',
      "records 'results.items', ",
      'paginator (type page, base 1, maximum 3)',
      { type: 'page_number', base_page: 1, total_path: null, maximum_page: 3 },
    ],
    [
      '/more',
      'items',
      '',
      "paginator (type page, param p, has_more_path 'more')",
      { type: 'page_number', page_param: 'p', total_path: null, has_more_path: 'more' },
    ],
    [
      '/offset',
      'data',
      '',
      "paginator (type offset, limit 2, total_path 'total')",
      { type: 'offset', limit: 2, total_path: 'total' },
    ],
    [
      '/offset',
      'data',
      '',
      'paginator (type offset, limit 2, maximum 4)',
      { type: 'offset', limit: 2, total_path: null, maximum_offset: 4 },
    ],
    ['/plain-link', '', '', 'paginator header_link', { type: 'header_link' }],
    [
      '/json-link',
      'value',
      '',
      "paginator (type json_link, path 'paging.next')",
      { type: 'json_link', next_url_path: 'paging.next' },
    ],
    ['/cursor', 'rows', '', "paginator (type cursor, path 'meta.next')", { type: 'cursor', cursor_path: 'meta.next' }],
    [
      '/header-cursor',
      '',
      '',
      "paginator (type cursor, header 'x-next', param token)",
      { type: 'header_cursor', cursor_key: 'x-next', cursor_param: 'token' },
    ],
    ['/plain-link', '', '', 'paginator auto', 'auto'],
    ['/whole-link', 'value', '', 'paginator auto', 'auto'],
  ])('%s %s %s%s', async (at, selector, records, paginator, theirs) => {
    const rig = new LandRig(root);
    const ours = linesOf(await rig.land(`uri '${server.url(at)}', api (${records}${paginator})`)).flat();
    const asked = server.queries(at);
    server.asked.length = 0;
    const argv = ['test/services/dlt_side.py', server.url('/'), at.slice(1), selector, JSON.stringify(theirs)];
    const { stdout } = await promisify(execFile)(python, argv, { env: outside });
    expect(ours).toEqual(stdout.trimEnd().split('\n'));
    expect(asked).toEqual(server.queries(at));
  });
});

test('the pipeline of the documentation runs, and its table is there', async () => {
  const docs = fs.readFileSync('docs/sources.md', 'utf8');
  const script = /```python\n(# ingest\/studies\.py\n[\s\S]*?)```/.exec(docs)?.[1] ?? '';
  expect(script).toContain('rest_api_source');
  const rig = makeRig(
    {
      'ingest/studies.py': script,
      'sources/studies.sql': `SOURCE (name studies, uri 'command:${python} ingest/studies.py', license 'CC0-1.0');`,
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id, name FROM studies.studies',
    },
    { environment: { ...outside, STUDIES_URL: server.url('/') } },
  );
  try {
    const applied = await rig.run('apply');
    expect(applied.err).not.toContain('error');
    expect(await rig.rows('FROM s.m ORDER BY id')).toEqual([1, 2, 3, 4, 5].map((id) => ({ id, name: `n${id}` })));
    const asked = server.asked.length;
    await rig.ok('plan');
    expect(server.asked.length).toBe(asked);
    expect(fs.readdirSync(path.join(rig.folder, '.scilake/raw/making'))).toEqual([]);
  } finally {
    rig.dispose();
  }
});
