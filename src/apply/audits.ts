import type { AuditResult } from '../domain/audit-result.js';
import { type Diagnostic, DiagnosticError } from '../domain/diagnostic.js';
import type { Emit } from '../domain/event.js';
import type { Interval } from '../domain/interval.js';
import type { AuditQuery } from '../domain/program.js';
import { isReached } from '../domain/threshold.js';
import type { Row } from '../effects/duckdb.js';

const SAMPLE_ROWS = 3;

export interface AuditRequest {
  readonly queries: readonly AuditQuery[];
  /** Key of the model, or what else is audited; empty for an audit that stands alone. */
  readonly model: string;
  readonly version: string;
  readonly interval: Interval;
  /** How many of the rows that break an audit are kept. */
  readonly storeRows: number;
  /** Hash of an audit that stands alone. */
  readonly definition?: string;
  /** What to do about an audit that blocks. */
  readonly hint: string;
  /** Runs a query within whatever transaction is open, so that rows not yet visible to others are seen. */
  readonly run: (sql: string) => Promise<readonly Row[]>;
  readonly emit: Emit;
}

/** Blocking audits found rows: what they found, and how all audits of the same run ended. */
export class AuditFailure extends DiagnosticError {
  readonly results: readonly AuditResult[];
  constructor(diagnostics: readonly Diagnostic[], results: readonly AuditResult[]) {
    super(diagnostics);
    this.results = results;
  }
}

/**
 * Runs audits. All of them run, so that one try shows everything that is wrong. Warnings are emitted.
 *
 * @returns how each ended
 * @throws AuditFailure with one diagnostic for each audit that blocks
 */
export async function runAudits(request: AuditRequest): Promise<readonly AuditResult[]> {
  const { queries, run, emit, storeRows } = request;
  const blocking: Diagnostic[] = [];
  const results: AuditResult[] = [];
  for (const audit of queries) {
    const [count] = await run(`SELECT count(*) AS n FROM (${audit.sql}\n) AS audited`);
    const rowCount = Number(count?.n);
    const isBlocking = audit.errorIf !== undefined && isReached(audit.errorIf, rowCount);
    const isWarning = !isBlocking && isReached(audit.warnIf, rowCount);
    const limit = Math.max(storeRows, SAMPLE_ROWS);
    const rows = isBlocking || isWarning ? await run(`SELECT * FROM (${audit.sql}\n) AS audited LIMIT ${limit}`) : [];
    results.push(
      resultOf(request, audit, {
        status: isBlocking ? 'failed' : isWarning ? 'warned' : 'passed',
        rowCount,
        rows: rows.slice(0, storeRows),
      }),
    );
    if (isBlocking) blocking.push(diagnosticOf(request, audit, { rowCount, rows, severity: 'error' }));
    else if (isWarning)
      emit({ type: 'diagnostic', diagnostic: diagnosticOf(request, audit, { rowCount, rows, severity: 'warning' }) });
  }
  if (blocking.length > 0) throw new AuditFailure(blocking, results);
  return results;
}

/** Rows that broke audits, over all of them. */
export function brokenRows(results: readonly AuditResult[]): number {
  return results.reduce((sum, { status, rowCount }) => sum + (status === 'passed' ? 0 : rowCount), 0);
}

function resultOf(
  { model, version, interval, definition = '' }: AuditRequest,
  { name: audit }: AuditQuery,
  found: Pick<AuditResult, 'status' | 'rowCount' | 'rows'>,
): AuditResult {
  return { audit, model, version, interval, definition, ...found };
}

function diagnosticOf(
  { model, hint }: AuditRequest,
  audit: AuditQuery,
  found: { readonly rowCount: number; readonly rows: readonly Row[]; readonly severity: Diagnostic['severity'] },
): Diagnostic {
  const { rowCount, rows, severity } = found;
  const shown = rows.slice(0, SAMPLE_ROWS).map(inOneLine).join('; ');
  const of = model === '' ? '' : ` of ${model}`;
  return {
    code: severity === 'error' ? 'SL0801' : 'SL0802',
    severity,
    message: `audit ${audit.name}${of} found ${rowCount} ${rowCount === 1 ? 'row' : 'rows'}${shown === '' ? '' : `: ${shown}`}${rowCount > SAMPLE_ROWS ? '; …' : ''}`,
    location: audit.location,
    ...(severity === 'error' ? { hint } : {}),
  };
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
