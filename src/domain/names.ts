/** A table of the project by its logical name, as its author writes it; both parts lower case, as DuckDB compares them. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** The environment that users of the lake read. Its views carry the model's own name. */
export const PROD = 'prod';

/** The alias under which Scilake attaches every lake; improbable, because DuckLake replaces it in stored view text wherever it stands. */
export const LAKE = '__scilake';

/** Schema of the lake that holds Scilake's own records. */
export const STATE_SCHEMA = 'scilake_state';

/** `schema.table`, the key of every map of models. Parts that hold a dot are quoted, so that the key stays unambiguous. */
export function tableKey(name: TableName): string {
  return `${keyPart(name.schema)}.${keyPart(name.table)}`;
}

function keyPart(part: string): string {
  return part.includes('.') || part.includes('"') ? ident(part) : part;
}

/** Quotes an identifier for SQL text of our own making. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string literal for SQL text of our own making. */
export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * The path of one file, for a function of DuckDB that reads: these take patterns, and would read `x1.csv` when asked for
 * `x[1].csv`. Not for COPY … TO, which takes a name as it is.
 */
export function fileLiteral(file: string): string {
  return literal(file.replaceAll(/[*?[]/g, '[$&]'));
}

/** A qualified name for SQL text of our own making. */
export function qualified(...parts: readonly string[]): string {
  return parts.map(ident).join('.');
}

/** An environment name as it goes into schema names: lower case letters, digits, underscores (as SQLMesh does). */
export function environmentName(raw: string): string {
  return raw
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_');
}

/** Where the view of a model stands in an environment: `schema.table` in prod, `schema__env.table` elsewhere. */
export function viewName(name: TableName, environment: string): TableName {
  return environment === PROD ? name : { schema: `${name.schema}__${environment}`, table: name.table };
}

/** Where a version of a model's rows stands: `scilake__<schema>.<table>__<version>`. */
export function physicalName(name: TableName, version: string): TableName {
  return { schema: `scilake__${name.schema}`, table: `${name.table}__${version}` };
}

/** The three-part name of a table in the lake, quoted. */
export function inLake(name: TableName): string {
  return qualified(LAKE, name.schema, name.table);
}

/** A table that somebody else keeps, quoted: in an attached file, or in the lake under its own name. */
export function outsideTable(name: TableName, catalog: string | undefined): string {
  return catalog === undefined ? inLake(name) : qualified(catalog, name.schema, name.table);
}
