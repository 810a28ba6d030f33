import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { physicalName, type TableName, tableKey } from '../domain/names.js';
import type { Change, PlanOptions, SourceChange } from '../domain/plan.js';
import type { Past, Present, RestoredTable, RestoredView, RollbackPlan } from '../domain/rollback.js';
import { builtKey, type Environment, type EnvironmentModel, physicalTable, type Snapshot } from '../domain/snapshot.js';

/**
 * Puts an environment back to what it was: views point at the tables of that time, and tables that have changed in place
 * since are copied from their past. Nothing is built again, nothing of the present is lost, and the way back is another
 * rollback.
 *
 * @returns errors SL0714 where tables of that time are gone, SL0715 where there is nothing to do
 */
export function planRollback(
  current: Environment,
  past: Past,
  present: Present,
  options: PlanOptions,
): Result<RollbackPlan> {
  const tables: RestoredTable[] = [];
  const views: RestoredView[] = [];
  const renamed: { readonly from: TableName; readonly to: TableName }[] = [];
  const missing: string[] = [];
  const models: Record<string, EnvironmentModel> = {};
  const versionOf = (version: string): string =>
    digest(version, String(past.snapshotId), String(current.sequence + 1)).slice(0, 10);
  const snapshots = inOrder(past);
  for (const snapshot of snapshots) {
    const model = past.environment.models[snapshot.key];
    if (model === undefined) continue;
    const physical = physicalTable(snapshot, model.version);
    const key = tableKey(physical);
    const isKept = snapshot.storage === 'table' || snapshot.storage === 'view';
    const readsRestored = snapshot.storage === 'view' && snapshot.parents.some((parent) => isRestored(parent));
    if (isKept && !present.tables.has(key)) missing.push(key);
    else if (snapshot.storage === 'table' && present.changed.has(key)) {
      const version = versionOf(model.version);
      tables.push({
        snapshot,
        from: physical,
        version,
        built: past.built.get(builtKey(snapshot, model.version)) ?? [],
      });
      rename(snapshot, physical, version);
    } else if (readsRestored) {
      const version = versionOf(model.version);
      views.push({ snapshot, from: physical, version });
      rename(snapshot, physical, version);
    }
    models[snapshot.key] ??= model;
  }
  for (const [source, version] of Object.entries(past.environment.sources)) {
    for (const element of present.state.datasets.get(`${source}@${version}`)?.elements ?? []) {
      const key = tableKey(physicalName({ schema: source, table: element.table.toLowerCase() }, version));
      if (!present.tables.has(key)) missing.push(key);
    }
  }
  if (missing.length > 0) return fail(gone(current.name, missing));
  const target: Environment = { ...past.environment, sequence: current.sequence + 1, models };
  const changes = changesBetween(current, target, { past, tables });
  const sourceChanges = sourcesBetween(current, target);
  if (changes.length + sourceChanges.length === 0) return fail(nothingToDo(current.name, past.environment.sequence));
  const keys = Object.keys(models);
  const removed = Object.keys(current.models).filter((key) => models[key] === undefined);
  const body = {
    options,
    environment: current.name,
    basedOn: current.name,
    lakeSnapshot: present.state.lakeSnapshot,
    changes,
    sourceChanges,
    missing: {},
    steps: [
      { type: 'promote' as const, environment: current.name, models: keys },
      ...(removed.length === 0 ? [] : [{ type: 'demote' as const, environment: current.name, models: removed }]),
    ],
    target,
    snapshots,
    warnings: [],
  };
  const fingerprints = snapshots.map(({ fingerprint }) => fingerprint);
  const id = digest(canonicalJson(JSON.parse(JSON.stringify({ ...body, snapshots: fingerprints })))).slice(0, 12);
  return succeed({
    plan: { ...body, id, target: { ...target, planId: id } },
    backTo: past.environment.sequence,
    snapshotId: past.snapshotId,
    tables,
    views,
    renamed,
  });

  function isRestored(parent: string): boolean {
    return [...tables, ...views].some(({ snapshot }) => snapshot.key === parent);
  }

  function rename(snapshot: Snapshot, from: TableName, version: string): void {
    renamed.push({ from, to: physicalTable(snapshot, version) });
    const model = past.environment.models[snapshot.key];
    if (model !== undefined) models[snapshot.key] = { ...model, version };
  }
}

/** The snapshots of an environment, parents before what reads them. */
function inOrder({ environment, snapshots }: Past): readonly Snapshot[] {
  const byKey = new Map(
    Object.entries(environment.models).flatMap(([key, { fingerprint }]) => {
      const snapshot = snapshots.get(fingerprint);
      return snapshot === undefined ? [] : [[key, snapshot] as const];
    }),
  );
  const ordered = new Map<string, Snapshot>();
  const visit = (key: string): void => {
    const snapshot = byKey.get(key);
    if (snapshot === undefined || ordered.has(key)) return;
    byKey.delete(key);
    for (const parent of snapshot.parents) visit(parent);
    ordered.set(key, snapshot);
  };
  for (const key of [...byKey.keys()].sort()) visit(key);
  return [...ordered.values()];
}

function changesBetween(
  current: Environment,
  target: Environment,
  { past, tables }: { readonly past: Past; readonly tables: readonly RestoredTable[] },
): readonly Change[] {
  const copied = new Set(tables.map(({ snapshot }) => snapshot.key));
  const keys = [...new Set([...Object.keys(current.models), ...Object.keys(target.models)])].sort();
  return keys.flatMap((key): readonly Change[] => {
    const [was, now] = [current.models[key], target.models[key]];
    if (was?.version === now?.version && was?.fingerprint === now?.fingerprint) return [];
    const type = was === undefined ? 'added' : now === undefined ? 'removed' : 'modified';
    const at = `promotion ${past.environment.sequence}`;
    const reason =
      now === undefined
        ? `${at} did not have it`
        : copied.has(key)
          ? `its rows have changed in place since ${at}; they are copied from then`
          : `the table of ${at} is kept`;
    return [
      {
        model: key,
        type,
        category: 'undetermined',
        forwardOnly: false,
        reused: type !== 'removed' && !copied.has(key),
        because: [],
        reason,
        columns: { added: [], removed: [], changed: [] },
      },
    ];
  });
}

function sourcesBetween(current: Environment, target: Environment): readonly SourceChange[] {
  const names = [...new Set([...Object.keys(current.sources), ...Object.keys(target.sources)])].sort();
  return names.flatMap((source): readonly SourceChange[] => {
    const [was, now] = [current.sources[source], target.sources[source]];
    if (was === now) return [];
    const type = was === undefined ? 'added' : now === undefined ? 'removed' : 'modified';
    return [{ source, type, version: now ?? was ?? '', reason: 'as it was then', schema: [], discarded: [] }];
  });
}

function gone(environment: string, tables: readonly string[]): Diagnostic {
  return {
    code: 'SL0714',
    severity: 'error',
    message: `${environment} cannot go back so far: the lake no longer has ${tables.join(', ')}`,
    hint: 'what scilake gc has removed can only be built again: scilake reproduce PLAN',
  };
}

function nothingToDo(environment: string, sequence: number): Diagnostic {
  return {
    code: 'SL0715',
    severity: 'error',
    message: `${environment} is what it was at promotion ${sequence}: there is nothing to put back`,
    hint: `scilake log --env ${environment} lists its promotions`,
  };
}
