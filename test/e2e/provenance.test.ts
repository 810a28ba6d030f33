import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FaultServer } from '../ingest/fault-server.js';
import { makeRig, type Rig } from '../support/cli-rig.js';

let rig: Rig;
beforeEach(() => {
  rig = makeRig({
    'sources/a.sql':
      "SOURCE (name a, uri 'a.csv', license 'CC BY 4.0', doi '10.1/a', accession 'GSE1', citation 'A et al.');",
    'sources/b.sql': "SOURCE (name b, uri 'b.csv', license 'CC0-1.0');",
    'sources/a.csv': 'id,x\n1,10\n2,20\n',
    'sources/b.csv': 'id,y\n1,5\n',
    'models/m.sql':
      'MODEL (name s.m, kind FULL, audits (not_null(columns := (x))));\nSELECT a.x, 1 AS one FROM a.a JOIN b.b USING (id)',
    '.gitignore': '.scilake/\n',
  });
});
afterEach(() => rig.dispose());

const git = (...parameters: readonly string[]): string =>
  execFileSync('git', ['-C', rig.folder, ...parameters], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function repository(): void {
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@localhost');
  git('add', '.');
  git('commit', '--quiet', '--message', 'project');
}

interface Found {
  readonly sources: readonly { readonly source: string; readonly sha256: string; readonly run: string }[];
  readonly models: readonly { readonly model: string; readonly rows: number; readonly audits: string }[];
  readonly runs: readonly { readonly gitCommit: string; readonly isGitDirty: boolean; readonly tools: string }[];
  readonly licenses: readonly unknown[];
}
const provenance = async (name: string): Promise<Found> => (await rig.ok('provenance', name, '--json')).json<Found>();

test('a table leads back to its files, licenses, runs and tools; a column to those that it is made of', async () => {
  repository();
  const commit = git('rev-parse', 'HEAD').trim();
  await rig.ok('apply');
  const found = await provenance('s.m');
  expect(found.sources).toMatchObject([
    {
      source: 'a',
      doi: '10.1/a',
      accession: 'GSE1',
      license: 'CC-BY-4.0',
      licenseText: 'CC BY 4.0',
      sizeBytes: 15,
      values: ['a.a.x'],
    },
    { source: 'b', license: 'CC0-1.0', values: [], rows: ['b.b.id'] },
  ]);
  expect(found.sources[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(found.models).toMatchObject([{ model: 's.m', rows: 1 }]);
  expect(JSON.parse(found.models[0]?.audits ?? '')).toEqual([{ audit: 'not_null', rows: 0, status: 'passed' }]);
  expect(found.runs).toMatchObject([{ gitCommit: commit, isGitDirty: false }]);
  expect(JSON.parse(found.runs[0]?.tools ?? '')).toMatchObject({
    duckdb: expect.stringMatching(/^v1\./),
    ducklake: expect.stringMatching(/./),
  });
  expect(found.licenses).toEqual([
    { license: 'CC-BY-4.0', text: 'CC BY 4.0', sources: ['a'] },
    { license: 'CC0-1.0', text: 'CC0-1.0', sources: ['b'] },
  ]);
  const text = (await rig.ok('provenance', 's.m.x')).out;
  for (const wanted of ['s.m.x in prod', '10.1/a', 'GSE1', 'A et al.', commit, 'CC-BY-4.0 (CC BY 4.0)'])
    expect(text).toContain(wanted);
});

test('a set leads back to each of its files', async () => {
  rig.write({
    'sources/set.sql': "SOURCE (name runs, uri 'runs/*.csv', license 'CC0-1.0');",
    'sources/runs/p.csv': 'id,z\n1,5\n',
    'sources/runs/q.csv': 'id,z\n2,6\n',
    'models/z.sql': 'MODEL (name s.z, kind FULL);\nSELECT z FROM runs.runs',
  });
  await rig.ok('apply');
  const [set] = (await rig.ok('provenance', 's.z', '--json')).json<{
    readonly sources: readonly { readonly files: readonly { readonly name: string; readonly sha256: string }[] }[];
  }>().sources;
  const sumOf = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(path.join(rig.folder, 'sources/runs', name)))
      .digest('hex');
  expect(set?.files).toMatchObject([
    { name: 'p.csv', sizeBytes: 9, sha256: sumOf('p.csv') },
    { name: 'q.csv', sizeBytes: 9, sha256: sumOf('q.csv') },
  ]);
  expect((await rig.ok('provenance', 's.z')).out).toMatch(/files +2\n +[0-9a-f]{16}… {2}p\.csv/);
  await rig.ok('provenance', 's.z', '--out', path.join(rig.folder, 'out'));
  const crate: { readonly '@graph': readonly Readonly<Record<string, unknown>>[] } = JSON.parse(
    readFileSync(path.join(rig.folder, 'out/ro-crate-metadata.json'), 'utf8'),
  );
  expect(crate['@graph'].filter((entity) => entity.name === 'q.csv')).toMatchObject([{ sha256: sumOf('q.csv') }]);
  const prov: { readonly hadMember: object } = JSON.parse(readFileSync(path.join(rig.folder, 'out/prov.json'), 'utf8'));
  expect(Object.keys(prov.hadMember)).toHaveLength(2);
});

test('what is built counts, not what files say now', async () => {
  await rig.ok('apply');
  rig.write({ 'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT y AS x FROM b.b' });
  expect((await provenance('s.m')).sources.map(({ source }) => source)).toEqual(['a', 'b']);
  await rig.ok('apply');
  expect((await provenance('s.m')).sources.map(({ source }) => source)).toEqual(['b']);
});

test.each([
  ['s.n', /there is no model "s\.n" in prod/],
  ['s.m.xx', /s\.m has no column "xx"/],
])('provenance %s says what is not there', async (name, message) => {
  await rig.ok('apply');
  expect(await rig.run('provenance', name)).toMatchObject({ code: 1, err: expect.stringMatching(message) });
});

describe('git', () => {
  test('the run is committed alone, and what was staged stays staged', async () => {
    repository();
    rig.write({ 'notes.txt': 'mine' });
    git('add', 'notes.txt');
    await rig.ok('apply');
    expect(git('log', '-1', '--format=%s', '--name-only')).toMatch(
      /^scilake: provenance of prod, plan [0-9a-f]+\n\nmetadata\.sqlite\n$/,
    );
    expect(git('status', '--porcelain')).toBe('A  notes.txt\n');
    const commits = git('rev-list', '--count', 'HEAD');
    await rig.ok('apply');
    expect(git('rev-list', '--count', 'HEAD')).toBe(commits);
  });

  test.each([
    ['stage', 'A  metadata.sqlite\n'],
    ['leave', '?? metadata.sqlite\n'],
  ])('metadata.git: %s', async (setting, status) => {
    rig.write({ 'scilake.yaml': `${rig.read('scilake.yaml')}metadata:\n  git: ${setting}\n` });
    repository();
    await rig.ok('apply');
    expect(git('status', '--porcelain')).toBe(status);
  });

  test('a commit that git refuses is a warning, and the lake has moved', async () => {
    repository();
    rig.write({ '.git/hooks/pre-commit': '#!/bin/sh\necho no commits today >&2\nexit 1\n' });
    execFileSync('chmod', ['+x', path.join(rig.folder, '.git/hooks/pre-commit')]);
    const applied = await rig.ok('apply');
    expect(applied.err).toMatch(/SL0902.*no commits today/);
    expect(await rig.rows('FROM s.m')).toEqual([{ x: 10, one: 1 }]);
  });

  test('diffs read, and two branches that each ingest something merge', async () => {
    repository();
    await rig.ok('apply');
    await rig.ok('git', 'setup');
    expect(git('config', 'diff.scilake.textconv')).toBe('npx scilake git textconv\n');
    expect(rig.read('.gitattributes')).toContain('metadata.sqlite diff=scilake merge=scilake -text');
    const file = path.join(rig.folder, 'metadata.sqlite');
    const keep = (name: string): string => {
      const copy = path.join(rig.folder, '.scilake', name);
      copyFileSync(file, copy);
      return copy;
    };
    const base = keep('base');
    const branch = async (name: string): Promise<string> => {
      rmSync(path.join(rig.folder, '.scilake', 'metadata'), { recursive: true });
      copyFileSync(base, file);
      rig.write({
        [`sources/${name}.sql`]: `SOURCE (name ${name}, uri '${name}.csv');`,
        [`sources/${name}.csv`]: 'k\n1\n',
      });
      await rig.ok('ingest', name);
      return keep(`${name}.side`);
    };
    const [ours, theirs] = [await branch('c'), await branch('d')];
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBe(false);
    await rig.ok('git', 'merge-driver', base, ours, theirs);
    const { out } = await rig.ok('git', 'textconv', ours);
    expect([...out.matchAll(/^datasets (\S+)$/gm)].map(([, name]) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(out).toMatch(/^datasets a\n(?: {2}.*\n)*? {2}license: CC-BY-4\.0$/m);
  });
});

describe('ingest and sources', () => {
  test('sources come into the lake without a model being built, and apply takes them as they are', async () => {
    expect((await rig.ok('sources', '--json')).json()).toMatchObject({
      sources: [
        { source: 'a', state: 'not ingested' },
        { source: 'b', state: 'not ingested' },
      ],
    });
    const ingested = await rig.ok('ingest', 'a', '--json');
    expect(ingested.json()).toMatchObject({ sources: [{ source: 'a', status: 'ingested', rows: 2 }], errors: [] });
    expect((await rig.ok('ingest', 'a', '--json')).json()).toMatchObject({ sources: [{ status: 'unchanged' }] });
    expect((await rig.ok('sources', '--json')).json()).toMatchObject({
      sources: [
        { source: 'a', state: 'in the lake', sizeBytes: 15, license: 'CC-BY-4.0' },
        { source: 'b', state: 'not ingested' },
      ],
    });
    const { steps } = (await rig.ok('plan', '--json')).json<{
      readonly steps: readonly { readonly source?: string }[];
    }>();
    expect([...new Set(steps.flatMap(({ source }) => source ?? []))]).toEqual(['b']);
    await rig.ok('apply');
    expect((await rig.ok('sources')).out).toMatch(/a +│? *in prod/);
  });

  test('one that fails leaves the others', async () => {
    const server = await new FaultServer(Buffer.from('')).listen();
    server.faults.push({ type: 'status', status: 404 });
    try {
      rig.write({ 'sources/a.sql': `SOURCE (name a, uri '${server.url()}');` });
      const ingested = await rig.run('ingest', '--json');
      expect(ingested.code).toBe(1);
      expect(ingested.json()).toMatchObject({
        sources: [{ source: 'b', status: 'ingested' }],
        errors: [{ code: 'SL0506' }],
      });
    } finally {
      await server.close();
    }
  });

  test('a name that is none is said to be none', async () => {
    expect(await rig.run('ingest', 'aa')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/SL0509.*no source "aa"/),
    });
  });
});

test('a run that failed is known after the next one that did not', async () => {
  rig.write({ 'models/bad.sql': "MODEL (name s.bad, kind FULL);\nSELECT CAST('x' || x AS INTEGER) AS n FROM a.a" });
  expect((await rig.run('apply')).code).toBe(1);
  rig.write({ 'models/bad.sql': 'MODEL (name s.bad, kind FULL);\nSELECT x AS n FROM a.a' });
  await rig.ok('apply');
  const { out } = await rig.ok('git', 'textconv', 'metadata.sqlite');
  expect([...out.matchAll(/^ {2}status: (\S+)$/gm)].map(([, status]) => status)).toContain('failed');
  expect(out).toMatch(/^ {2}error: .*Conversion/m);
});

describe('a source whose columns change', () => {
  const change = (): void => rig.write({ 'sources/a.csv': 'id,x,batch\n1,1.5,p\n' });

  test('says in the plan what came and what went', async () => {
    await rig.ok('apply');
    change();
    expect((await rig.ok('plan', '--json')).json()).toMatchObject({
      sources: [{ source: 'a', schema: ['~ a.x BIGINT -> DOUBLE', '+ a.batch VARCHAR'] }],
    });
    expect((await rig.ok('plan')).out).toContain('+ a.batch VARCHAR');
    await rig.ok('apply');
    expect(await rig.rows('FROM s.m')).toEqual([{ x: 1.5, one: 1 }]);
    expect((await rig.ok('git', 'textconv', 'metadata.sqlite')).out).toMatch(
      /diff: ~ x BIGINT -> DOUBLE\n\+ batch VARCHAR/,
    );
  });

  test('is refused where it is frozen, and the lake stays; other rows are not', async () => {
    rig.write({ 'sources/a.sql': "SOURCE (name a, uri 'a.csv', contract freeze);" });
    await rig.ok('apply');
    rig.write({ 'sources/a.csv': 'id,x\n1,11\n' });
    await rig.ok('apply');
    change();
    const refused = await rig.run('apply');
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/a\.sql:1:\d+.*SL0424.*\+ a\.batch VARCHAR/) });
    expect(await rig.rows('FROM s.m')).toEqual([{ x: 11, one: 1 }]);
  });

  test('has a contract that there is', async () => {
    rig.write({ 'sources/a.sql': "SOURCE (name a, uri 'a.csv', contract frozen);" });
    expect(await rig.run('plan')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/SL0105.*evolve, freeze, discard_value or discard_row, not frozen/),
    });
  });
});

