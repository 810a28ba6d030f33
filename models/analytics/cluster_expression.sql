MODEL (
  name analytics.cluster_expression,
  kind INCREMENTAL_BY_UNIQUE_KEY (unique_key (cluster, gene)),
  description 'Mean expression and share of expressing cells for every cluster and gene, as scanpy defines them: over all cells of the cluster, zeros included.',
  owner 'example',
  tags (expression),
  grain (cluster, gene),
  audits (
    not_null(columns := (cluster, gene, mean_expression, fraction_expressing)),
    unique_combination_of_columns(columns := (cluster, gene)),
    accepted_range(column := fraction_expressing, min_v := 0, max_v := 1),
    accepted_range(column := mean_expression, min_v := 0),
    assert_expression_is_consistent,
    assert_complete_grid(row_key := cluster, column_key := gene)
  )
);

WITH
  totals AS (
    SELECT
      c.cluster,
      e.gene_idx,
      count(*) AS n_expressing,
      sum(e.log_expression) AS total_expression
    FROM
      staging.expression AS e
      JOIN staging.cells AS c ON c.cell_idx = e.cell_idx
    GROUP BY
      c.cluster,
      e.gene_idx
  )
SELECT
  s.cluster,                                                      -- Louvain cluster
  g.gene,                                                         -- gene symbol
  s.n_cells,                                                      -- cells in the cluster
  coalesce(t.n_expressing, 0) AS n_expressing,                    -- cells of the cluster with expression above zero
  coalesce(t.n_expressing, 0) / s.n_cells AS fraction_expressing, -- share of such cells, 0 to 1
  coalesce(t.total_expression, 0) / s.n_cells AS mean_expression  -- mean log-normalised expression, zeros included
FROM
  staging.cluster_sizes AS s
  -- every pair has a row: a gene that no cell of a cluster expresses is a result, too
  CROSS JOIN staging.genes AS g
  LEFT JOIN totals AS t ON t.cluster = s.cluster
  AND t.gene_idx = g.gene_idx;
