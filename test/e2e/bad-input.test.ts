import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeRig, type Rig, SOURCE_MODEL } from '../support/cli-rig.js';

let rig: Rig;
afterEach(() => rig.dispose());

const good = { 'models/src.sql': SOURCE_MODEL };

/** Snapshot id of the lake, to show that nothing was written. */
const lakeSnapshot = async (): Promise<number> =>
  (await rig.ok('info', '--json')).json<{ readonly lake: { readonly snapshot: number } }>().lake.snapshot;

describe('errors are found in one go and placed', () => {
  test('across headers, syntax, binder and graph', async () => {
    rig = makeRig({
      ...good,
      'models/header.sql': 'MODEL (name s.header, kind FUL);\nSELECT 1 AS x',
      'models/syntax.sql': 'MODEL (name s.syntax, kind FULL);\nSELECT id FROM WHERE s.src',
      'models/column.sql': 'MODEL (name s.column, kind FULL);\n-- ключ 🧬\nSELECT "идентификатор",\n  idd FROM s.src',
      'models/circle_a.sql': 'MODEL (name s.circle_a, kind FULL);\nSELECT x FROM s.circle_b',
      'models/circle_b.sql': 'MODEL (name s.circle_b, kind FULL);\nSELECT x FROM s.circle_a',
    });
    const failed = await rig.run('plan', '--json');
    expect(failed.code).toBe(1);
    const errors = failed.json<{
      readonly errors: readonly {
        readonly code: string;
        readonly location: {
          readonly file: string;
          readonly line: number;
          readonly column: number;
          readonly text: string;
        };
      }[];
    }>().errors;
    expect(errors.map(({ code, location }) => `${location.file}:${location.line}:${location.column} ${code}`)).toEqual([
      'models/circle_a.sql:1:1 SL0301',
      'models/column.sql:3:8 SL0204',
      'models/header.sql:1:28 SL0105',
      'models/syntax.sql:2:16 SL0201',
    ]);
  });

  test('with the line, the marked span and a hint', async () => {
    rig = makeRig({
      ...good,
      'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT\n  id,\n  magg * 2 AS m\nFROM s.src',
    });
    const { err } = await rig.run('plan');
    expect(err).toContain(`models/a.sql:4:3  error SL0204  column "magg" not found
    4 |   magg * 2 AS m
      |   ~~~~
hint: the tables of this query have "mag"`);
  });

  test('of a table that is nowhere, with the nearest name', async () => {
    rig = makeRig({ ...good, 'models/a.sql': 'MODEL (name s.a, kind FULL);\nSELECT id FROM s.srcc' });
    const { err } = await rig.run('plan');
    expect(err).toContain('models/a.sql:2:16  error SL0203  table "s.srcc" not found');
    expect(err).toContain('did you mean "s.src"?');
  });

  test('of declared sources and dependencies that the query contradicts', async () => {
    rig = makeRig({
      'sources/raw.sql': "SOURCE (name raw, uri 'raw.csv');\nSOURCE (name unread, uri 'raw.csv');",
      'sources/raw.csv': 'id,v\n1,2\n',
      'models/a.sql': 'MODEL (name s.a, kind FULL, sources (unread), depends_on (s.nowhere));\nSELECT id FROM raw.raw',
    });
    const { err, code } = await rig.run('plan');
    expect(code).toBe(1);
    for (const message of [
      'names source "unread", but the query does not read it',
      'reads source "raw", which the header\'s "sources" does not name',
      's.a depends on s.nowhere, which is not in the project',
    ])
      expect(err).toContain(message);
  });

  test('of a setting that is misspelt', async () => {
    rig = makeRig({ 'scilake.yaml': 'name: x\nmodel_default:\n  start: 2024-01-01\n' });
    const { err } = await rig.run('plan');
    expect(err).toContain('scilake.yaml:2:1  error SL0108  unknown setting "model_default"');
    expect(err).toContain('did you mean "model_defaults"?');
  });
});

