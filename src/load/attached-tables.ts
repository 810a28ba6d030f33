import type { Column } from '../domain/column.js';
import { type Diagnostic, DiagnosticError } from '../domain/diagnostic.js';
import { locate } from '../domain/location.js';
import type { Model, SqlText } from '../domain/model.js';
import { type TableName, tableKey } from '../domain/names.js';
import { type AttachedCatalog, attachedName, type Project } from '../domain/project.js';
import { attachFiles, filesOf } from '../effects/attached-files.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import type { ShadowCatalogs } from '../effects/shadow-catalog.js';
import { externalModel } from '../parse/external-models.js';
import { configFile } from './sqlmesh-files.js';

interface AttachedTable {
  readonly catalog: AttachedCatalog;
  readonly name: TableName;
  readonly columns: readonly Column[];
}

export interface ProjectWithTables {
  readonly project: Project;
  readonly diagnostics: readonly Diagnostic[];
  /** Columns of all tables in attached files, by key, with the catalog where it is not the default one. */
  readonly found: ReadonlyMap<string, { readonly columns: readonly Column[]; readonly name: string }>;
}

interface AttachEffects {
  readonly duckdb: DuckDb;
  readonly files: Files;
  readonly projectFolder: string;
}

/**
 * The project with the tables of attached DuckDB files that its models read: those that `external_models.yaml` declares get
 * their place, and their columns where it does not say them; those that it does not declare are added.
 */
export async function withAttachedTables(project: Project, effects: AttachEffects): Promise<ProjectWithTables> {
  const { catalogs } = project.config;
  const texts = project.models.flatMap(textsOf);
  const isNamed = catalogs.find((catalog) => catalog.isDefault && texts.some((text) => namesCatalog(text, catalog)));
  const diagnostics: Diagnostic[] = [];
  const tables = await attachedTables(catalogs, effects, diagnostics);
  const declared = project.models.map((model) => placed(model, tables, diagnostics));
  const known = new Map(declared.map((model) => [model.key, model]));
  const sourceNames = new Set(project.sources.map((source) => source.name));
  const added = new Map<string, Model>();
  for (const table of tables) {
    const key = tableKey(table.name);
    if (!texts.some((text) => mentions(text, table)) || sourceNames.has(table.name.schema)) continue;
    const other = added.get(key) ?? known.get(key);
    if (other === undefined) added.set(key, addedModel(table, project, effects));
    // A file that SQLMesh built holds the views of the models themselves: those are the project's.
    else if (!table.catalog.isDefault && other.catalog !== attachedName(table.catalog))
      diagnostics.push(ambiguous(key, table, other));
  }
  const models = [...added.values(), ...declared];
  return {
    project: { ...project, models, ...(isNamed === undefined ? {} : { catalog: isNamed.name }) },
    diagnostics,
    found: new Map(
      tables.map(({ catalog, name, columns }) => [
        tableKey(name),
        { columns, name: catalog.isDefault ? tableKey(name) : `${catalog.name}.${tableKey(name)}` },
      ]),
    ),
  };
}

/** What the shadow catalog needs so that names with a catalog in front are found. */
export function shadowCatalogs(project: Project, effects: Omit<AttachEffects, 'duckdb'>): ShadowCatalogs {
  const others = project.config.catalogs.filter((catalog) => !catalog.isDefault);
  return { attached: filesOf(others, effects), ...(project.catalog === undefined ? {} : { mirror: project.catalog }) };
}

function textsOf(model: Model): readonly string[] {
  const all: readonly (SqlText | undefined)[] = [model.query, ...model.preStatements, ...model.postStatements];
  return all.flatMap((sql) => (sql === undefined ? [] : [sql.text]));
}

function wordPattern(word: string): string {
  return `"?${word.replace(/[^\p{L}\p{N}_]/gu, '\\$&')}"?`;
}

function namesCatalog(text: string, { name }: AttachedCatalog): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}_."])${wordPattern(name)}\\s*\\.\\s*[\\p{L}_"][^.\\s]*\\s*\\.`, 'iu').test(text);
}

/** Whether a text may read a table: by schema and name, with the catalog in front where it is not the default one. */
function mentions(text: string, { catalog, name }: AttachedTable): boolean {
  const parts = [...(catalog.isDefault ? [] : [catalog.name]), name.schema, name.table].map(wordPattern);
  return new RegExp(`(?<![\\p{L}\\p{N}_])${parts.join('\\s*\\.\\s*')}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
}

/** Every table and view of the files, but for what SQLMesh keeps in them for itself. */
async function attachedTables(
  catalogs: readonly AttachedCatalog[],
  effects: AttachEffects,
  diagnostics: Diagnostic[],
): Promise<readonly AttachedTable[]> {
  const attached = filesOf(catalogs, effects);
  if (attached.length === 0) return [];
  const database = await effects.duckdb.open({ settings: { threads: '1' } });
  try {
    await attachFiles(database, attached);
    const rows = await database.rows(
      `SELECT database_name, schema_name, table_name, list({name: column_name, type: data_type} ORDER BY column_index) AS columns
FROM duckdb_columns()
WHERE NOT internal AND schema_name <> 'sqlmesh' AND NOT starts_with(schema_name, 'sqlmesh__')
GROUP BY ALL
ORDER BY ALL`,
    );
    return rows.flatMap((row): readonly AttachedTable[] => {
      const catalog = catalogs.find((one) => attachedName(one) === row.database_name);
      if (catalog === undefined) return [];
      const name = { schema: String(row.schema_name).toLowerCase(), table: String(row.table_name).toLowerCase() };
      return [{ catalog, name, columns: columnsOf(row.columns) }];
    });
  } catch (thrown) {
    if (!(thrown instanceof DiagnosticError)) throw thrown;
    diagnostics.push(...thrown.diagnostics);
    return [];
  } finally {
    database.close();
  }
}

function columnsOf(list: unknown): readonly Column[] {
  return Array.isArray(list) ? list.map(({ name, type }) => ({ name: String(name), type: String(type) })) : [];
}

function placed(model: Model, tables: readonly AttachedTable[], diagnostics: Diagnostic[]): Model {
  if (model.kind.storage !== 'outside') return model;
  const table = tables.find((candidate) => tableKey(candidate.name) === model.key);
  const declaredColumns = model.declaredColumns.length > 0 ? model.declaredColumns : (table?.columns ?? []);
  if (declaredColumns.length === 0)
    diagnostics.push({
      code: 'SL0135',
      severity: 'error',
      message: `${model.key} needs its columns`,
      location: model.location,
      hint: 'columns: {id: INTEGER, name: VARCHAR}; scilake create_external_models looks them up',
    });
  return { ...model, declaredColumns, ...(table === undefined ? {} : { catalog: attachedName(table.catalog) }) };
}

function addedModel(table: AttachedTable, project: Project, { projectFolder, files }: AttachEffects): Model {
  const name = configFile(projectFolder, files) ?? '';
  const file = { path: name, text: name === '' ? '' : files.readText(`${projectFolder}/${name}`) };
  return {
    ...externalModel({
      file,
      span: { start: 0, end: 1 },
      name: table.name,
      declaredColumns: table.columns,
      description: '',
      defaults: project.config.modelDefaults,
    }),
    catalog: attachedName(table.catalog),
  };
}

function ambiguous(key: string, table: AttachedTable, other: Model): Diagnostic {
  return {
    code: 'SL0305',
    severity: 'error',
    message: `${table.catalog.name}.${key} and ${key} are two tables, and models know them by schema and name alone`,
    location: locate(other.file, { start: 0, end: 1 }),
    hint: 'rename one of the schemas',
  };
}
