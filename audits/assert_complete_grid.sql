-- Generic: a model says which two columns it means, e.g. assert_complete_grid(row_key := cluster, column_key := gene).
AUDIT (
  name assert_complete_grid,
  description 'Every pair of the two keys has one row: nothing was lost in a join, nothing doubled.'
);

SELECT
  count(*) AS n_rows,
  count(DISTINCT @row_key) AS n_row_keys,
  count(DISTINCT @column_key) AS n_column_keys
FROM
  @this_model
HAVING
  count(*) <> count(DISTINCT @row_key) * count(DISTINCT @column_key);