describe('raw files', () => {
  const pbmc = "SOURCE (name pbmc, uri 'pbmc.h5ad');";

  test('an h5ad cut in half is one named error, and the lake is as it was', async () => {
    rig = makeRig({ ...good });
    await rig.ok('apply');
    const before = await lakeSnapshot();
    rig.write({ 'sources/pbmc.sql': pbmc });
    const file = path.join(rig.folder, 'sources/pbmc.h5ad');
    copyFileSync('sources/data/10x_pbmc68k_reduced.h5ad', file);
    truncateSync(file, 800_000);
    const failed = await rig.run('apply');
    expect(failed.code).toBe(1);
    expect(failed.err).toMatch(/sources\/pbmc\.sql:1:\d+ {2}error SL06\d\d/);
    expect(await lakeSnapshot()).toBe(before);
  });

  test('a checksum that differs is an error at the checksum', async () => {
    rig = makeRig({
      ...good,
      'sources/raw.sql': `SOURCE (\n  name raw,\n  uri 'raw.csv',\n  checksum 'sha256:${'0'.repeat(64)}'\n);`,
      'sources/raw.csv': 'a\n1\n',
    });
    const { err, code } = await rig.run('apply');
    expect(code).toBe(1);
    expect(err).toContain(
      'sources/raw.sql:4:12  error SL0502  source "raw": the file\'s checksum is not the declared one',
    );
    // What does not read it is built; nothing of it is there.
    expect(await rig.run('query', 'FROM raw.raw')).toMatchObject({ code: 1 });
  });

  test('a file that is not there is named with its nearest neighbour', async () => {
    rig = makeRig({
      'sources/raw.sql': "SOURCE (name raw, uri 'data/markers.tsv');",
      'sources/data/marker.tsv': 'a\tb\n1\t2\n',
    });
    const { err } = await rig.run('plan');
    expect(err).toContain('there is no file data/markers.tsv');
    expect(err).toContain('did you mean "marker.tsv"?');
  });

  test('a file that changed between plan and apply is refused', async () => {
    rig = makeRig({ 'sources/raw.sql': "SOURCE (name raw, uri 'raw.csv');", 'sources/raw.csv': 'a\n1\n' });
    await rig.ok('plan', '-o', 'plan.json');
    rig.write({ 'sources/raw.csv': 'a\n2\n' });
    const refused = await rig.run('apply', '--plan', 'plan.json');
    expect({ code: refused.code, isNamed: refused.err.includes('SL0406') }).toEqual({ code: 1, isNamed: true });
  });

  test('a source whose bytes change rebuilds what reads it, and nothing else', async () => {
    rig = makeRig({
      ...good,
      'sources/raw.sql': "SOURCE (name raw, uri 'raw.csv');",
      'sources/raw.csv': 'a\n1\n',
      'models/r.sql': 'MODEL (name s.r, kind FULL);\nSELECT sum(a) AS a FROM raw.raw',
    });
    await rig.ok('apply');
    rig.write({ 'sources/raw.csv': 'a\n1\n41\n' });
    const applied = (await rig.ok('apply', '--json')).json<{
      readonly steps: readonly { readonly type: string; readonly model?: string }[];
    }>();
    expect(applied.steps.filter((step) => step.type === 'backfill').map((step) => step.model)).toEqual(['s.r']);
    expect(await rig.rows('SELECT r.a FROM s.r AS r')).toEqual([{ a: 42 }]);
  });
});

