/** Where DuckLake's own tables are read, quoted: in a file and in a database they have different names. */
export const METADATA = '"memory"."ducklake"';

/** Those that are read. */
export const METADATA_TABLES = [
  'ducklake_data_file',
  'ducklake_delete_file',
  'ducklake_files_scheduled_for_deletion',
  'ducklake_metadata',
  'ducklake_schema',
  'ducklake_snapshot',
  'ducklake_snapshot_changes',
  'ducklake_table',
  'ducklake_table_stats',
  'ducklake_view',
] as const;
