import * as path from 'node:path';
import { setTimeout as timeout } from 'node:timers/promises';
import { type Diagnostic, DiagnosticError, messageOf } from '../domain/diagnostic.js';
import { LAKE, literal, qualified } from '../domain/names.js';
import type { Database, Parameter, Row } from '../effects/duckdb.js';
import { type LoadedExtension, loadExtension } from '../effects/extensions.js';
import type { LakeEffects, LakeLocation, LakeOptions } from './lake.js';
import { takeLease } from './lease.js';
import { takeLock } from './lock-file.js';
import { connectionText, type Opened, openDatabase } from './open-database.js';

export type { LakeEffects, LakeLocation, LakeOptions } from './lake.js';

/** What is recorded with a transaction, in DuckLake's own snapshot record. */
export interface CommitNote {
  readonly author: string;
  readonly message: string;
  /** Unique for this transaction: what became of it can be looked up after a crash. */
  readonly key: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** Statements within one transaction. */
export interface Transaction {
  run(sql: string, parameters?: readonly Parameter[]): Promise<void>;
  rows(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>;
}

/** One process's only way to a lake: one instance, one connection, one transaction at a time. */
export interface LakeSession {
  readonly extension: LoadedExtension;
  readonly location: LakeLocation;
  /** Runs `work` in one transaction, which becomes one DuckLake snapshot if it writes. An error in it, even a caught one, rolls back. */
  transaction<T>(note: CommitNote, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs `work` with nothing else in between, without a transaction of its own: reads, or writes to memory only. */
  exclusively<T>(work: (database: Database) => Promise<T>): Promise<T>;
  /** DuckLake's current snapshot id. */
  snapshotId(): Promise<number>;
  /** Removes what the catalog is made of, in a database; of a file the caller removes the file. Nothing but `close` may follow. */
  dropCatalog(): Promise<void>;
  close(): Promise<void>;
}

/** There is a catalog file, but no lake in it: whoever began to make one was cut off. Opening it for writing makes it. */
export class LakeMissingError extends Error {
  override readonly name = 'LakeMissingError';
}

/** What a writer holds while it is at work. */
interface WriteRight {
  /** @throws DiagnosticError where it was lost */
  assertHeld(): void;
  release(): Promise<void>;
}

/** What a session has of whoever opened it. */
interface SessionRights {
  readonly assertHeld: () => void;
  readonly giveBack: () => Promise<void>;
}

/** Opens lakes, and remembers which are open: two instances over one catalog file in one process lose commits. */
export class LakeOpener {
  readonly #open = new Set<string>();
  readonly #effects: LakeEffects;

  constructor(effects: LakeEffects) {
    this.#effects = effects;
  }

  /** Whether there can be a lake: of a database only opening it tells. */
  exists(location: LakeLocation): boolean {
    return location.type === 'postgres' || this.#effects.files.facts(location.catalog) !== undefined;
  }

