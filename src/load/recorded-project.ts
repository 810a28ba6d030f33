import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import { fail, gather, type Result, succeed } from '../domain/diagnostic.js';
import { canonicalJson } from '../domain/digest.js';
import { isRecord } from '../domain/json.js';
import type { Model } from '../domain/model.js';
import type { Environment, LakeState, Snapshot } from '../domain/snapshot.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { openShadowCatalog } from '../effects/shadow-catalog.js';
import { parseModelFile } from '../parse/model-file.js';
import { shadowCatalogs } from './attached-tables.js';
import { bindAudits } from './bind-audits.js';
import { BindCache } from './bind-cache.js';
import { bindModels } from './bind-models.js';
import { withMaterializations } from './project-code.js';
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
  const isSame = snapshots.every((snapshot) => isAsRecorded(localByKey.get(snapshot.key)?.model, snapshot));
  const outside = local.project.models.filter((model) => model.kind.storage === 'outside');
  if (isSame && snapshots.length + outside.length === local.models.length) return succeed(local);
  const parsed = gather(snapshots.map((snapshot) => recordedModels(snapshot, localByKey, local.project)));
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
      seedEffects: { ...effects, database: shadow.database },
    });
    const audited = await bindAudits({ project, models: bound.models, sources, shadow, cache });
    const found = [...bound.diagnostics, ...audited.diagnostics];
    const errors = found.filter((diagnostic) => diagnostic.severity === 'error');
    return errors.length > 0
      ? { ok: false, errors }
      : succeed({ project, models: audited.models, sources, audits: audited.audits }, found);
  } finally {
    shadow.close();
  }
}

function isAsRecorded(model: Model | undefined, { text, definition }: Snapshot): boolean {
  return (
    model?.file.text === text &&
    (model.code?.hash ?? '') === (definition.code ?? '') &&
    canonicalJson(model.blueprint) === canonicalJson(definition.blueprint ?? {})
  );
}

/** A model as it was recorded. One written in TypeScript runs only as long as its file is the one that was recorded. */
function recordedModels(
  snapshot: Snapshot,
  localByKey: ReadonlyMap<string, BoundModel>,
  { config, functions }: BoundProject['project'],
): Result<readonly Model[]> {
  const file = { path: snapshot.file, text: snapshot.text };
  const { code } = snapshot.definition;
  if (typeof code !== 'string' || code === '') {
    const parsed = parseModelFile(file, config.modelDefaults);
    return parsed.ok ? withMaterializations(parsed.value, functions.materializations) : parsed;
  }
  const own = localByKey.get(snapshot.key)?.model;
  if (own?.code?.hash === code) return succeed([own]);
  return fail({
    code: 'SL0411',
    severity: 'error',
    message: `${snapshot.key} is written in TypeScript, and its file is not the one that the environment was built with`,
    location: { file: snapshot.file, line: 1, column: 1, length: 1, text: '' },
    hint: 'apply the change first, or bring the file back',
  });
}

/** The header's variables are filled in in the recorded text; those of the query are kept beside it. */
function blueprintOf(snapshot: Snapshot | undefined): Readonly<Record<string, string>> {
  const kept = snapshot?.definition.blueprint;
  return isRecord(kept) ? Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, String(value)])) : {};
}
