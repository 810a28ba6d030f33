import type { Column } from '../domain/column.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { openShadowCatalog } from '../effects/shadow-catalog.js';
import type { ExternalTable } from '../parse/write-external-models.js';
import { shadowCatalogs, withAttachedTables } from './attached-tables.js';
import { BindCache } from './bind-cache.js';
import type { LoadEffects } from './load-project.js';
import { readProject } from './read-project.js';
import { readTexts } from './read-texts.js';

/** Tables that models of a project read and nothing in it makes. */
export interface OutsideTables {
  /** With the columns that were found, declared ones among them. */
  readonly tables: readonly ExternalTable[];
  /** Read, and found nowhere: a diagnostic for each, at a model that reads it. */
  readonly missing: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Finds them by the texts of the models; nothing is bound, so it also serves where the declarations are what is missing.
 *
 * @param file        whose own declarations are looked up again; those of other files stay theirs
 * @param inTheLake   columns of tables in the lake, by key
 */
export async function outsideTables(
  effects: LoadEffects,
  file: string,
  inTheLake: (keys: readonly string[]) => Promise<ReadonlyMap<string, readonly Column[]>>,
): Promise<Result<OutsideTables>> {
  const read = await readProject(effects);
  const { project, diagnostics, found } = await withAttachedTables(read.project, effects);
  const problems = [
    ...read.diagnostics,
    // That a declaration lacks its columns is what this is for.
    ...diagnostics.filter((one) => one.code !== 'SL0135'),
  ];
  const errors = problems.filter((one) => one.severity === 'error');
  if (errors.length > 0) return fail(...errors);
  const shadow = await openShadowCatalog(effects.duckdb, effects.projectFolder, shadowCatalogs(project, effects));
  try {
    const cache = new BindCache(effects.cacheFolder, effects.files, await shadow.engineVersion());
    const textErrors: Diagnostic[] = [];
    const texts = await readTexts({ project, shadow, sources: [], cache }, textErrors);
    if (textErrors.length > 0) return fail(...textErrors);
    const elsewhere = new Set(
      project.models
        .filter((model) => model.kind.storage !== 'outside' || !isOpen(model.location.file, file))
        .map((model) => model.key),
    );
    const sourceNames = new Set(project.sources.map((source) => source.name));
    const declared = project.models.filter((model) => model.kind.storage === 'outside').map((model) => model.key);
    const named = texts.flatMap((one) => one.reads.filter((key) => !systemSchemas.has(key.split('.')[0] ?? '')));
    const keys = [...new Set([...declared, ...named])]
      .filter((key) => !elsewhere.has(key) && !sourceNames.has(key.split('.')[0] ?? ''))
      .sort();
    const lake = await inTheLake(keys.filter((key) => !found.has(key)));
    const tables: ExternalTable[] = [];
    const missing: Diagnostic[] = [];
    for (const key of keys) {
      const attached = found.get(key);
      const columns = attached?.columns ?? lake.get(key);
      if (columns !== undefined) tables.push({ key, name: attached?.name ?? key, columns });
      else {
        const reader = texts.find((one) => one.reads.includes(key) && one.model.key !== key)?.model;
        const location = (reader ?? project.models.find((model) => model.key === key))?.location;
        missing.push({
          code: 'SL0134',
          severity: 'warning',
          message: `${key} is neither in the lake nor in an attached file: its columns are not known`,
          ...(location === undefined ? {} : { location }),
          hint: 'write its columns into external_models.yaml by hand, or have whoever keeps it make it first',
        });
      }
    }
    return succeed({ tables, missing, warnings: problems });
  } finally {
    shadow.close();
  }
}

const systemSchemas = new Set(['information_schema', 'pg_catalog']);

/** Declared in the file itself, or nowhere yet. */
function isOpen(declaredIn: string, file: string): boolean {
  return declaredIn === file || !declaredIn.startsWith('external_models');
}
