import * as path from 'node:path';
import { decodeEnvironment } from '../catalog/decode.js';
import { stateTable } from '../catalog/state-tables.js';
import type { BoundProject } from '../domain/bound-project.js';
import { DiagnosticError } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import { inLake, PROD } from '../domain/names.js';
import type { PlanOptions } from '../domain/plan.js';
import type { ProjectConfig } from '../domain/project.js';
import { type Environment, emptyState, type LakeState, physicalTable } from '../domain/snapshot.js';
import { recordedProject } from '../load/recorded-project.js';
import { apply, ownFolder, planFrom, recordedState, type Workspace, withLake } from '../workflow.js';

/** What is built again, and as of when. */
export interface Recorded {
  readonly environment: Environment;
  /** ms UTC: the time of the plan. */
  readonly executionTime: number;
}

export interface ReproducedModel {
  readonly model: string;
  readonly status: 'same' | 'differs' | 'not there';
  readonly recorded: Content | null;
  readonly rebuilt: Content | null;
}

/** Rows of a table, whatever their order: how many, and the sum of their hashes. */
export interface Content {
  readonly rows: number;
  readonly hash: string;
}

/** A source whose raw file is not the one that the plan was made with: nothing can be built from it again. */
export interface ChangedSource {
  readonly source: string;
  readonly recorded: string;
  readonly now: string | null;
}

export type Reproduction =
  | { readonly type: 'changed sources'; readonly sources: readonly ChangedSource[] }
  | { readonly type: 'rebuilt'; readonly models: readonly ReproducedModel[] };

/** Finds a plan by its id. @returns undefined where the lake knows no such plan */
export function recordedPlan(
  planId: string,
  workspace: Workspace,
  config: ProjectConfig,
): Promise<Recorded | undefined> {
  return withLake(workspace, config, 'read', (session) =>
    session.exclusively(async (database) => {
      const [plan] = await database.rows(`SELECT payload FROM ${stateTable('plans')} WHERE plan_id = $1`, [planId]);
      const [row] = await database.rows(
        `SELECT payload FROM ${stateTable('environments')} WHERE plan_id = $1 ORDER BY sequence DESC LIMIT 1`,
        [planId],
      );
      if (plan === undefined || row === undefined) return undefined;
      const payload: unknown = JSON.parse(String(plan.payload));
      const options = isRecord(payload) && isRecord(payload.options) ? payload.options : {};
      return { environment: decodeEnvironment(row.payload), executionTime: Number(options.executionTime) };
    }),
  );
}

/**
 * Builds what a plan built again in a lake of its own, from the recorded texts of the models and the raw files, and
 * compares the rows. The project's lake and its provenance are only read; the other lake is removed.
 *
 * @param only  a model, which is built with all that it reads; undefined for all of the environment
 */
export async function reproduce(
  { environment, executionTime }: Recorded,
  only: string | undefined,
  {
    local,
    workspace,
    options,
  }: { readonly local: BoundProject; readonly workspace: Workspace; readonly options: PlanOptions },
): Promise<Reproduction> {
  const { outside, projectFolder } = workspace;
  const { config } = local.project;
  const state = await recordedState(workspace, config);
  const changed = changedSources(environment, local, readSources(environment, state, only));
  if (changed.length > 0) return { type: 'changed sources', sources: changed };
  const recorded = await recordedProject(local, environment, state, {
    ...outside,
    projectFolder,
    cacheFolder: ownFolder(workspace, 'cache'),
  });
  if (!recorded.ok) throw new DiagnosticError(recorded.errors);
  const folder = outside.files.makeTemporaryFolder(path.join(projectFolder, '.scilake'), 'reproduce-');
  try {
    const lake = { ...config.lake, catalog: path.join(folder, 'catalog.ducklake'), data: path.join(folder, 'data') };
    const scratch = { ...config, lake };
    const project: BoundProject = { ...recorded.value, project: { ...recorded.value.project, config: scratch } };
    const planned = await planFrom(
      project,
      emptyState,
      {
        ...options,
        environment: PROD,
        executionTime,
        isExecutionTimeGiven: true,
        selectModels: only === undefined ? [] : [`+${only}`],
      },
      { ignoresSignals: true },
    );
    if (!planned.ok) throw new DiagnosticError(planned.errors);
    const applied = await apply(workspace, project, planned.value, { isRecorded: false });
    const errors = applied.outcomes.flatMap(({ status, error }) =>
      status === 'failed' && error !== undefined ? [error] : [],
    );
    if (errors.length > 0) throw new DiagnosticError(errors);
    const rebuiltState = await recordedState(workspace, scratch);
    const rebuilt = rebuiltState.environments.get(PROD);
    const keys = planned.value.snapshots.filter(({ storage }) => storage === 'table').map(({ key }) => key);
    const before = await contentsOf(keys, { environment, state, workspace, config });
    const after =
      rebuilt === undefined
        ? new Map<string, Content>()
        : await contentsOf(keys, { environment: rebuilt, state: rebuiltState, workspace, config: scratch });
    return {
      type: 'rebuilt',
      models: keys.map((model) => {
        const [was, is] = [before.get(model) ?? null, after.get(model) ?? null];
        const isSame = was?.rows === is?.rows && was?.hash === is?.hash;
        return {
          model,
          status: was === null || is === null ? 'not there' : isSame ? 'same' : 'differs',
          recorded: was,
          rebuilt: is,
        };
      }),
    };
  } finally {
    outside.files.remove(folder);
  }
}

/** Names of the sources that a model, or all of an environment, is made from. */
function readSources(environment: Environment, state: LakeState, only: string | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    const snapshot = state.snapshots.get(environment.models[key]?.fingerprint ?? '');
    if (snapshot === undefined) found.add(key.split('.')[0] ?? '');
    for (const parent of snapshot?.parents ?? []) visit(parent);
  };
  for (const key of only === undefined ? Object.keys(environment.models) : [only]) visit(key);
  return found;
}

function changedSources(
  environment: Environment,
  local: BoundProject,
  read: ReadonlySet<string>,
): readonly ChangedSource[] {
  return Object.entries(environment.sources).flatMap(([source, recorded]): readonly ChangedSource[] => {
    const now = local.sources.find((one) => one.source.name === source)?.version ?? null;
    return now === recorded || !read.has(source) ? [] : [{ source, recorded, now }];
  });
}

function contentsOf(
  keys: readonly string[],
  at: {
    readonly environment: Environment;
    readonly state: LakeState;
    readonly workspace: Workspace;
    readonly config: ProjectConfig;
  },
): Promise<ReadonlyMap<string, Content>> {
  const { environment, state, workspace, config } = at;
  return withLake(workspace, config, 'read', (session) =>
    session.exclusively(async (database) => {
      const contents = new Map<string, Content>();
      for (const key of keys) {
        const model = environment.models[key];
        const snapshot = state.snapshots.get(model?.fingerprint ?? '');
        if (model === undefined || snapshot === undefined) continue;
        const table = inLake(physicalTable(snapshot, model.version));
        // A version that nothing points at any more may have been removed.
        const isThere = await database.describe(`FROM ${table}`).then(
          () => true,
          () => false,
        );
        if (!isThere) continue;
        const [row] = await database.rows(
          `SELECT count(*) AS n, CAST(coalesce(sum(hash(t)), 0) AS VARCHAR) AS h FROM ${table} AS t`,
        );
        contents.set(key, { rows: Number(row?.n), hash: String(row?.h) });
      }
      return contents;
    }),
  );
}
