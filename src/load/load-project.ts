import type { BoundProject } from '../domain/bound-project.js';
import type { ElementSchema } from '../domain/convert.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Emit } from '../domain/event.js';
import type { PinOf } from '../domain/model.js';
import type { Project, ProjectConfig } from '../domain/project.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { openShadowCatalog } from '../effects/shadow-catalog.js';
import { openLimits } from '../ingest/limits.js';
import { shadowCatalogs, withAttachedTables } from './attached-tables.js';
import { bindAudits } from './bind-audits.js';
import { BindCache } from './bind-cache.js';
import { bindModels } from './bind-models.js';
import { type BindSourceEffects, bindSources } from './bind-sources.js';
import { leftOut } from './left-out.js';
import { readProject } from './read-project.js';

export interface LoadEffects extends Omit<BindSourceEffects, 'recordedTables'> {
  readonly duckdb: DuckDb;
  readonly files: Files;
  /** Absolute path of the project. */
  readonly projectFolder: string;
  /** Folder for what can be computed again. */
  readonly cacheFolder: string;
  /** Variables of the process, which may overrule settings. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Tables that the lake has of each source, by its name; asked for only where a contract leaves things out. */
  readonly recordedTables?: (config: ProjectConfig) => Promise<ReadonlyMap<string, readonly ElementSchema[]>>;
  /** Tells what was taken of addresses that move on, by provenance. */
  readonly pinsOf?: (config: ProjectConfig) => PinOf;
  /** Which version of an address that moves on is taken: that of the last time (if left out), or the newest. */
  readonly versions?: 'taken' | 'newest';
  readonly now?: () => Date;
  /** Hears how far a source is that takes long. */
  readonly emit?: Emit;
  /** Whether places are asked only when a source says that it is time, or in any case. */
  readonly ask?: 'when due' | 'always';
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
  const { sources, diagnostics: sourceDiagnostics } = await bindSources(
    project.sources,
    sourceEffects(project, effects),
  );
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
    if (brokenSources === 'are left out' && sources.length < project.sources.length) {
      const left = leftOut({ project, sources, sourceDiagnostics, models: audited.models, reads: bound.reads });
      const rest = found.filter(
        ({ code, location }) => !missingTable.has(code) || left.unexplained.has(location?.file ?? ''),
      );
      const warnings = sourceDiagnostics.filter(({ severity }) => severity !== 'error');
      const others = distinct([...readDiagnostics, ...rest, ...warnings]);
      if (others.some((diagnostic) => diagnostic.severity === 'error'))
        return fail(...distinct([...others, ...left.value.errors]));
      return succeed({ project, models: audited.models, sources, audits: audited.audits, left: left.value }, others);
    }
    const all = distinct([...before, ...after]);
    if (all.some((diagnostic) => diagnostic.severity === 'error')) return fail(...all);
    return succeed({ project, models: audited.models, sources, audits: audited.audits }, all);
  } finally {
    shadow.close();
  }
}

/** With what the project's settings say: which lake is meant, where provenance is kept, and how fast files may come. */
export function sourceEffects({ config }: Project, { recordedTables, ...effects }: LoadEffects): BindSourceEffects {
  return {
    ...effects,
    limits: openLimits(config.ingest),
    ...(effects.pinsOf === undefined ? {} : { pinOf: effects.pinsOf(config) }),
    ...(recordedTables === undefined ? {} : { recordedTables: () => recordedTables(config) }),
  };
}

/** Errors that leave no file out. */
const wholeFile: ReadonlySet<string> = new Set(['SL0303', 'SL0804', 'SL0805']);

const missingTable: ReadonlySet<string> = new Set(['SL0203', 'SL0302', 'SL0304']);

/** Models of one blueprint file share what is wrong with it. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic])).values()];
}
