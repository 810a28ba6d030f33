import { asCall } from '../../src/domain/fragment.js';
import type { FillRequest, ModelKind } from '../../src/domain/kind.js';
import { PropertyReader } from '../../src/domain/property-reader.js';
import type { Database, Row } from '../../src/effects/duckdb.js';
import { findKind } from '../../src/kinds/index.js';
import { tokenize } from '../../src/parse/tokenizer.js';
import { columnsOf } from '../support/database.js';
import { between, textFile, utc } from '../support/project-text.js';

export const TARGET = '"t"';
const STAGING = '"staging__t"';

/** The kind that a header asks for with `kind …`. */
export function kindOf(text: string): ModelKind {
  const { tokens } = tokenize(text);
  const call = asCall({ file: textFile(text), tokens });
  const definition = findKind(call?.name ?? '');
  if (call === undefined || definition === undefined) throw new Error(`no kind: ${text}`);
  const reader = new PropertyReader({
    file: textFile(text),
    owner: text,
    ownerSpan: call.nameSpan,
    properties: call.arguments,
  });
  const kind = definition.read(reader);
  if (reader.diagnostics.length > 0) throw new Error(JSON.stringify(reader.diagnostics));
  return kind;
}

/** Makes the empty table that the tests of a kind fill. */
export async function emptyTable(database: Database, columns: string): Promise<void> {
  await database.run(`CREATE OR REPLACE TABLE ${TARGET} (${columns})`);
}

/** Rows that broke a check of the fill; the fill stops there, as a transaction would. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly rows: readonly Row[];
}

/** Runs the statements of one fill, as `apply` does. */
export async function fill(
  database: Database,
  kind: ModelKind,
  query: string,
  options: Partial<Pick<FillRequest, 'interval' | 'isEmpty' | 'partitionedBy' | 'executionTime'>> = {},
): Promise<Refusal | undefined> {
  const request: FillRequest = {
    target: TARGET,
    staging: STAGING,
    columns: await columnsOf(database, TARGET),
    query,
    interval: options.interval ?? between('2024-01-01', '2024-01-02'),
    isEmpty: options.isEmpty ?? false,
    partitionedBy: options.partitionedBy ?? [],
    executionTime: options.executionTime ?? utc('2024-01-10'),
  };
  await database.run('BEGIN');
  try {
    for (const statement of kind.fill(request)) {
      if (statement.type === 'write') await database.run(statement.sql);
      else {
        const rows = await database.rows(statement.sql);
        if (rows.length > 0) {
          await database.run('ROLLBACK');
          return { code: statement.code, message: statement.message, rows };
        }
      }
    }
  } catch (thrown) {
    await database.run('ROLLBACK');
    throw thrown;
  }
  await database.run(`DROP TABLE IF EXISTS ${STAGING}`);
  await database.run('COMMIT');
  return undefined;
}

/** The table's rows as text, `a|b`, sorted. */
export async function content(database: Database): Promise<readonly string[]> {
  const rows = await database.rows(`SELECT COLUMNS(*)::VARCHAR FROM ${TARGET}`);
  return rows.map((row) => Object.values(row).map(String).join('|')).sort();
}
