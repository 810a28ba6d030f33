import { lastAuditResults, writeAuditResults } from '../catalog/audit-results.js';
import type { LakeSession } from '../catalog/lake-session.js';
import { openRunCatalog, type RunCatalog } from '../catalog/run-catalog.js';
import { environmentTables } from '../catalog/state-tables.js';
import type { AuditResult, RecordedAuditResult } from '../domain/audit-result.js';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import { type Diagnostic, DiagnosticError, messageOf, type Result } from '../domain/diagnostic.js';
import { type Interval, intersect } from '../domain/interval.js';
import { inLake, outsideTable } from '../domain/names.js';
import type { AuditQuery, ModelProgram } from '../domain/program.js';
import { builtKey, type Environment, type LakeState, physicalTable } from '../domain/snapshot.js';
import type { Files } from '../effects/files.js';
import { AuditFailure, runAudits } from './audits.js';
import { auditFreshness } from './source-freshness.js';
import type { ApplyRequest, StandaloneQuery } from './work.js';

export interface AuditEnvironmentRequest {
  readonly session: LakeSession;
  readonly project: BoundProject;
  readonly programs: ReadonlyMap<string, ModelProgram>;
  readonly standalone: ApplyRequest['standalone'];
  readonly environment: Environment;
  readonly state: LakeState;
  /** What to audit; undefined: all. Names of models, of sources and of audits that stand alone. */
  readonly names: ReadonlySet<string> | undefined;
  /** Bounds on what is audited of models by time. */
  readonly range: { readonly start?: number; readonly end?: number };
  /** ms UTC. */
  readonly executionTime: number;
  readonly keepsResults: boolean;
  readonly now: Date;
  readonly files: Files;
}

export interface EnvironmentAudits {
  readonly results: readonly AuditResult[];
  readonly diagnostics: readonly Diagnostic[];
  /** Models that the environment has no rows of. */
  readonly unbuilt: readonly string[];
}

const hint = 'correct the models or the data, or make the audit non-blocking';

/** Audits what an environment holds, without building anything: models, sources with a promise of freshness, audits that stand alone. */
export async function auditEnvironment(request: AuditEnvironmentRequest): Promise<EnvironmentAudits> {
  const { session, project, environment, state, names } = request;
  const runCatalog = await openRunCatalog(session);
  try {
    await runCatalog.pointAt(environmentTables(environment, state));
    await nameOthers(request, runCatalog);
    const found = new Findings();
    const unbuilt: string[] = [];
    for (const bound of project.models.filter(({ model }) => names?.has(model.key) ?? true)) {
      const target = auditedTable(bound, request);
      if (target === undefined) {
        if (bound.model.audits.length > 0 && bound.model.kind.storage !== 'inline') unbuilt.push(bound.model.key);
        continue;
      }
      const queries = request.programs.get(bound.model.key)?.audits(target.table, target.interval);
      await found.run(queries, { ...target, model: bound.model.key, definition: '' }, request);
    }
    for (const [name, one] of request.standalone)
      if (names?.has(name) ?? true) await found.run(listed(one), standaloneTarget(one, request), request);
    for (const source of project.sources.filter(({ source: { name } }) => names?.has(name) ?? true))
      found.add(await auditFreshness(source, request));
    if (request.keepsResults && found.results.length > 0) await keep(found.results, request);
    return { results: found.results, diagnostics: found.diagnostics, unbuilt };
  } finally {
    await runCatalog.close();
  }
}

/** How audits of an environment ended when they ran last. */
export function lastAudits(session: LakeSession, environment: string): Promise<readonly RecordedAuditResult[]> {
  return session.exclusively((database) => lastAuditResults(database, environment));
}

/** What all audits of one call found. */
class Findings {
  readonly results: AuditResult[] = [];
  readonly diagnostics: Diagnostic[] = [];

  add({
    result,
    diagnostic,
  }: {
    readonly result: AuditResult | undefined;
    readonly diagnostic: Diagnostic | undefined;
  }): void {
    if (result !== undefined) this.results.push(result);
    if (diagnostic !== undefined) this.diagnostics.push(diagnostic);
  }

