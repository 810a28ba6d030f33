MODEL (
  name analytics.cluster_cell_types,
  kind FULL,
  description 'The cell type that the markers support best for each cluster, next to the label that most of its cells carry in the publication.',
  owner 'example',
  tags (markers),
  grain cluster,
  audits (
    not_null(columns := (cluster, cell_type, score, published_cell_type)),
    unique_values(columns := (cluster)),
    accepted_range(column := published_share, min_v := 0, max_v := 1),
    forall(criteria := (margin >= 0))
  )
);

WITH
  ranked AS (
    SELECT
      cluster,
      cell_type,
      score,
      n_measured,
      row_number() OVER best_first AS place,
      lead(cell_type) OVER best_first AS next_cell_type,
      lead(score) OVER best_first AS next_score
    FROM
      analytics.marker_scores
    WHERE
      score IS NOT NULL
    WINDOW
      best_first AS (
        PARTITION BY
          cluster
        ORDER BY
          score DESC,
          cell_type
      )
  ),
  published AS (
    SELECT
      c.cluster,
      l.cell_type,
      count(*) AS n_cells
    FROM
      staging.cells AS c
      JOIN staging.published_labels AS l ON l.published_label = c.published_label
    GROUP BY
      c.cluster,
      l.cell_type
    QUALIFY
      row_number() OVER (
        PARTITION BY
          c.cluster
        ORDER BY
          count(*) DESC,
          l.cell_type
      ) = 1
  )
SELECT
  s.cluster,                                -- Louvain cluster
  s.n_cells,                                -- cells in the cluster
  r.cell_type,                              -- cell type with the highest marker score
  r.score,                                  -- its score, in standard deviations
  r.n_measured,                             -- markers that the score rests on
  r.next_cell_type,                         -- cell type with the second highest score
  r.score - r.next_score AS margin,         -- how far the second is behind; small means undecided
  p.cell_type AS published_cell_type,       -- cell type that most cells of the cluster carry in the publication
  p.n_cells / s.n_cells AS published_share, -- share of the cells that carry it, 0 to 1
  r.cell_type = p.cell_type AS agrees       -- true where markers and publication say the same
FROM
  staging.cluster_sizes AS s
  LEFT JOIN ranked AS r ON r.cluster = s.cluster
  AND r.place = 1
  LEFT JOIN published AS p ON p.cluster = s.cluster;