  /** @throws DiagnosticError when the lake is locked, unwritable or of another version */
  async open(location: LakeLocation, options: LakeOptions): Promise<LakeSession> {
    const { files } = this.#effects;
    if (options.mode === 'write') makeWritable(location, this.#effects);
    const data = files.facts(location.data) === undefined ? location.data : files.real(location.data);
    const real = { ...location, catalog: realCatalog(location, files), data };
    if (this.#open.has(real.catalog)) throw new Error(`the lake ${real.catalog} is open already in this process`);
    return patiently(options.waitMs ?? 0, this.#effects, () => this.#openOnce(real, options));
  }

  async #openOnce(real: LakeLocation, options: LakeOptions): Promise<LakeSession> {
    this.#open.add(real.catalog);
    let right: WriteRight | undefined;
    try {
      right = options.mode === 'write' ? await this.#rightToWrite(real) : undefined;
      const giveBack = async (): Promise<void> => {
        this.#open.delete(real.catalog);
        await right?.release();
      };
      return await Session.start(real, options, this.#effects, { giveBack, assertHeld: () => right?.assertHeld() });
    } catch (thrown) {
      this.#open.delete(real.catalog);
      await right?.release();
      throw asDiagnostic(thrown, real);
    }
  }

  async #rightToWrite(real: LakeLocation): Promise<WriteRight> {
    const { processFacts, now, duckdb } = this.#effects;
    if (real.type === 'duckdb') {
      const release = takeLock(`${real.catalog}.lock`, processFacts, now);
      // DuckDB's own lock on the file stands behind it.
      return { assertHeld: () => undefined, release: async () => release() };
    }
    const database = await duckdb.open();
    try {
      await loadExtension(database, 'postgres_scanner', this.#effects);
      return await takeLease(database, { connection: connectionText(real.catalog), schema: real.schema }, processFacts);
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }
}

function realCatalog({ type, catalog }: LakeLocation, files: LakeEffects['files']): string {
  return type === 'postgres' ? catalog : path.join(files.real(path.dirname(catalog)), path.basename(catalog));
}

const POLL_MS = 200;

/** Tries again as long as somebody else holds the lake, and says once who that is. */
async function patiently<T>(waitMs: number, { now, announce, sleep }: LakeEffects, open: () => Promise<T>): Promise<T> {
  const until = now().getTime() + waitMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await open();
    } catch (thrown) {
      const isHeld = thrown instanceof DiagnosticError && thrown.diagnostics[0]?.code === 'SL0702';
      if (!isHeld || now().getTime() >= until) throw thrown;
      if (attempt === 0) announce(`${thrown.diagnostics[0]?.message}: waiting`);
      await (sleep ?? ((ms) => timeout(ms)))(POLL_MS);
    }
  }
}

function makeWritable(location: LakeLocation, { files }: LakeEffects): void {
  try {
    if (location.type === 'duckdb') files.makeFolder(path.dirname(location.catalog));
    files.makeFolder(location.data);
  } catch (thrown) {
    throw new DiagnosticError([unwritable(location, messageOf(thrown))], { cause: thrown });
  }
}

function unwritable(location: LakeLocation, why: string): Diagnostic {
  return {
    code: 'SL0703',
    severity: 'error',
    message: `the lake at ${location.catalog} cannot be written: ${why}`,
    hint: 'check the permissions of the folder and the space on the disk, or set lake.catalog and lake.data in scilake.yaml',
  };
}

function asDiagnostic(thrown: unknown, location: LakeLocation): unknown {
  const message = messageOf(thrown);
  if (/creating a new DuckLake is explicitly disabled/.test(message))
    return new LakeMissingError(message, { cause: thrown });
  if (location.type === 'postgres' && /Unable to connect|connection to server|could not connect/i.test(message))
    return new DiagnosticError([unreachable(location, message)], { cause: thrown });
  const holder = /Conflicting lock is held in (.+?) \(PID (\d+)\)/.exec(message);
  if (holder !== null) {
    return new DiagnosticError(
      [
        {
          code: 'SL0702',
          severity: 'error',
          message: `the lake is open in another program: ${holder[1]}, process ${holder[2]}`,
          hint: 'wait until it is done (--wait 10m does), or close it',
        },
      ],
      { cause: thrown },
    );
  }
  if (/permission denied|read-only file system|Cannot open file/i.test(message))
    return new DiagnosticError([unwritable(location, message.split('\n')[0] ?? '')], { cause: thrown });
  return thrown;
}

function unreachable({ catalog }: LakeLocation, message: string): Diagnostic {
  const said = /connection to server[\s\S]*|FATAL[\s\S]*/i.exec(message)?.[0] ?? message;
  const [line = ''] = said.split('\n');
  return {
    code: 'SL0716',
    severity: 'error',
    message: `the lake's database ${catalog} does not answer: ${line.replace(/password=\S+/g, 'password=***').trim()}`,
    hint: 'is it there? the password comes from PGPASSWORD or ~/.pgpass',
  };
}

class Session implements LakeSession {
  readonly location: LakeLocation;
  extension: LoadedExtension;
  readonly #options: LakeOptions;
  readonly #effects: LakeEffects;
  readonly #rights: SessionRights;
  #database: Database;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    opened: Opened,
    location: LakeLocation,
    options: LakeOptions,
    rest: { readonly effects: LakeEffects; readonly rights: SessionRights },
  ) {
    this.#database = opened.database;
    this.extension = opened.extension;
    this.location = location;
    this.#options = options;
    this.#effects = rest.effects;
    this.#rights = rest.rights;
  }

  static async start(
    location: LakeLocation,
    options: LakeOptions,
    effects: LakeEffects,
    rights: SessionRights,
  ): Promise<Session> {
    return new Session(await openDatabase(location, options, effects), location, options, { effects, rights });
  }

  exclusively<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      try {
        return await work(this.#database);
      } catch (thrown) {
        await this.#replaceIfDead(thrown);
        throw thrown;
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  transaction<T>(note: CommitNote, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.exclusively(async (database) => {
      await database.run('BEGIN');
      let firstError: unknown;
      const guarded = async <R>(call: () => Promise<R>): Promise<R> => {
        try {
          return await call();
        } catch (thrown) {
          firstError ??= thrown;
          throw thrown;
        }
      };
      try {
        const value = await work({
          run: (sql, parameters) => guarded(() => database.run(sql, parameters)),
          rows: (sql, parameters) => guarded(() => database.rows(sql, parameters)),
        });
        // DuckDB resolves the COMMIT of an aborted transaction and rolls it back without a word.
        if (firstError !== undefined) throw firstError;
        await database.run(`CALL ${LAKE}.set_commit_message($1, $2, extra_info => $3)`, [
          note.author,
          note.message,
          JSON.stringify({ key: note.key, ...note.details }),
        ]);
        this.#rights.assertHeld();
        await this.#commit(database, note);
        return value;
      } catch (thrown) {
        await rollback(database);
        throw thrown;
      }
    });
  }

  async snapshotId(): Promise<number> {
    const [row] = await this.exclusively((database) => database.rows(`SELECT id FROM ${LAKE}.current_snapshot()`));
    return Number(row?.id);
  }

  async dropCatalog(): Promise<void> {
    const { type, schema } = this.location;
    if (type !== 'postgres') return;
    await this.exclusively((database) =>
      database.run(
        `CALL postgres_execute(${literal(`__ducklake_metadata_${LAKE}`)}, ${literal(`DROP SCHEMA ${qualified(schema)} CASCADE`)})`,
      ),
    );
  }

  async close(): Promise<void> {
    await this.#queue;
    try {
      await this.#database.run('USE memory');
      await this.#database.run(`DETACH ${LAKE}`);
    } catch {
      // A dead instance cannot detach; closing it gives the file back all the same.
    }
    this.#database.close();
    await this.#rights.giveBack();
  }

  async #commit(database: Database, note: CommitNote): Promise<void> {
    try {
      await database.run('COMMIT');
    } catch (thrown) {
      // The answer was lost or the commit failed: the lake itself knows which.
      if (await this.#isCommitted(note.key)) return;
      throw thrown;
    }
  }

  async #isCommitted(key: string): Promise<boolean> {
    try {
      const rows = await this.#database.rows(
        `SELECT snapshot_id FROM ${LAKE}.snapshots() WHERE commit_extra_info LIKE $1`,
        [`%"key":"${key}"%`],
      );
      return rows.length > 0;
    } catch {
      return false;
    }
  }

  /** An instance that reported an internal error refuses everything from then on: a new one takes its place. */
  async #replaceIfDead(thrown: unknown): Promise<void> {
    if (!/INTERNAL Error|FATAL Error|database has been invalidated/.test(messageOf(thrown))) return;
    this.#database.close();
    const opened = await openDatabase(this.location, this.#options, this.#effects);
    this.#database = opened.database;
    this.extension = opened.extension;
  }
}

async function rollback(database: Database): Promise<void> {
  try {
    await database.run('ROLLBACK');
  } catch {
    // A failed COMMIT has ended the transaction already.
  }
}
