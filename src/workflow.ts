import * as path from 'node:path';
import { type AppliedPlan, type ApplyEffects, type ApplyRequest, applyPlan } from './apply/apply-plan.js';
import { type AuditEnvironmentRequest, auditEnvironment, type EnvironmentAudits } from './apply/audit-environment.js';
import { recordRun } from './apply/record-run.js';
import { auditFreshness } from './apply/source-freshness.js';
import { type LakeLocation, LakeMissingError, type LakeSession } from './catalog/lake-session.js';
import { openRunCatalog } from './catalog/run-catalog.js';
import { type Moment, snapshotAt } from './catalog/state-at.js';
import { ensureStateTables, environmentTables, readState } from './catalog/state-tables.js';
import type { BoundProject } from './domain/bound-project.js';
import { tablesOfSources } from './domain/contract.js';
import { type Diagnostic, DiagnosticError, type Result } from './domain/diagnostic.js';
import { isoInstant } from './domain/interval.js';
import type { Plan, PlanOptions } from './domain/plan.js';
import type { Project, ProjectConfig } from './domain/project.js';
import { type Environment, emptyState, type LakeState } from './domain/snapshot.js';
import { filesOf } from './effects/attached-files.js';
import type { Database } from './effects/duckdb.js';
import type { GitHead } from './effects/git.js';
import { type LoadEffects, loadProject } from './load/load-project.js';
import { hookStatements, modelPrograms } from './load/programs.js';
import { readyIntervals } from './load/signals.js';
import { standaloneAudit } from './load/standalone-audit.js';
import { buildPlan } from './plan/build-plan.js';
import { auditDefinition } from './plan/standalone.js';
import type { Workspace } from './workspace.js';

export { type Outside, openWorkspace, type Workspace } from './workspace.js';

/** Reads the project's files and binds its SQL. */
export function load(
  workspace: Workspace,
  brokenSources: 'are errors' | 'are left out' = 'are errors',
): Promise<Result<BoundProject>> {
  const effects = {
    ...workspace.outside,
    projectFolder: workspace.projectFolder,
    cacheFolder: ownFolder(workspace, 'cache'),
    recordedTables: tablesInLake(workspace),
  };
  return loadProject(effects, 'where nothing explains them', brokenSources);
}

/** Asks the lake which tables it has of each source, once. */
export function tablesInLake(workspace: Workspace): NonNullable<LoadEffects['recordedTables']> {
  let asked: Promise<LakeState> | undefined;
  return async (config) => {
    asked ??= recordedState(workspace, config);
    return tablesOfSources(await asked);
  };
}

/** What the lake records of itself; empty when there is no lake yet. */
export async function recordedState(workspace: Workspace, config: ProjectConfig): Promise<LakeState> {
  const location = lakeLocation(workspace, config);
  if (!workspace.lakes.exists(location)) return emptyState;
  try {
    return await withLake(workspace, config, 'read', readState);
  } catch (thrown) {
    if (thrown instanceof LakeMissingError) return emptyState;
    throw thrown;
  }
}

/** Compares the project with the lake. Nothing is written. */
export async function plan(workspace: Workspace, project: BoundProject, options: PlanOptions): Promise<Result<Plan>> {
  return planFrom(project, await recordedState(workspace, project.project.config), options);
}

/** Plans, asks the project's signals which of the missing intervals are ready, and plans again without the others. */
export async function planFrom(
  project: BoundProject,
  state: LakeState,
  options: PlanOptions,
  { ignoresSignals } = { ignoresSignals: false },
): Promise<Result<Plan>> {
  const whole = buildPlan(project, state, options);
  if (ignoresSignals || !whole.ok || project.models.every(({ model }) => model.signals.length === 0)) return whole;
  const ready = await readyIntervals(project, whole.value.missing);
  return ready.ok ? buildPlan(project, state, options, ready.value) : ready;
}

/**
 * Carries out a plan.
 *
 * @throws DiagnosticError SL0709 when the lake has moved since the plan was made
 */
