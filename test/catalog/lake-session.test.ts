import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CommitNote, LakeOpener, type LakeSession } from '../../src/catalog/lake-session.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { files } from '../../src/effects/files.js';
import { processFacts } from '../../src/effects/process-facts.js';

let folder: string;
let lakes: LakeOpener;
let session: LakeSession;

const note = (key: string): CommitNote => ({ author: 'tester', message: `write ${key}`, key, details: { n: 1 } });
const open = (mode: 'read' | 'write'): Promise<LakeSession> =>
  lakes.open(
    { type: 'duckdb', schema: '', catalog: path.join(folder, 'lake/c.ducklake'), data: path.join(folder, 'lake/data') },
    { mode, settings: {}, projectFolder: folder },
  );
const rows = (sql: string): Promise<readonly object[]> => session.exclusively((database) => database.rows(sql));

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'scilake-lake-'));
  lakes = new LakeOpener({ duckdb, files, processFacts, now: () => new Date(0), announce: () => undefined });
  session = await open('write');
  await session.transaction(note('t'), (transaction) => transaction.run('CREATE TABLE __scilake.main.t (x INTEGER)'));
});
afterEach(async () => {
  await session.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a transaction', () => {
  test('is one snapshot, with author, message and key', async () => {
    const before = await session.snapshotId();
    await session.transaction(note('two tables'), async (transaction) => {
      await transaction.run('INSERT INTO __scilake.main.t VALUES (1)');
      await transaction.run('CREATE TABLE __scilake.main.u AS SELECT 2 AS y');
    });
    expect(await session.snapshotId()).toBe(before + 1);
    expect(
      await rows(
        'SELECT author, commit_message, commit_extra_info FROM __scilake.snapshots() ORDER BY snapshot_id DESC LIMIT 1',
      ),
    ).toEqual([
      { author: 'tester', commit_message: 'write two tables', commit_extra_info: '{"key":"two tables","n":1}' },
    ]);
  });

  test('in which a statement failed is rolled back, even when the error was caught', async () => {
    const failing = session.transaction(note('caught'), async (transaction) => {
      await transaction.run('INSERT INTO __scilake.main.t VALUES (1)');
      await transaction.run("SELECT error('on purpose')").catch(() => undefined);
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await rows('FROM __scilake.main.t')).toEqual([]);
  });

  test('whose work throws leaves nothing, and the session goes on', async () => {
    const failing = session.transaction(note('thrown'), async (transaction) => {
      await transaction.run('INSERT INTO __scilake.main.t VALUES (1)');
      throw new Error('ours');
    });
    await expect(failing).rejects.toThrow('ours');
    await session.transaction(note('next'), (transaction) =>
      transaction.run('INSERT INTO __scilake.main.t VALUES (2)'),
    );
    expect(await rows('FROM __scilake.main.t')).toEqual([{ x: 2 }]);
  });

  test('has the connection to itself until it is done', async () => {
    let isOpen = false;
    const write = session.transaction(note('slow'), async (transaction) => {
      isOpen = true;
      for (let x = 0; x < 5; x++) await transaction.run(`INSERT INTO __scilake.main.t VALUES (${x})`);
      isOpen = false;
    });
    const read = session.exclusively(async (database) => {
      expect(isOpen).toBe(false);
      return database.rows('SELECT count(*) AS n FROM __scilake.main.t');
    });
    await write;
    expect(await read).toEqual([{ n: '5' }]);
  });
});

describe('a lake', () => {
  test('is opened once in a process', async () => {
    await expect(open('read')).rejects.toThrow('open already');
  });

  test('can be opened again after it was closed, for reading and then for writing', async () => {
    await session.close();
    session = await open('read');
    await expect(
      session.exclusively((database) => database.run('CREATE TABLE __scilake.main.v (x INTEGER)')),
    ).rejects.toThrow(/read-only/i);
    await session.close();
    session = await open('write');
    await session.transaction(note('v'), (transaction) => transaction.run('CREATE TABLE __scilake.main.v (x INTEGER)'));
  });

  test('that was moved is read where it is, not where it was', async () => {
    await session.transaction(note('many'), (transaction) =>
      transaction.run('INSERT INTO __scilake.main.t SELECT * FROM range(1000)'),
    );
    await session.close();
    const moved = path.join(folder, 'moved');
    files.rename(path.join(folder, 'lake'), moved);
    session = await lakes.open(
      { type: 'duckdb', schema: '', catalog: path.join(moved, 'c.ducklake'), data: path.join(moved, 'data') },
      { mode: 'write', settings: {}, projectFolder: folder },
    );
    expect(await rows('SELECT sum(x)::BIGINT AS s FROM __scilake.main.t')).toEqual([{ s: '499500' }]);
  });

  test('replaces an instance that DuckDB has given up', async () => {
    const file = path.join(folder, 'one.parquet');
    await session.exclusively((database) => database.run(`COPY (SELECT 1 AS x) TO '${file}' (FORMAT parquet)`));
    // Made, filled by registration and dropped in one transaction: DuckLake 1.0 ends that with an INTERNAL error.
    const broken = session.transaction(note('internal'), async (transaction) => {
      await transaction.run('CREATE TABLE __scilake.main.bad (x INTEGER)');
      await transaction.run(`CALL ducklake_add_data_files('__scilake', 'bad', '${file}')`);
      await transaction.run('DROP TABLE __scilake.main.bad');
    });
    await expect(broken).rejects.toThrow(/INTERNAL/);
    await session.transaction(note('after'), (transaction) =>
      transaction.run('INSERT INTO __scilake.main.t VALUES (7)'),
    );
    expect(await rows('FROM __scilake.main.t')).toEqual([{ x: 7 }]);
  });
});
