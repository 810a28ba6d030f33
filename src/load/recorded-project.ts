import type { BoundProject } from '../domain/bound-project.js';
import { gather, type Result, succeed } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import type { Model } from '../domain/model.js';
import type { Environment, LakeState, Snapshot } from '../domain/snapshot.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { openShadowCatalog } from '../effects/shadow-catalog.js';
import { parseModelFile } from '../parse/model-file.js';
import { shadowCatalogs } from './attached-tables.js';
import { BindCache } from './bind-cache.js';
import { bindModels } from './bind-models.js';
import { translateModels } from './translate-models.js';

/**
 * The project as an environment has it: models from the text that is recorded with their snapshots, not from files that
 * may have changed since. Sources, audits and settings are those of the files.
 */
export async function recordedProject(
  local: BoundProject,
  environment: Environment,
  state: LakeState,
  effects: {
    readonly duckdb: DuckDb;
    readonly files: Files;
    readonly projectFolder: string;
    readonly cacheFolder: string;
  },
): Promise<Result<BoundProject>> {
  const snapshots = Object.values(environment.models).flatMap((model): readonly Snapshot[] => {
    const snapshot = state.snapshots.get(model.fingerprint);
    return snapshot === undefined ? [] : [snapshot];
  });
  const localByKey = new Map(local.models.map((bound) => [bound.model.key, bound]));
  const isSame = snapshots.every((snapshot) => localByKey.get(snapshot.key)?.model.file.text === snapshot.text);
  const outside = local.project.models.filter((model) => model.kind.storage === 'outside');
  if (isSame && snapshots.length + outside.length === local.models.length) return succeed(local);
  const parsed = gather(
    snapshots.map((snapshot) =>
      parseModelFile({ path: snapshot.file, text: snapshot.text }, local.project.config.modelDefaults),
    ),
  );
  if (!parsed.ok) return parsed;
  const models: readonly Model[] = [
    ...outside,
    ...parsed.value.flatMap((read, at) => read.map((model) => ({ ...model, blueprint: blueprintOf(snapshots[at]) }))),
  ];
  const translated = await translateModels(models);
  const project = { ...local.project, models: translated.models };
  const sources = local.sources.filter((source) => environment.sources[source.source.name] === source.version);
  const shadow = await openShadowCatalog(effects.duckdb, effects.projectFolder, shadowCatalogs(project, effects));
  try {
    const cache = new BindCache(effects.cacheFolder, effects.files, await shadow.engineVersion());
    const bound = await bindModels({
      cache,
      project,
      sources,
      shadow,
      seedEffects: { database: shadow.database, files: effects.files, projectFolder: effects.projectFolder },
    });
    const errors = bound.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    return errors.length > 0
      ? { ok: false, errors }
      : succeed({ project, models: bound.models, sources }, bound.diagnostics);
  } finally {
    shadow.close();
  }
}

/** The header's variables are filled in in the recorded text; those of the query are kept beside it. */
function blueprintOf(snapshot: Snapshot | undefined): Readonly<Record<string, string>> {
  const kept = snapshot?.definition.blueprint;
  return isRecord(kept) ? Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, String(value)])) : {};
}
