import type { BoundModel } from '../domain/bound-project.js';
import type { ModelCode } from '../domain/code.js';
import { type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { Model } from '../domain/model.js';
import type { Lineage } from '../domain/query-print.js';
import type { ShadowCatalog } from '../effects/shadow-catalog.js';
import { unknownLineage } from '../lineage/read-plan.js';
import { readSeed, type SeedEffects } from './read-seed.js';
import type { ShadowTables } from './shadow-tables.js';
import { declaredTypes, firstLine, tableColumns } from './table-columns.js';

/** What models without a query are bound with. */
export interface TableContext {
  readonly shadow: ShadowCatalog;
  readonly tables: ShadowTables;
  readonly seedEffects: SeedEffects;
}

/** A table that somebody else keeps: what is declared of it is all there is to know. */
export async function bindExternal(model: Model, { shadow, tables }: TableContext): Promise<Result<BoundModel>> {
  try {
    await shadow.declareTables([{ name: model.name, columns: model.declaredColumns }]);
    tables.addTable(model.key, model.name, model.declaredColumns);
  } catch (thrown) {
    return {
      ok: false,
      errors: [{ code: 'SL0105', severity: 'error', message: firstLine(thrown), location: model.location }],
    };
  }
  const lineage = unknownLineage('kept by somebody else', {
    tables: [],
    columns: model.declaredColumns,
    text: model.key,
  });
  return succeed({
    model,
    parents: [],
    lineage,
    columns: model.declaredColumns,
    references: undefined,
    columnDescriptions: model.columnDescriptions,
    contentHash: '',
  });
}

/** A seed's columns and their contents come from its file. */
export async function bindSeed(
  model: Model,
  seed: NonNullable<Model['kind']['seed']>,
  request: TableContext,
): Promise<Result<BoundModel>> {
  const read = await readSeed(model, seed, request.seedEffects);
  if (!read.ok) return read;
  const declared = await declaredTypes(model, request.shadow);
  if (!declared.ok) return declared;
  const { columns, problems } = tableColumns(model, read.value.columns, declared.value);
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, errors: problems };
  request.tables.addTable(model.key, model.name, columns);
  const print = {
    rows: { hash: digest('seed rows', String(read.value.rowCount)), rowSets: [], columns: [] },
    order: '',
    columns: columns.map((column, at) => ({
      ...column,
      hash: read.value.columnHashes[at] ?? '',
      rowSets: [],
      columns: [],
      sources: [],
      kinds: {},
    })),
    tables: [],
    leaves: [],
    rowSources: [],
    rowKinds: {},
    volatile: [],
  };
  const lineage: Lineage = { known: true, print };
  return succeed(
    {
      model,
      parents: [],
      lineage,
      columns,
      references: undefined,
      columnDescriptions: model.columnDescriptions,
      contentHash: read.value.sha256,
      seedFile: read.value.file,
    },
    problems,
  );
}

/** A model written in TypeScript: what it declares is all that can be known without running it. */
export async function bindCode(
  model: Model,
  code: ModelCode,
  reads: readonly string[],
  { shadow, tables }: TableContext,
): Promise<Result<BoundModel>> {
  const declared = await declaredTypes(model, shadow);
  if (!declared.ok) return declared;
  const { columns: own, problems } = tableColumns(model, declared.value, declared.value);
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, errors: problems };
  const added = model.kind.addedColumns ?? [];
  const columns = [...own, ...added];
  tables.addTable(model.key, model.name, columns, model.location);
  const lineage = unknownLineage('it is computed in TypeScript', { tables: reads, columns, text: code.hash });
  const parents = [...reads].sort();
  const { columnDescriptions } = model;
  return succeed(
    { model, parents, lineage, columns, references: undefined, columnDescriptions, contentHash: '' },
    problems,
  );
}
