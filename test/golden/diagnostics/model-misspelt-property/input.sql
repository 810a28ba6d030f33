MODEL (
  name analytics.cells,
  kind FULL,
  grian (cell_id)
);

SELECT 1 AS cell_id
