import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunFacts } from '../../src/domain/provenance.js';
import { files } from '../../src/effects/files.js';
import { openSqlite } from '../../src/effects/sqlite.js';
import { writeCanonical } from '../../src/metadata/canonical.js';
import { readContentsOf } from '../../src/metadata/contents.js';
import { mergeContents } from '../../src/metadata/merge.js';
import { recordedPins } from '../../src/metadata/pins.js';
import { MetadataStore } from '../../src/metadata/store.js';
import { contentsText } from '../../src/metadata/text.js';

const effects = { files, openSqlite };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'scilake-metadata-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function facts(
  runId: string,
  source: string,
  columns: Readonly<Record<string, string>>,
  license = 'CC-BY-4.0',
): RunFacts {
  return {
    run: {
      runId,
      planId: `plan-${runId}`,
      environment: 'prod',
      status: 'applied',
      author: 'tester',
      startedAt: `2026-01-0${runId}T00:00:00.000Z`,
      finishedAt: `2026-01-0${runId}T00:01:00.000Z`,
      snapshotBefore: 1,
      snapshotAfter: 2,
      gitCommit: 'abc',
      isGitDirty: false,
      configHash: 'c',
      tools: { duckdb: 'v1', scilake: '0' },
    },
    datasets: [
      {
        source,
        uri: `data/${source}.csv`,
        accession: 'GSE1',
        doi: '10.1/x',
        conceptDoi: '',
        resolved: '',
        title: '',
        license,
        licenseText: license,
        citation: '',
        homepage: '',
        description: '',
      },
    ],
    ingestions: [
      {
        source,
        version: `v${runId}`,
        status: 'done',
        format: 'csv',
        url: `data/${source}.csv`,
        finalUrl: '',
        etag: '',
        lastModified: '',
        fetchedAt: '',
        sizeBytes: 10,
        checksumDeclared: '',
        sha256: 'ff',
        rows: 3,
        elapsedMs: 1.6,
        error: '',
        dataset: {
          source,
          uri: '',
          accession: '',
          doi: '',
          conceptDoi: '',
          resolved: '',
          title: '',
          license: '',
          licenseText: '',
          citation: '',
          homepage: '',
          description: '',
        },
        files: [
          { name: 'b.csv', placeVersion: 'v1', sizeBytes: 4, sha256: 'bb', url: '', fetchedAt: '' },
          { name: 'a.csv', placeVersion: '', sizeBytes: 6, sha256: 'aa', url: '', fetchedAt: '' },
        ],
      },
    ],
    schemas: [{ source, table: 'file', columns: Object.entries(columns).map(([name, type]) => ({ name, type })) }],
    models: [],
  };
}

function storeIn(name: string): MetadataStore {
  return MetadataStore.open(placesIn(name), effects);
}
const placesIn = (name: string): { live: string; tracked: string } => ({
  live: path.join(folder, name, 'live.sqlite'),
  tracked: path.join(folder, name, 'metadata.sqlite'),
});

/** A store that has recorded these runs, in this order, and published. */
function published(name: string, ...runs: readonly RunFacts[]): string {
  const store = storeIn(name);
  for (const run of runs) store.record(run);
  store.publish();
  store.close();
  return placesIn(name).tracked;
}

const cells = facts('1', 'cells', { id: 'BIGINT', n: 'INTEGER' });
const genes = facts('2', 'genes', { gene: 'VARCHAR' });

