import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiDouble } from '../ingest/api-double.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

const SECRET = 'a-secret-that-nobody-may-see';
let server: ApiDouble;
let rig: Rig;
beforeEach(async () => {
  server = await new ApiDouble().listen();
  server.on('/studies', ['page', 'key'], ({ query }) => {
    if (query.key !== SECRET) return { status: 403, body: '' };
    const from = 2 * (Number(query.page) - 1);
    return { body: `{"items":[${server.records.slice(from, from + 2).join(',')}]}` };
  });
  server.records = ['{"id": 1, "n": 12345678901234567890}', '{"id": 2, "n": 2}', '{"id": 3, "n": 3}'];
  rig = makeRig({
    'sources/studies.sql': `SOURCE (
  name studies,
  uri '${server.url('/studies')}',
  api (paginator (type page, start 1), auth (type api_key, location query, name 'key', key '@env(STUDIES_KEY)')),
  license 'CC0-1.0'
);`,
    'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT id, n FROM studies.studies',
    '.env': `STUDIES_KEY=${SECRET}\n`,
  });
});
afterEach(async () => {
  rig.dispose();
  await server.close();
});

test('records of an interface are a table, and within a day nobody is asked again but by ingest', async () => {
  const outcomes = [await rig.ok('apply')];
  expect(await rig.rows('SELECT id, n::VARCHAR AS n FROM s.m ORDER BY id')).toEqual([
    { id: 1, n: '12345678901234567890' },
    { id: 2, n: '2' },
    { id: 3, n: '3' },
  ]);
  // Three pages, the last of them empty: apply takes what the plan has found.
  expect(server.asked).toHaveLength(3);
  server.records.push('{"id": 4, "n": 4}');
  outcomes.push(await rig.ok('plan'));
  expect(outcomes.at(-1)?.out).toContain('Nothing to do');
  expect(server.asked).toHaveLength(3);
  outcomes.push(await rig.ok('ingest'));
  expect(outcomes.at(-1)?.out).toMatch(/studies {2}ingested, .* 4 rows/);
  expect(server.asked).toHaveLength(6);
  const planned = await rig.ok('plan', '--json');
  expect(planned.json()).toMatchObject({
    changes: [{ model: 's.m' }],
    sources: [{ source: 'studies', type: 'modified' }],
  });
  outcomes.push(planned, await rig.ok('apply'), await rig.ok('provenance', 's.m', '--json'));
  expect(await rig.rows('SELECT count(*) AS count FROM s.m')).toEqual([{ count: 4 }]);
  expect(server.asked).toHaveLength(6);
  // The key is in no message, no plan and no provenance.
  for (const { out, err } of outcomes) expect(out + err).not.toContain(SECRET);
  expect(rig.read('metadata.sqlite')).not.toContain(SECRET);
});