describe('the lake', () => {
  test('that another process writes is exit code 3, with its name', async () => {
    rig = makeRig(good);
    await rig.ok('apply');
    rig.write({ 'models/b.sql': 'MODEL (name s.b, kind FULL);\nSELECT 1 AS x' });
    const lock = path.join(rig.folder, '.scilake/lake/catalog.ducklake.lock');
    writeFileSync(
      lock,
      JSON.stringify({ pid: process.ppid, host: (await import('node:os')).hostname(), since: '2024-01-10T11:59:00Z' }),
    );
    const refused = await rig.run('apply');
    expect(refused.code).toBe(3);
    expect(refused.err).toContain(`process ${process.ppid}`);
  });

  test('whose writer died is taken over', async () => {
    rig = makeRig(good);
    mkdirSync(path.join(rig.folder, '.scilake/lake'), { recursive: true });
    writeFileSync(
      path.join(rig.folder, '.scilake/lake/catalog.ducklake.lock'),
      JSON.stringify({ pid: 2 ** 22 - 1, host: (await import('node:os')).hostname(), since: '2024-01-10T11:59:00Z' }),
    );
    expect((await rig.run('apply')).code).toBe(0);
  });

  test('that cannot be written is named, and nothing is left behind', async () => {
    rig = makeRig({
      ...good,
      'scilake.yaml': 'lake:\n  catalog: blocked/catalog.ducklake\n  data: blocked/data\n',
      blocked: 'a file where the folder should be',
    });
    const failed = await rig.run('apply');
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('SL0703');
    expect(readFileSync(path.join(rig.folder, 'blocked'), 'utf8')).toBe('a file where the folder should be');
  });

  test.runIf(process.getuid?.() !== 0)('in a folder without permission is named', async () => {
    rig = makeRig(good);
    chmodSync(rig.folder, 0o555);
    const failed = await rig.run('apply');
    chmodSync(rig.folder, 0o755);
    expect({ code: failed.code, isNamed: failed.err.includes('SL0703') }).toEqual({ code: 1, isNamed: true });
  });

  test('that was begun and cut off is made by the next apply', async () => {
    rig = makeRig(good);
    mkdirSync(path.join(rig.folder, '.scilake/lake'), { recursive: true });
    const { duckdb } = await import('../../src/effects/duckdb.js');
    (await duckdb.open({ path: path.join(rig.folder, '.scilake/lake/catalog.ducklake') })).close();
    await rig.ok('plan');
    await rig.ok('apply');
  });

  test('that is not there yet is no reason for query to fail without a word', async () => {
    rig = makeRig(good);
    const failed = await rig.run('query', 'SELECT 1');
    expect({ code: failed.code, hint: failed.err.includes('scilake apply makes the lake') }).toEqual({
      code: 1,
      hint: true,
    });
  });
});

test('a missing extension is one error that names all four places and what each answered', async () => {
  const { duckdb } = await import('../../src/effects/duckdb.js');
  const nowhere = {
    open: (options: Parameters<typeof duckdb.open>[0]) =>
      duckdb.open({
        ...options,
        settings: {
          ...options?.settings,
          extension_directory: path.join(rig.folder, 'extensions'),
          custom_extension_repository: path.join(rig.folder, 'no-repository'),
        },
      }),
  };
  const savedPath = process.env.PATH;
  rig = makeRig(good, { outside: { duckdb: nowhere, extensionFolder: '/nowhere' } });
  try {
    process.env.PATH = rig.folder;
    const failed = await rig.run('apply');
    expect(failed.code).toBe(1);
    for (const answer of [
      'SL0701',
      'installed:',
      'SCILAKE_EXTENSION_DIR: no ducklake.duckdb_extension in /nowhere',
      'INSTALL:',
      'pip: there is no python3',
    ])
      expect(failed.err).toContain(answer);
  } finally {
    process.env.PATH = savedPath;
  }
});

describe('wrong use', () => {
  test('of a command or an option is exit code 2, with the nearest name', async () => {
    rig = makeRig(good);
    const command = await rig.run('plam');
    expect({ code: command.code, hint: command.err.includes('did you mean "plan"?') }).toEqual({ code: 2, hint: true });
    expect((await rig.run('plan', '--no-such')).code).toBe(2);
    expect((await rig.run('plan', '--skip-backfill', '--empty-backfill')).code).toBe(2);
    expect((await rig.run('plan', 'a', 'b')).code).toBe(2);
  });

  test('destroy asks for -y where nobody can be asked, and then removes the lake alone', async () => {
    rig = makeRig({ ...good, 'sources/raw.sql': "SOURCE (name raw, uri 'raw.csv');", 'sources/raw.csv': 'a\n1\n' });
    await rig.ok('apply');
    expect((await rig.run('destroy')).code).toBe(2);
    await rig.ok('destroy', '-y');
    expect({
      lake: existsSync(path.join(rig.folder, '.scilake/lake/catalog.ducklake')),
      raw: existsSync(path.join(rig.folder, 'sources/raw.csv')),
    }).toEqual({ lake: false, raw: true });
    await rig.ok('apply');
  });
});