describe('reproduce', () => {
  interface Reproduced {
    readonly same: boolean;
    readonly models: readonly { readonly model: string; readonly status: string }[];
  }

  test('builds the recorded text again, whatever the files say now, and leaves lake and provenance alone', async () => {
    await rig.ok('apply');
    const plan = (await rig.ok('environments', '--json')).json<readonly { readonly plan: string }[]>()[0]?.plan ?? '';
    const kept = rig.read('metadata.sqlite');
    rig.write({ 'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT 7 AS x' });
    for (const what of ['s.m', plan])
      expect((await rig.ok('reproduce', what, '--json')).json<Reproduced>()).toMatchObject({
        same: true,
        models: [{ model: 's.m', status: 'same', recorded: { rows: 1 } }],
      });
    expect(rig.read('metadata.sqlite')).toBe(kept);
    expect(await rig.rows('FROM s.m')).toEqual([{ x: 10, one: 1 }]);
    // An earlier plan is still known after the next one.
    await rig.ok('apply');
    expect((await rig.ok('reproduce', plan)).out).toMatch(/^same +s\.m +1 rows$/m);
  });

  test('says so where it comes out otherwise, and where a raw file is another one', async () => {
    rig.write({ 'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT x, random() AS r FROM a.a' });
    await rig.ok('apply');
    const differs = await rig.run('reproduce', 's.m');
    expect(differs).toMatchObject({
      code: 1,
      out: expect.stringMatching(/differs +s\.m +2 rows recorded, 2 rebuilt, with other values/),
    });
    rig.write({ 'sources/a.csv': 'id,x\n1,10\n2,21\n' });
    const changed = await rig.run('reproduce', 's.m');
    expect(changed).toMatchObject({
      code: 1,
      out: expect.stringMatching(/changed +source a: version \w+ was read, \w+ is here/),
    });
  });

  test('knows what is no plan and no model', async () => {
    await rig.ok('apply');
    expect(await rig.run('reproduce', 's.mm')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/SL0905.*s\.mm[\s\S]*s\.m/),
    });
  });
});