export async function apply(
  workspace: Workspace,
  project: BoundProject,
  wanted: Plan,
  { isRecorded } = { isRecorded: true },
): Promise<AppliedPlan> {
  if (wanted.steps.length === 0) return { status: 'nothing to do', outcomes: [], lakeSnapshot: wanted.lakeSnapshot };
  const { outside, projectFolder } = workspace;
  return withLake(workspace, project.project.config, 'write', async (session) => {
    const isNew = wanted.lakeSnapshot === 0;
    const before = await readState(session);
    if (isNew ? before.snapshots.size > 0 : before.lakeSnapshot !== wanted.lakeSnapshot)
      throw new DiagnosticError([lakeMoved(wanted, before)]);
    const startedAt = outside.now();
    await ensureStateTables(session, startedAt);
    const programs = modelPrograms({
      project,
      executionTime: wanted.options.executionTime,
      environment: wanted.environment,
    });
    const effects: ApplyEffects = {
      ...outside,
      projectFolder,
      cacheFolder: ownFolder(workspace, 'cache'),
      stagingFolder: ownFolder(workspace, 'staging'),
    };
    const request: ApplyRequest = {
      plan: wanted,
      project,
      programs,
      standalone: standaloneOf(project, { ...wanted, ...wanted.options }),
      state: before,
      session,
      hooks: hooksOf(project, wanted),
      head: await headOf(workspace, project.project.config),
      startedAt,
    };
    const applied = await applyPlan(request, effects);
    if (isRecorded) await recordRun(request, applied, { ...outside, ...effects });
    return applied;
  });
}

function standaloneOf(
  { audits, project }: BoundProject,
  context: { readonly environment: string; readonly executionTime: number },
): ApplyRequest['standalone'] {
  return new Map(
    audits.map(({ audit, reads }) => [
      audit.name,
      { query: standaloneAudit(audit, project, context), reads, definition: auditDefinition(audit) },
    ]),
  );
}

/** @throws DiagnosticError when a macro in them cannot be expanded */
function hooksOf(project: BoundProject, wanted: Plan): ApplyRequest['hooks'] {
  const names = wanted.snapshots
    .filter((snapshot) => wanted.target.models[snapshot.key]?.hasView === true)
    .map((snapshot) => snapshot.name);
  const context = { executionTime: wanted.options.executionTime, target: wanted.target, names };
  const [before, after] = [
    hookStatements(project.project, 'before', context),
    hookStatements(project.project, 'after', context),
  ];
  if (!before.ok) throw new DiagnosticError(before.errors);
  if (!after.ok) throw new DiagnosticError(after.errors);
  return { before: before.value, after: after.value };
}

/** What of an environment is audited, and how. */
export type AuditOptions = Pick<AuditEnvironmentRequest, 'names' | 'range' | 'executionTime' | 'keepsResults'>;

/**
 * Audits what an environment holds, without building.
 *
 * @throws DiagnosticError SL0710 when there is no lake or no such environment
 */
export async function audit(
  workspace: Workspace,
  project: BoundProject,
  name: string,
  options: AuditOptions,
): Promise<EnvironmentAudits> {
  const { outside } = workspace;
  const { config } = project.project;
  if (!workspace.lakes.exists(lakeLocation(workspace, config))) throw new DiagnosticError([noEnvironment(name, [])]);
  return withLake(workspace, config, options.keepsResults ? 'write' : 'read', async (session) => {
    const state = await readState(session);
    const environment = state.environments.get(name);
    if (environment === undefined) throw new DiagnosticError([noEnvironment(name, [...state.environments.keys()])]);
    if (options.keepsResults) await ensureStateTables(session, outside.now());
    const context = { executionTime: options.executionTime, environment: name };
    const programs = modelPrograms({ project, ...context });
    const standalone = standaloneOf(project, context);
    const effects = { now: outside.now(), files: outside.files };
    return auditEnvironment({
      session,
      project,
      programs,
      standalone,
      environment,
      state,
      ...effects,
      ...options,
    });
  });
}

/** Sources that are older than they should be, as far as that is known before anything is fetched. */
export async function staleSources(
  workspace: Workspace,
  project: BoundProject,
  executionTime: number,
): Promise<readonly Diagnostic[]> {
  const promised = project.sources.filter(({ source }) => source.freshness !== undefined);
  if (promised.length === 0) return [];
  const { config } = project.project;
  const { files } = workspace.outside;
  const judge = async (session: LakeSession | undefined, state: LakeState): Promise<readonly Diagnostic[]> => {
    const found: Diagnostic[] = [];
    for (const source of promised) {
      const { diagnostic } = await auditFreshness(source, { session, state, executionTime, files });
      if (diagnostic !== undefined) found.push({ ...diagnostic, severity: 'warning' });
    }
    return found;
  };
  const needsLake = promised.some(({ source }) => source.freshness?.column !== undefined);
  if (!needsLake || !workspace.lakes.exists(lakeLocation(workspace, config))) return judge(undefined, emptyState);
  return withLake(workspace, config, 'read', async (session) => judge(session, await readState(session)));
}

