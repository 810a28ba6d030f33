import type { BoundModel, BoundProject, BoundSource, LeftOut } from '../domain/bound-project.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Project } from '../domain/project.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { openShadowCatalog } from '../effects/shadow-catalog.js';
import { shadowCatalogs, withAttachedTables } from './attached-tables.js';
import { bindAudits } from './bind-audits.js';
import { BindCache } from './bind-cache.js';
import { bindModels } from './bind-models.js';
import { bindSources } from './bind-sources.js';
import { readProject } from './read-project.js';

export interface LoadEffects {
  readonly duckdb: DuckDb;
  readonly files: Files;
  /** Absolute path of the project. */
  readonly projectFolder: string;
  /** Folder for what can be computed again. */
  readonly cacheFolder: string;
  /** Variables of the process, which may overrule settings. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a project's files and binds its SQL: everything that is wrong with any part of it, or the value that planning works on.
 *
 * @param brokenSources  whether the rest of the project goes on without a source that could not be had or read
 * @param missingTables  whether tables that are not there are reported beside files that could not be read
 */
export async function loadProject(
  effects: LoadEffects,
  missingTables: 'where nothing explains them' | 'all' = 'where nothing explains them',
  brokenSources: 'are errors' | 'are left out' = 'are errors',
): Promise<Result<BoundProject>> {
  const read = await readProject(effects);
  const { project, diagnostics: attachedDiagnostics } = await withAttachedTables(read.project, effects);
  const readDiagnostics = [...read.diagnostics, ...attachedDiagnostics];
  const { sources, diagnostics: sourceDiagnostics } = await bindSources(project.sources, effects);
  const shadow = await openShadowCatalog(effects.duckdb, effects.projectFolder, shadowCatalogs(project, effects));
  try {
    const seedEffects = { ...effects, database: shadow.database };
    const cache = new BindCache(effects.cacheFolder, effects.files, await shadow.engineVersion());
    const bound = await bindModels({ project, sources, shadow, cache, seedEffects });
    const audited = await bindAudits({ project, models: bound.models, sources, shadow, cache });
    cache.save();
    const before = [...readDiagnostics, ...sourceDiagnostics];
    const isIncomplete = before.some(
      (diagnostic) => diagnostic.severity === 'error' && !wholeFile.has(diagnostic.code),
    );
    // A table may only seem to be missing because the file that defines it could not be read: its own error says so.
    const found = [...bound.diagnostics, ...audited.diagnostics];
    const after =
      isIncomplete && missingTables !== 'all'
        ? found.filter((diagnostic) => !missingTable.has(diagnostic.code))
        : found;
    const left =
      brokenSources === 'are left out' ? leftOut({ project, sources, sourceDiagnostics }, audited.models) : undefined;
    if (left !== undefined) {
      const others = distinct([
        ...readDiagnostics,
        ...after,
        ...sourceDiagnostics.filter(({ severity }) => severity !== 'error'),
      ]);
      if (others.some((diagnostic) => diagnostic.severity === 'error'))
        return fail(...distinct([...others, ...left.errors]));
      return succeed({ project, models: audited.models, sources, audits: audited.audits, left }, others);
    }
    const all = distinct([...before, ...after]);
    if (all.some((diagnostic) => diagnostic.severity === 'error')) return fail(...all);
    return succeed({ project, models: audited.models, sources, audits: audited.audits }, all);
  } finally {
    shadow.close();
  }
}

/** What goes on without the sources that are broken; undefined where none is. */
function leftOut(
  found: {
    readonly project: Project;
    readonly sources: readonly BoundSource[];
    readonly sourceDiagnostics: readonly Diagnostic[];
  },
  models: readonly BoundModel[],
): LeftOut | undefined {
  const errors = found.sourceDiagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return undefined;
  const whole = new Set(found.sources.map(({ source }) => source.name));
  const broken = found.project.sources.map(({ name }) => name).filter((name) => !whole.has(name));
  const bound = new Set(models.map(({ model }) => model.key));
  const because = `${broken.length === 1 ? 'source' : 'sources'} ${broken.join(', ')} could not be had`;
  return {
    sources: broken,
    models: found.project.models.flatMap(({ key }) => (bound.has(key) ? [] : [{ model: key, because }])),
    errors,
  };
}

/** Errors that leave no file out. */
const wholeFile: ReadonlySet<string> = new Set(['SL0303', 'SL0804', 'SL0805']);

const missingTable: ReadonlySet<string> = new Set(['SL0203', 'SL0302', 'SL0304']);

/** Models of one blueprint file share what is wrong with it. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic])).values()];
}
