/** Dialects that can be translated to DuckDB's, by the names that SQLMesh has for them. */
const names: Readonly<Record<string, string>> = {
  athena: 'athena',
  bigquery: 'bigquery',
  clickhouse: 'clickhouse',
  databricks: 'databricks',
  doris: 'doris',
  drill: 'drill',
  druid: 'druid',
  duckdb: 'duckdb',
  dune: 'dune',
  exasol: 'exasol',
  fabric: 'fabric',
  hive: 'hive',
  materialize: 'materialize',
  mysql: 'mysql',
  oracle: 'oracle',
  postgres: 'postgresql',
  postgresql: 'postgresql',
  presto: 'presto',
  redshift: 'redshift',
  risingwave: 'risingwave',
  singlestore: 'singlestore',
  snowflake: 'snowflake',
  spark: 'spark',
  spark2: 'spark',
  sqlite: 'sqlite',
  starrocks: 'starrocks',
  teradata: 'teradata',
  trino: 'trino',
  tsql: 'tsql',
};

export const knownDialects: readonly string[] = Object.keys(names);

/** The dialect without its settings: `snowflake, normalization_strategy = case_sensitive`. */
export function dialectName(text: string): string {
  return (text.split(',')[0] ?? '').trim().toLowerCase() || 'duckdb';
}

export function isKnownDialect(name: string): boolean {
  return name in names;
}

/** The translator's own name of a dialect. */
export function translatorName(dialect: string): string {
  return names[dialect] ?? dialect;
}