/**
 * Reads an environment by the logical names of its models and sources.
 *
 * @param project gives the names of tables that somebody else keeps as well
 * @param at      as it was at one of DuckLake's snapshots; now when left out
 * @throws DiagnosticError SL0710 when there is no lake or no such environment
 */
export async function withEnvironment<T>(
  workspace: Workspace,
  config: ProjectConfig,
  name: string,
  work: (database: Database, view: { readonly environment: Environment; readonly state: LakeState }) => Promise<T>,
  { project, at }: { readonly project?: Project; readonly at?: Moment } = {},
): Promise<T> {
  if (!workspace.lakes.exists(lakeLocation(workspace, config))) throw new DiagnosticError([noEnvironment(name, [])]);
  const snapshot =
    at === undefined
      ? undefined
      : await withLake(workspace, config, 'read', (session) =>
          session.exclusively((database) => snapshotAt(database, at, momentText(at))),
        );
  const read = async (session: LakeSession): Promise<T> => {
    const state = await readState(session);
    const environment = state.environments.get(name);
    if (environment === undefined) throw new DiagnosticError([noEnvironment(name, [...state.environments.keys()])]);
    const names = await openRunCatalog(session, project?.catalog);
    await names.pointAt(environmentTables(environment, state));
    for (const model of project?.models ?? [])
      if (model.kind.storage === 'outside') await names.pointOutside(model.name, model.catalog);
    return session.exclusively((database) => work(database, { environment, state }));
  };
  return withLake(workspace, config, 'read', read, snapshot);
}

/** A moment in words. */
export function momentText(moment: Moment): string {
  switch (moment.type) {
    case 'plan':
      return `plan ${moment.id}`;
    case 'snapshot':
      return `snapshot ${moment.id}`;
    case 'time':
      return isoInstant(moment.instant);
    default:
      return moment satisfies never;
  }
}

/** The commit that the project's files are of. The provenance file is Scilake's own: its changes do not count. */
export function headOf({ outside, projectFolder }: Workspace, config: ProjectConfig): Promise<GitHead | undefined> {
  return outside.git.head(projectFolder, [config.metadata.file]);
}

/** Opens the lake for one piece of work and closes it again, whatever happens. @param at  a DuckLake snapshot to read it at */
export async function withLake<T>(
  workspace: Workspace,
  config: ProjectConfig,
  mode: 'read' | 'write',
  work: (session: LakeSession) => Promise<T>,
  at?: number,
): Promise<T> {
  const session = await workspace.lakes.open(lakeLocation(workspace, config), {
    mode,
    settings: config.settings,
    projectFolder: workspace.projectFolder,
    ...(at === undefined ? {} : { at }),
    waitMs: workspace.outside.waitMs ?? 0,
    attached: filesOf(config.catalogs, { ...workspace.outside, projectFolder: workspace.projectFolder }),
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export function lakeLocation(workspace: Workspace, config: ProjectConfig): LakeLocation {
  const { catalog, schema } = config.lake;
  const isPostgres = /^postgres(?:ql)?:\/\//i.test(catalog);
  return {
    type: isPostgres ? 'postgres' : 'duckdb',
    catalog: isPostgres ? catalog : path.resolve(workspace.projectFolder, catalog),
    schema,
    data: path.resolve(workspace.projectFolder, config.lake.data),
  };
}

/** Scilake's own folder in a project; nothing in it but the lake is worth keeping. */
export function ownFolder(workspace: Workspace, name: 'cache' | 'staging'): string {
  return path.join(workspace.projectFolder, '.scilake', name);
}

/** SL0710, with the environments that there are. */
export function noEnvironment(name: string, known: readonly string[]): Diagnostic {
  const hint = known.length === 0 ? 'scilake apply makes the lake and prod' : `there are ${known.join(', ')}`;
  return { code: 'SL0710', severity: 'error', message: `there is no environment "${name}" in the lake`, hint };
}

/** SL0709: somebody else was quicker. */
export function lakeMoved(wanted: Plan, state: LakeState): Diagnostic {
  return {
    code: 'SL0709',
    severity: 'error',
    message: `the lake has moved since the plan was made: it was at snapshot ${wanted.lakeSnapshot}, it is at ${state.lakeSnapshot}`,
    hint: 'make a new plan',
  };
}
