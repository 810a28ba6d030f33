import type { CodeRow, ModelCodeContext } from '../domain/code.js';
import type { Column } from '../domain/column.js';
import { type Diagnostic, DiagnosticError, messageOf } from '../domain/diagnostic.js';
import type { Interval } from '../domain/interval.js';
import { ident, literal } from '../domain/names.js';
import type { ProgramCode } from '../domain/program.js';
import type { Snapshot } from '../domain/snapshot.js';
import type { Database } from '../effects/duckdb.js';
import type { Work } from './work.js';

const ROWS = ident('__scilake_rows');
/** Rows that travel to DuckDB in one statement. */
const CHUNK_ROWS = 1000;

/**
 * Runs a model written in TypeScript for one interval.
 *
 * @returns the query that gives its rows: its own SQL, or a SELECT over a temporary table that holds them
 * @throws DiagnosticError with what the model threw, or what is wrong with its rows
 */
export async function computeRows(
  { run, variables }: ProgramCode,
  snapshot: Snapshot,
  interval: Interval,
  work: Work,
): Promise<string> {
  const context: ModelCodeContext = {
    start: new Date(interval.start),
    end: new Date(interval.end),
    executionTime: new Date(work.plan.options.executionTime),
    query: (sql) => work.session.exclusively((database) => database.rows(sql)),
    variable: (name) => variables.get(name.toLowerCase()),
  };
  try {
    const result = await run(context);
    const added = new Set(addedNames(snapshot, work));
    const columns = snapshot.columns.filter((column) => !added.has(column.name));
    if (typeof result === 'string') {
      // By name, and in the declared types: the author may list columns in any order.
      const casts = columns.map(({ name, type }) => `CAST(${ident(name)} AS ${type}) AS ${ident(name)}`);
      return `SELECT ${casts.join(', ')}\nFROM (${result}\n) AS computed`;
    }
    const list = columns.map((column) => `${ident(column.name)} ${column.type}`).join(', ');
    await work.session.exclusively((database) => database.run(`CREATE OR REPLACE TEMP TABLE ${ROWS} (${list})`));
    let chunk: CodeRow[] = [];
    const flush = async (): Promise<void> => {
      const rows = chunk;
      chunk = [];
      if (rows.length > 0) await work.session.exclusively((database) => insert(database, columns, rows));
    };
    for await (const row of result) {
      chunk.push(row);
      if (chunk.length >= CHUNK_ROWS) await flush();
    }
    await flush();
    return `SELECT * FROM temp.${ROWS}`;
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) throw thrown;
    const diagnostic: Diagnostic = {
      code: 'SL0713',
      severity: 'error',
      message: `${snapshot.key} failed in its own code: ${messageOf(thrown).split('\n')[0]}`,
      location: { file: snapshot.file, line: 1, column: 1, length: 1, text: '' },
    };
    throw new DiagnosticError([diagnostic], { cause: thrown });
  }
}

export async function dropComputed(work: Work): Promise<void> {
  await work.session.exclusively((database) => database.run(`DROP TABLE IF EXISTS temp.${ROWS}`));
}

function addedNames(snapshot: Snapshot, work: Work): readonly string[] {
  return (work.programs.get(snapshot.key)?.kind.addedColumns ?? []).map((column) => column.name);
}

/** Values go as JSON and are cast by DuckDB to the declared types, so that a wrong one is an error and not a guess. */
async function insert(database: Database, columns: readonly Column[], rows: readonly CodeRow[]): Promise<void> {
  const known = new Map(columns.map((column) => [column.name.toLowerCase(), column.name]));
  const texts = rows.map((row) => {
    const values = Object.entries(row).map(([name, value]) => {
      const column = known.get(name.toLowerCase());
      if (column === undefined)
        throw new Error(`a row has "${name}", which is not declared; declared are ${[...known.values()].join(', ')}`);
      return [column, value] as const;
    });
    return Object.fromEntries(values);
  });
  const cells = columns.map(({ name, type }) => {
    const path = literal(`$.${JSON.stringify(name)}`);
    // A nested value stays JSON on its way; a scalar is its own text.
    const isNested = /[([]/.test(type) && !type.startsWith('DECIMAL(');
    return isNested
      ? `CAST(json_extract(given, ${path}) AS ${type})`
      : `CAST(json_extract_string(given, ${path}) AS ${type})`;
  });
  await database.run(
    `INSERT INTO temp.${ROWS}\nSELECT ${cells.join(', ')}\nFROM (SELECT unnest(CAST($1::VARCHAR AS JSON[])) AS given)`,
    [JSON.stringify(texts, jsonValue)],
  );
}

/** BigInt has no JSON; times go as ISO text already. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