  /** One audit that cannot run does not hold up the others. */
  async run(
    queries: Result<readonly AuditQuery[]> | undefined,
    subject: {
      readonly model: string;
      readonly version: string;
      readonly interval: Interval;
      readonly definition: string;
    },
    { session, project }: AuditEnvironmentRequest,
  ): Promise<void> {
    if (queries === undefined) return;
    if (!queries.ok) {
      this.diagnostics.push(...queries.errors);
      return;
    }
    for (const query of queries.value) {
      try {
        const results = await session.exclusively((database) =>
          runAudits({
            ...subject,
            queries: [query],
            storeRows: project.project.config.audits.storeRows,
            hint,
            run: (sql) => database.rows(sql),
            emit: (event) => {
              if (event.type === 'diagnostic') this.diagnostics.push(event.diagnostic);
            },
          }),
        );
        this.results.push(...results);
      } catch (thrown) {
        if (thrown instanceof AuditFailure) this.results.push(...thrown.results);
        this.diagnostics.push(...(thrown instanceof DiagnosticError ? thrown.diagnostics : [cannotRun(query, thrown)]));
      }
    }
  }
}

function cannotRun({ name, location }: AuditQuery, thrown: unknown): Diagnostic {
  return {
    code: 'SL0803',
    severity: 'error',
    message: `audit ${name} cannot run: ${messageOf(thrown).split('\n')[0]}`,
    location,
    hint: 'correct the audit; a column that the file has and the table has not comes with scilake apply',
  };
}

/** EMBEDDED and EXTERNAL models, which the environment keeps no table of. */
async function nameOthers(
  { project, programs, executionTime }: AuditEnvironmentRequest,
  runCatalog: RunCatalog,
): Promise<void> {
  for (const { model } of project.models) {
    try {
      if (model.kind.storage === 'outside') await runCatalog.pointOutside(model.name, model.catalog);
      if (model.kind.storage !== 'inline') continue;
      const query = programs.get(model.key)?.query({ start: 0, end: executionTime });
      if (query?.ok === true) await runCatalog.inline(model.name, query.value);
    } catch {
      // Whatever reads it will say that it is not there.
    }
  }
}

function auditedTable(
  { model }: BoundModel,
  { environment, state, range, executionTime }: AuditEnvironmentRequest,
): { readonly table: string; readonly version: string; readonly interval: Interval } | undefined {
  const whole = { start: range.start ?? 0, end: range.end ?? executionTime };
  if (model.kind.storage === 'outside')
    return { table: outsideTable(model.name, model.catalog), version: '', interval: whole };
  const pointed = environment.models[model.key];
  const snapshot = pointed === undefined ? undefined : state.snapshots.get(pointed.fingerprint);
  if (pointed === undefined || snapshot === undefined || snapshot.storage === 'inline') return undefined;
  const built = state.built.get(builtKey(snapshot, pointed.version)) ?? [];
  const first = built[0];
  const last = built.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const all = { start: first.start, end: last.end };
  const asked = { start: range.start ?? all.start, end: range.end ?? all.end };
  const [interval] = intersect([all], [asked]);
  if (interval === undefined) return undefined;
  return { table: inLake(physicalTable(snapshot, pointed.version)), version: pointed.version, interval };
}

function listed({ query }: StandaloneQuery): Result<readonly AuditQuery[]> {
  return query.ok ? { ...query, value: [query.value] } : query;
}

function standaloneTarget({ definition }: StandaloneQuery, { executionTime }: AuditEnvironmentRequest) {
  return { model: '', version: '', interval: { start: 0, end: executionTime }, definition };
}

async function keep(
  results: readonly AuditResult[],
  { session, environment, executionTime, now }: AuditEnvironmentRequest,
): Promise<void> {
  const note = {
    author: 'scilake',
    message: `audit ${environment.name}`,
    key: `audit/${environment.name}/${environment.sequence}/${executionTime}/${now.getTime()}`,
    details: { environment: environment.name },
  };
  const occasion = { environment: environment.name, planId: environment.planId, now };
  await session.transaction(note, (transaction) => writeAuditResults(transaction, results, occasion));
}
