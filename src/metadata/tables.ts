/** One table of the provenance file. All columns are texts or integers; JSON is text with sorted keys. */
export interface MetadataTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, 'TEXT' | 'INTEGER'>>;
  readonly key: readonly string[];
}

/** Layout of the file; raised when a table or a column is added. 2: concept_doi, resolved and title of datasets. 3: ingestion_files, and what was known of a dataset when it was ingested. */
export const METADATA_VERSION = 3;

/** Every table, in the order in which the file holds them. Keys are texts that any clone makes for itself: no counters, which two branches would both take. */
export const metadataTables: readonly MetadataTable[] = [
  {
    name: 'datasets',
    columns: {
      source: 'TEXT',
      uri: 'TEXT',
      accession: 'TEXT',
      doi: 'TEXT',
      license: 'TEXT',
      license_text: 'TEXT',
      license_seen_at: 'TEXT',
      citation: 'TEXT',
      homepage: 'TEXT',
      description: 'TEXT',
      concept_doi: 'TEXT',
      resolved: 'TEXT',
      title: 'TEXT',
      first_run: 'TEXT',
      last_run: 'TEXT',
    },
    key: ['source'],
  },
  {
    name: 'runs',
    columns: {
      run_id: 'TEXT',
      plan_id: 'TEXT',
      environment: 'TEXT',
      status: 'TEXT',
      author: 'TEXT',
      started_at: 'TEXT',
      finished_at: 'TEXT',
      snapshot_before: 'INTEGER',
      snapshot_after: 'INTEGER',
      git_commit: 'TEXT',
      git_dirty: 'INTEGER',
      config_hash: 'TEXT',
      tools: 'TEXT',
    },
    key: ['run_id'],
  },
  {
    name: 'ingestion_runs',
    columns: {
      run_id: 'TEXT',
      source: 'TEXT',
      version: 'TEXT',
      status: 'TEXT',
      format: 'TEXT',
      url: 'TEXT',
      final_url: 'TEXT',
      etag: 'TEXT',
      last_modified: 'TEXT',
      fetched_at: 'TEXT',
      size_bytes: 'INTEGER',
      checksum_declared: 'TEXT',
      sha256: 'TEXT',
      rows: 'INTEGER',
      elapsed_ms: 'INTEGER',
      error: 'TEXT',
      // What was known of the dataset then: its address may stand for another version since.
      accession: 'TEXT',
      doi: 'TEXT',
      concept_doi: 'TEXT',
      resolved: 'TEXT',
      title: 'TEXT',
      license_text: 'TEXT',
      citation: 'TEXT',
    },
    key: ['run_id', 'source'],
  },
  {
    // Of sets: what a dataset's checksum is over.
    name: 'ingestion_files',
    columns: {
      source: 'TEXT',
      version: 'TEXT',
      name: 'TEXT',
      place_version: 'TEXT',
      url: 'TEXT',
      fetched_at: 'TEXT',
      size_bytes: 'INTEGER',
      sha256: 'TEXT',
    },
    key: ['source', 'version', 'name'],
  },
  {
    name: 'schema_versions',
    columns: {
      source: 'TEXT',
      table_name: 'TEXT',
      schema_hash: 'TEXT',
      columns: 'TEXT',
      diff: 'TEXT',
      first_run: 'TEXT',
      last_run: 'TEXT',
    },
    key: ['source', 'table_name', 'schema_hash'],
  },
  {
    name: 'model_runs',
    columns: {
      run_id: 'TEXT',
      model: 'TEXT',
      fingerprint: 'TEXT',
      version: 'TEXT',
      status: 'TEXT',
      rows: 'INTEGER',
      elapsed_ms: 'INTEGER',
      error: 'TEXT',
      audits: 'TEXT',
    },
    key: ['run_id', 'model'],
  },
];

export function createTable({ name, columns, key }: MetadataTable): string {
  const list = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
  return `CREATE TABLE IF NOT EXISTS ${name} (${list.join(', ')}, PRIMARY KEY (${key.join(', ')})) STRICT, WITHOUT ROWID`;
}

/** Statements that give a table of an older file the columns that it lacks, empty. */
export function addedColumns({ name, columns }: MetadataTable, present: readonly string[]): readonly string[] {
  return Object.entries(columns)
    .filter(([column]) => !present.includes(column))
    .map(([column, type]) => `ALTER TABLE ${name} ADD COLUMN ${column} ${type}`);
}

export function insertInto({ name, columns }: MetadataTable): string {
  const names = Object.keys(columns);
  return `INSERT OR REPLACE INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
}
