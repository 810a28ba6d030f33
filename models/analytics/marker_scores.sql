MODEL (
  name analytics.marker_scores,
  kind FULL,
  description 'How strongly each cluster expresses the markers of each cell type. The score is the mean, over the measured markers of the type, of the standardised mean expression: how many standard deviations the cluster stands above the mean of all clusters.',
  owner 'example',
  tags (markers),
  grain (cluster, cell_type),
  audits (
    not_null(columns := (cluster, cell_type, n_markers, n_measured)),
    unique_combination_of_columns(columns := (cluster, cell_type)),
    forall(criteria := (n_measured <= n_markers, (n_measured = 0) = (score IS NULL))),
    assert_complete_grid(row_key := cluster, column_key := cell_type)
  )
);

WITH
  standardised AS (
    SELECT
      cluster,
      gene,
      fraction_expressing,
      -- a gene with the same mean in all clusters tells them not apart: NULL, and avg() leaves it out
      (mean_expression - avg(mean_expression) OVER same_gene) / nullif(stddev_pop(mean_expression) OVER same_gene, 0) AS deviation
    FROM
      analytics.cluster_expression
    WINDOW
      same_gene AS (
        PARTITION BY
          gene
      )
  ),
  clusters AS (
    SELECT DISTINCT
      cluster
    FROM
      analytics.cluster_expression
  )
SELECT
  c.cluster,                                             -- Louvain cluster
  m.cell_type,                                           -- cell type of the marker list
  count(*) AS n_markers,                                 -- markers of the type
  count(s.deviation) AS n_measured,                      -- markers of the type that the score rests on
  avg(s.deviation) AS score,                             -- mean standardised expression of the markers; NULL where none was measured
  avg(s.fraction_expressing) AS mean_fraction_expressing -- mean share of cells that express a marker
FROM
  clusters AS c
  CROSS JOIN staging.markers AS m
  LEFT JOIN standardised AS s ON s.cluster = c.cluster
  AND s.gene = m.gene
GROUP BY
  c.cluster,
  m.cell_type;
