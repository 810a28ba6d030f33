AUDIT (
  name assert_expression_is_consistent,
  description 'Mean, fraction and counts say the same: no expressing cell means a mean of zero, and the other way round.'
);

SELECT
  *
FROM
  @this_model
WHERE
  n_expressing > n_cells
  OR abs(fraction_expressing * n_cells - n_expressing) > 1e-9
  OR (n_expressing = 0) <> (mean_expression = 0);
