MODEL (
  name analytics.cell_quality,
  kind FULL,
  description 'Figures to judge each cell by. A deviation is counted in median absolute deviations from the median of all cells; counts and genes on a log scale.',
  owner 'example',
  tags (cells, quality),
  grain cell_idx,
  audits (
    not_null(columns := (cell_idx, barcode, n_panel_genes, panel_expression, is_outlier)),
    unique_values(columns := (cell_idx)),
    accepted_range(column := mito_fraction, min_v := 0, max_v := 1),
    forall(criteria := (n_panel_genes > 0, n_panel_genes <= n_genes))
  )
);

WITH
  panel AS (
    SELECT
      cell_idx,
      count(*) AS n_panel_genes,
      sum(log_expression) AS panel_expression
    FROM
      staging.expression
    GROUP BY
      cell_idx
  ),
  typical AS (
    SELECT
      median(ln(1 + n_counts)) AS log_counts,
      mad(ln(1 + n_counts)) AS log_counts_mad,
      median(ln(1 + n_genes)) AS log_genes,
      mad(ln(1 + n_genes)) AS log_genes_mad,
      median(mito_fraction) AS mito,
      mad(mito_fraction) AS mito_mad
    FROM
      staging.cells
  ),
  deviations AS (
    SELECT
      c.cell_idx,
      (ln(1 + c.n_counts) - t.log_counts) / nullif(t.log_counts_mad, 0) AS counts_deviation,
      (ln(1 + c.n_genes) - t.log_genes) / nullif(t.log_genes_mad, 0) AS genes_deviation,
      (c.mito_fraction - t.mito) / nullif(t.mito_mad, 0) AS mito_deviation
    FROM
      staging.cells AS c
      CROSS JOIN typical AS t
  )
SELECT
  c.cell_idx,                                          -- the cell, as in staging.cells
  c.barcode,                                           -- barcode of the droplet
  c.cluster,                                           -- Louvain cluster
  c.n_counts,                                          -- molecules counted in the cell
  c.n_genes,                                           -- genes detected in the cell
  c.mito_fraction,                                     -- share of molecules from mitochondrial genes, 0 to 1
  coalesce(p.n_panel_genes, 0) AS n_panel_genes,       -- genes detected among those of this file
  coalesce(p.panel_expression, 0) AS panel_expression, -- sum of their log-normalised expression
  d.counts_deviation,                                  -- molecules, in MADs from the median
  d.genes_deviation,                                   -- genes, in MADs from the median
  d.mito_deviation,                                    -- mitochondrial share, in MADs from the median
  -- the usual limits: 5 MADs for counts and genes, 3 for the mitochondrial share
  coalesce(abs(d.counts_deviation) > 5, FALSE)
  OR coalesce(abs(d.genes_deviation) > 5, FALSE)
  OR coalesce(abs(d.mito_deviation) > 3, FALSE) AS is_outlier -- outside a limit, in either direction
FROM
  staging.cells AS c
  JOIN deviations AS d ON d.cell_idx = c.cell_idx
  LEFT JOIN panel AS p ON p.cell_idx = c.cell_idx;