describe('a source that cannot be had', () => {
  let server: FaultServer;
  beforeEach(async () => {
    server = await new FaultServer(Buffer.from('id,x\n1,10\n')).listen();
    rig.write({
      'sources/a.sql': `SOURCE (name a, uri '${server.url()}');`,
      'models/m.sql': 'MODEL (name s.m, kind FULL);\nSELECT x FROM a.file',
      'models/n.sql': 'MODEL (name s.n, kind FULL);\nSELECT x FROM s.m',
      'models/o.sql': 'MODEL (name s.o, kind FULL);\nSELECT y FROM b.b',
    });
  });
  afterEach(() => server.close());
  const isAway = (): number => server.faults.push({ type: 'status', status: 404 });

  test('leaves the others: what reads it is left out with the reason, and comes with the next apply', async () => {
    rig.write({
      'tests/m.yaml': 'test_m:\n  model: s.m\n  inputs:\n    a.file: [{x: 1}]\n  outputs:\n    query: [{x: 1}]\n',
    });
    isAway();
    const applied = await rig.run('apply');
    expect(applied.code).toBe(1);
    expect(applied.err).toMatch(/a\.sql:1:\d+.*SL0506/);
    expect(applied.err).toContain('s.m is left as it is: source a could not be had');
    expect(applied.err).toContain('s.n is left as it is');
    expect(await rig.rows('FROM s.o')).toEqual([{ y: 5 }]);
    await rig.ok('apply');
    expect(await rig.rows('FROM s.n')).toEqual([{ x: 10 }]);
  });

  test('leaves what is built of it as it is, also when the next day has come', async () => {
    await rig.ok('apply');
    rig.write({ 'sources/b.csv': 'id,y\n1,6\n' });
    isAway();
    const applied = await rig.run('apply', '--json', '--execution-time', '2024-01-20');
    expect(applied.code).toBe(1);
    expect(applied.json()).toMatchObject({
      status: 'applied',
      leftOut: [{ model: 's.m' }, { model: 's.n' }],
      errors: [{ code: 'SL0506' }],
    });
    expect(await rig.rows('FROM s.o')).toEqual([{ y: 6 }]);
    expect(await rig.rows('FROM s.n')).toEqual([{ x: 10 }]);
    expect((await rig.ok('provenance', 's.n', '--json')).json<Found>().sources.map(({ source }) => source)).toEqual([
      'a',
    ]);
  });

  test('alone is an error, and nothing is done', async () => {
    await rig.ok('apply');
    isAway();
    expect((await rig.run('plan', '--json')).json()).toMatchObject({ errors: [{ code: 'SL0506' }] });
    isAway();
    expect(await rig.run('apply')).toMatchObject({ code: 1, err: expect.not.stringContaining('Applied') });
  });

  test('is the reason only for what reads it: a table that is misspelt is an error of its own', async () => {
    rig.write({
      'sources/c.sql': `SOURCE (name c, uri '${server.url('/other.csv')}');`,
      'models/p.sql': 'MODEL (name s.p, kind FULL);\nSELECT x FROM c.other',
    });
    isAway();
    isAway();
    const applied = await rig.run('apply');
    expect(applied.err).toContain('s.n is left as it is: source a could not be had');
    expect(applied.err).toContain('s.p is left as it is: source c could not be had');
    rig.write({ 'models/o.sql': 'MODEL (name s.o, kind FULL);\nSELECT y FROM bb.b' });
    isAway();
    const planned = await rig.run('plan');
    expect(planned).toMatchObject({ code: 1, err: expect.stringMatching(/o\.sql:2:\d+.*"bb\.b" not found/) });
  });

  test('does not hide what else is wrong', async () => {
    rig.write({ 'models/o.sql': 'MODEL (name s.o, kind FULL);\nSELECT nope FROM b.b' });
    isAway();
    const planned = await rig.run('plan');
    expect(planned).toMatchObject({ code: 1, err: expect.stringMatching(/SL0506[\s\S]*nope|nope[\s\S]*SL0506/) });
  });
});
