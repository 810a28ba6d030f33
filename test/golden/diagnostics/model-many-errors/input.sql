MODEL (
  name cells,               -- a schema is missing
  kind INCREMENTAL_BY_TIME_RANGES (time_column ds),
	cron '@dayly',
  audits (not_null((cell_id))),
  owner,
  owner me
);
SELECT 1 AS cell_id;
SELECT 2 AS cell_id;
