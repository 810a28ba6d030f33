import { type Diagnostic, DiagnosticError } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import type { ProcessFacts } from '../effects/process-facts.js';

/** Who holds a lake's lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/**
 * One writer at a time, and a name to it. DuckDB locks the catalog file as well, but its lock is lost when the same
 * process opens and closes the file otherwise, and it cannot say who holds it on another machine.
 *
 * @returns a function that gives the lock back
 * @throws DiagnosticError when somebody else holds it
 */
export function takeLock(file: string, facts: ProcessFacts, now: () => Date): () => void {
  const mine: LockHolder = { pid: facts.pid, host: facts.host, since: now().toISOString() };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (facts.createExclusively(file, JSON.stringify(mine))) return () => facts.removeFile(file);
    const text = facts.readFile(file);
    if (text === undefined) continue;
    const holder = readHolder(text);
    // A process of this machine that is gone cannot give its lock back.
    const isAbandoned = holder === undefined || (holder.host === facts.host && !facts.isAlive(holder.pid));
    if (!isAbandoned) throw new DiagnosticError([lockedBy(file, holder)]);
    facts.removeIf(file, text);
  }
  throw new DiagnosticError([lockedBy(file, undefined)]);
}

function readHolder(text: string): LockHolder | undefined {
  try {
    const holder: unknown = JSON.parse(text);
    if (!isRecord(holder) || typeof holder.pid !== 'number') return undefined;
    return { pid: holder.pid, host: String(holder.host), since: String(holder.since) };
  } catch {
    return undefined;
  }
}

function lockedBy(file: string, holder: LockHolder | undefined): Diagnostic {
  const who =
    holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  return {
    code: 'SL0702',
    severity: 'error',
    message: `the lake is being written by ${who}`,
    hint: `wait until it is done (--wait 10m does); if that process is gone, remove ${file}`,
  };
}