describe('the tracked file', () => {
  test('equal contents are equal bytes, whatever came before them', () => {
    const a = published('a', cells, genes);
    const b = placesIn('b').tracked;
    const store = storeIn('b');
    store.record(genes);
    store.publish();
    store.record(cells);
    store.record(genes);
    store.publish();
    store.close();
    expect(Buffer.compare(readFileSync(a), readFileSync(b))).toBe(0);
  });

  test('is a whole database that anybody can read, and is left alone when nothing is new', () => {
    const file = published('a', cells);
    const database = openSqlite(file, 'read');
    expect(database.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(database.rows('SELECT source, license, first_run FROM datasets')).toEqual([
      { source: 'cells', license: 'CC-BY-4.0', first_run: '1' },
    ]);
    database.close();
    const before = files.facts(file)?.modifiedMs;
    const store = storeIn('a');
    expect(store.publish()).toBe(false);
    store.close();
    expect(files.facts(file)?.modifiedMs).toBe(before);
  });

  test('a fresh clone goes on from it', () => {
    const file = published('a', cells);
    files.makeFolder(path.join(folder, 'clone'));
    files.copy(file, placesIn('clone').tracked);
    const store = storeIn('clone');
    store.record(genes);
    store.publish();
    store.close();
    expect(
      readContentsOf(placesIn('clone').tracked, openSqlite)
        .get('runs')
        ?.map((row) => row.run_id),
    ).toEqual(['1', '2']);
  });

  test('what a pull brought wins over an older row here', () => {
    const file = published('a', cells);
    const theirs = published('b', cells, { ...facts('3', 'cells', { id: 'BIGINT', n: 'INTEGER' }, 'CC0-1.0') });
    rmSync(file);
    files.copy(theirs, file);
    const store = storeIn('a');
    expect(store.contents().get('datasets')).toMatchObject([{ license: 'CC0-1.0', first_run: '1', last_run: '3' }]);
    store.close();
  });
});

test('each schema has its first and last run, and what it changed', () => {
  const store = storeIn('a');
  store.record(cells);
  store.record(facts('2', 'cells', { id: 'BIGINT', n: 'INTEGER' }));
  store.record(facts('3', 'cells', { id: 'VARCHAR', batch: 'VARCHAR' }));
  expect(
    store
      .contents()
      .get('schema_versions')
      ?.map(({ diff, first_run, last_run }) => ({ diff, first_run, last_run }))
      .sort((a, b) => (String(a.first_run) < String(b.first_run) ? -1 : 1)),
  ).toEqual([
    { diff: '', first_run: '1', last_run: '2' },
    { diff: '- n\n~ id BIGINT -> VARCHAR\n+ batch VARCHAR', first_run: '3', last_run: '3' },
  ]);
  store.close();
});

test('the time at which a license was seen stays until another one is', () => {
  const store = storeIn('a');
  const seen = (): unknown => store.contents().get('datasets')?.[0]?.license_seen_at;
  store.record(cells);
  store.record(facts('2', 'cells', { id: 'BIGINT' }));
  expect(seen()).toBe('2026-01-01T00:00:00.000Z');
  store.record(facts('3', 'cells', { id: 'BIGINT' }, 'CC0-1.0'));
  expect(seen()).toBe('2026-01-03T00:00:00.000Z');
  store.close();
});

describe('merging', () => {
  const contentsOf = (name: string, ...runs: readonly RunFacts[]): ReturnType<MetadataStore['contents']> =>
    readContentsOf(published(name, ...runs), openSqlite);

  test('two branches that each ingest something merge, whichever is ours', () => {
    const [base, ours, theirs] = [
      contentsOf('base', cells),
      contentsOf('ours', cells, genes),
      contentsOf('theirs', cells, facts('3', 'samples', { s: 'VARCHAR' })),
    ];
    const one = mergeContents(base, ours, theirs);
    const other = mergeContents(base, theirs, ours);
    expect(one.conflicts).toEqual([]);
    expect(contentsText(one.contents)).toBe(contentsText(other.contents));
    expect(one.contents.get('datasets')?.map(({ source }) => source)).toEqual(['cells', 'genes', 'samples']);
    writeCanonical(path.join(folder, 'one'), one.contents, effects);
    writeCanonical(path.join(folder, 'other'), other.contents, effects);
    expect(Buffer.compare(readFileSync(path.join(folder, 'one')), readFileSync(path.join(folder, 'other')))).toBe(0);
  });

  test('two licenses for one source are a conflict that names the place', () => {
    const { conflicts } = mergeContents(
      contentsOf('base', cells),
      contentsOf('ours', cells, facts('2', 'cells', { id: 'BIGINT' }, 'CC0-1.0')),
      contentsOf('theirs', cells, facts('3', 'cells', { id: 'BIGINT' }, 'MIT')),
    );
    expect(conflicts.filter(({ column }) => column === 'license')).toEqual([
      { table: 'datasets', key: '["cells"]', column: 'license', ours: 'CC0-1.0', theirs: 'MIT' },
    ]);
  });
});

test('a file that is no database is an error, and stays', () => {
  const { tracked } = placesIn('a');
  files.writeText(tracked, 'not a database, but long enough to be looked at as one\n'.repeat(20));
  expect(() => storeIn('a')).toThrow(/file is not a database/);
  expect(files.readText(tracked)).toContain('not a database');
});

test('a file that a newer version wrote is an error, and stays', () => {
  const file = published('a', cells);
  const database = openSqlite(file, 'write');
  database.run('PRAGMA user_version = 99');
  database.close();
  const before = readFileSync(file);
  expect(() => storeIn('a')).toThrow(/has version 99.*install a newer Scilake/);
  expect(() => writeCanonical(file, new Map(), effects)).toThrow(/version 99/);
  expect(Buffer.compare(readFileSync(file), before)).toBe(0);
});

describe('a file of version 1', () => {
  const older = [
    'CREATE TABLE datasets (source TEXT, uri TEXT, accession TEXT, doi TEXT, license TEXT, license_text TEXT, license_seen_at TEXT, citation TEXT, homepage TEXT, description TEXT, first_run TEXT, last_run TEXT, PRIMARY KEY (source)) STRICT, WITHOUT ROWID',
    "INSERT INTO datasets VALUES ('cells', 'data/cells.csv', '', '10.1/x', 'MIT', 'MIT', '', '', '', '', '1', '1')",
  ];
  const write = (file: string): void => {
    files.makeFolder(path.dirname(file));
    const database = openSqlite(file, 'write');
    for (const statement of [...older, 'PRAGMA user_version = 1']) database.run(statement);
    database.close();
  };

  test('is taken over, with nothing in the columns that it lacks, and written anew', () => {
    const { tracked } = placesIn('a');
    write(tracked);
    const store = storeIn('a');
    expect(store.contents().get('datasets')).toMatchObject([
      { source: 'cells', doi: '10.1/x', concept_doi: '', resolved: '', title: '' },
    ]);
    store.record(genes);
    expect(store.publish()).toBe(true);
    store.close();
    const database = openSqlite(tracked, 'read');
    expect(database.rows('PRAGMA user_version')).toEqual([{ user_version: 3 }]);
    expect(database.rows('SELECT source, resolved FROM datasets')).toEqual([
      { source: 'cells', resolved: '' },
      { source: 'genes', resolved: '' },
    ]);
    database.close();
  });

  test('as the live database gets the columns that it lacks', () => {
    write(placesIn('a').live);
    const store = storeIn('a');
    const [dataset] = genes.datasets;
    store.record({
      ...genes,
      datasets: dataset === undefined ? [] : [{ ...dataset, resolved: '10.1/v2', title: 'Genes' }],
    });
    expect(store.contents().get('datasets')).toMatchObject([
      { source: 'cells', resolved: '' },
      { source: 'genes', resolved: '10.1/v2', title: 'Genes' },
    ]);
    store.close();
  });
});

describe('pins', () => {
  const pinned = (): RunFacts => {
    const [dataset] = cells.datasets;
    return { ...cells, datasets: dataset === undefined ? [] : [{ ...dataset, resolved: '10.1/v1' }] };
  };

  test('are what the tracked file says of a source at its present address', () => {
    published('a', pinned(), genes);
    files.remove(placesIn('a').live);
    const pinOf = recordedPins(placesIn('a'), effects);
    expect(pinOf({ name: 'cells', uri: 'data/cells.csv' })).toEqual({ resolved: '10.1/v1', at: '1' });
    expect(pinOf({ name: 'cells', uri: 'data/others.csv' })).toBeUndefined();
    expect(pinOf({ name: 'genes', uri: 'data/genes.csv' })).toBeUndefined();
    expect(recordedPins(placesIn('none'), effects)({ name: 'cells', uri: '' })).toBeUndefined();
  });

  test('are what a later run of this clone took, though it is not published', () => {
    published('a', pinned());
    const store = storeIn('a');
    const [dataset] = cells.datasets;
    const runId = '20240110T120000000Z-abc';
    const datasets = dataset === undefined ? [] : [{ ...dataset, resolved: '10.1/v2' }];
    store.record({ ...cells, run: { ...cells.run, runId }, datasets });
    store.close();
    const pin = recordedPins(placesIn('a'), effects)({ name: 'cells', uri: 'data/cells.csv' });
    expect(pin).toEqual({ resolved: '10.1/v2', at: '2024-01-10T12:00:00.000Z' });
  });

  test('of a file that cannot be read are an error, and not the newest version', () => {
    published('a', pinned());
    files.writeText(placesIn('a').tracked, 'not a database, but long enough to be looked at as one\n'.repeat(20));
    expect(() => recordedPins(placesIn('a'), effects)({ name: 'cells', uri: '' })).toThrow(/provenance cannot be read/);
  });
});
