import { randomBytes } from 'node:crypto';
import { type Diagnostic, DiagnosticError, messageOf } from '../domain/diagnostic.js';
import { literal, qualified } from '../domain/names.js';
import type { Database, Row } from '../effects/duckdb.js';
import type { ProcessFacts } from '../effects/process-facts.js';

/** The right to write a lake in a database, for as long as it is renewed. */
export interface Lease {
  /** @throws DiagnosticError SL0717 where it ran out, and somebody else may have taken it */
  assertHeld(): void;
  release(): Promise<void>;
}

/** A holder that is not heard of for so long has lost it. */
const LASTS_MS = 60_000;
const RENEWED_MS = 10_000;
/** Somebody else may be quicker with what a process that is gone has left. */
const ATTEMPTS = 3;
const TABLE = 'scilake_lease';
/** The name under which the lease's own connection has the database. */
const DATABASE = 'scilake_lease_database';

/**
 * Takes the lease of a lake. It is a row of a table of PostgreSQL, by PostgreSQL's clock, and is renewed in the background
 * over a connection of its own: the lake's may be busy for minutes. A process that is gone loses it at once to another of
 * its machine, and within a minute to others.
 *
 * @param database    an instance of its own, with the extension for PostgreSQL loaded; closed with the lease
 * @param connection  as libpq takes it
 * @param schema      of the lake's tables
 * @throws DiagnosticError SL0702 when somebody else holds it
 */
export async function takeLease(
  database: Database,
  { connection, schema }: { readonly connection: string; readonly schema: string },
  facts: Pick<ProcessFacts, 'pid' | 'host' | 'isAlive'>,
): Promise<Lease> {
  const table = qualified(schema, TABLE);
  const token = randomBytes(12).toString('hex');
  const execute = (sql: string): Promise<void> => database.run(`CALL postgres_execute('${DATABASE}', ${literal(sql)})`);
  /** PostgreSQL refuses one of two that write the same row at once: the other one has it then. */
  const attemptTo = async (sql: string): Promise<void> => {
    try {
      await execute(sql);
    } catch (thrown) {
      if (!/could not serialize|duplicate key|already exists|concurrently/i.test(messageOf(thrown))) throw thrown;
    }
  };
  const ask = (sql: string) => database.rows(`SELECT * FROM postgres_query('${DATABASE}', ${literal(sql)})`);
  const until = `clock_timestamp() + interval '${LASTS_MS} milliseconds'`;
  await database.run(`ATTACH ${literal(connection)} AS ${DATABASE} (TYPE postgres)`);
  await attemptTo(
    `CREATE SCHEMA IF NOT EXISTS ${qualified(schema)}; CREATE TABLE IF NOT EXISTS ${table} (name TEXT PRIMARY KEY, token TEXT NOT NULL, pid BIGINT NOT NULL, host TEXT NOT NULL, since TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL)`,
  );
  for (let attempt = 1; ; attempt += 1) {
    await attemptTo(
      `INSERT INTO ${table} VALUES ('write', ${literal(token)}, ${facts.pid}, ${literal(facts.host)}, clock_timestamp(), ${until})
ON CONFLICT (name) DO UPDATE SET token = excluded.token, pid = excluded.pid, host = excluded.host, since = excluded.since, expires_at = excluded.expires_at
WHERE ${TABLE}.expires_at < clock_timestamp()`,
    );
    const [row] = await ask(`SELECT token, pid, host, since::text AS since FROM ${table} WHERE name = 'write'`);
    if (row?.token === token) break;
    const isGone = row !== undefined && row.host === facts.host && !facts.isAlive(Number(row.pid));
    if (!isGone || attempt === ATTEMPTS) throw new DiagnosticError([heldBy(row)]);
    await attemptTo(`DELETE FROM ${table} WHERE name = 'write' AND token = ${literal(String(row.token))}`);
  }
  let heldUntilMs = performance.now() + LASTS_MS;
  let isTaken = false;
  const renew = async (): Promise<void> => {
    const askedMs = performance.now();
    await execute(`UPDATE ${table} SET expires_at = ${until} WHERE name = 'write' AND token = ${literal(token)}`);
    const [now] = await ask(`SELECT token FROM ${table} WHERE name = 'write'`);
    if (now?.token === token) heldUntilMs = askedMs + LASTS_MS;
    else isTaken = true;
  };
  // What cannot be renewed runs out: assertHeld tells.
  const timer = setInterval(() => void renew().catch(() => undefined), RENEWED_MS);
  timer.unref();
  return {
    assertHeld() {
      if (isTaken || performance.now() > heldUntilMs) throw new DiagnosticError([ranOut()]);
    },
    async release() {
      clearInterval(timer);
      try {
        await execute(`DELETE FROM ${table} WHERE name = 'write' AND token = ${literal(token)}`);
      } catch {
        // The database or its schema is gone: so is the lease.
      }
      database.close();
    },
  };
}

function heldBy(row: Row | undefined): Diagnostic {
  // Of two that ask at once, one may see neither.
  const who = row === undefined ? 'another process' : `process ${row.pid} on ${row.host} since ${row.since}`;
  return {
    code: 'SL0702',
    severity: 'error',
    message: `the lake is being written by ${who}`,
    hint: 'wait until it is done (--wait 10m does); of a process on another machine that is gone it ends within a minute',
  };
}

function ranOut(): Diagnostic {
  return {
    code: 'SL0717',
    severity: 'error',
    message: 'the right to write the lake was lost: its database was not reached for a minute',
    hint: 'apply again: what was built is kept',
  };
}
