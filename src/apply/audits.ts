import { type Diagnostic, DiagnosticError } from '../domain/diagnostic.js';
import type { Emit } from '../domain/event.js';
import type { Interval } from '../domain/interval.js';
import type { ModelProgram } from '../domain/program.js';
import { isReached } from '../domain/threshold.js';
import type { Row } from '../effects/duckdb.js';

const SAMPLE_ROWS = 3;

export interface AuditRequest {
  readonly program: ModelProgram;
  readonly model: string;
  /** Quoted name of the physical table or view. */
  readonly table: string;
  readonly interval: Interval;
  /** Runs a query within whatever transaction is open, so that rows not yet visible to others are seen. */
  readonly run: (sql: string) => Promise<readonly Row[]>;
  readonly emit: Emit;
}

/**
 * Runs a model's audits. All of them run, so that one try shows everything that is wrong.
 *
 * @returns number of rows found by audits that do not block
 * @throws DiagnosticError with one diagnostic for each blocking audit that found rows
 */
export async function runAudits({ program, model, table, interval, run, emit }: AuditRequest): Promise<number> {
  const queries = program.audits(table, interval);
  if (!queries.ok) throw new DiagnosticError(queries.errors);
  const blocking: Diagnostic[] = [];
  let found = 0;
  for (const audit of queries.value) {
    const [count] = await run(`SELECT count(*) AS n FROM (${audit.sql}\n) AS audited`);
    const rows = Number(count?.n);
    const isBlocking = audit.errorIf !== undefined && isReached(audit.errorIf, rows);
    if (!isBlocking && !isReached(audit.warnIf, rows)) continue;
    const sample = await run(`SELECT * FROM (${audit.sql}\n) AS audited LIMIT ${SAMPLE_ROWS}`);
    const diagnostic: Diagnostic = {
      code: isBlocking ? 'SL0801' : 'SL0802',
      severity: isBlocking ? 'error' : 'warning',
      message: `audit ${audit.name} of ${model} found ${rows} ${rows === 1 ? 'row' : 'rows'}: ${sample.map(inOneLine).join('; ')}${rows > SAMPLE_ROWS ? '; …' : ''}`,
      location: audit.location,
      ...(isBlocking
        ? { hint: 'nothing of this load is visible; correct the query or the data, or make the audit non-blocking' }
        : {}),
    };
    if (isBlocking) blocking.push(diagnostic);
    else {
      found += rows;
      emit({ type: 'diagnostic', diagnostic });
    }
  }
  if (blocking.length > 0) throw new DiagnosticError(blocking);
  return found;
}

function inOneLine(row: Row): string {
  const cells = Object.entries(row)
    .slice(0, 6)
    .map(
      ([name, value]) =>
        `${name} = ${value === null ? 'NULL' : typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    );
  return cells.join(', ');
}
