MODEL (
  name staging.genes,
  kind VIEW,
  description 'One row per gene of the log-normalised matrix raw.X, with what the selection of variable genes found out about it.',
  owner 'example',
  tags (genes),
  sources (pbmc68k),
  grain gene_idx,
  audits (
    not_null(columns := (gene_idx, gene)),
    unique_values(columns := (gene_idx, gene))
  )
);

SELECT
  raw_var.gene_idx,                                        -- position of the gene in raw.X, from 0
  raw_var.var_name AS gene,                                -- gene symbol
  CAST(var.n_counts AS DOUBLE) AS n_counts,                -- molecules counted over all cells of the full data set
  CAST(var.means AS DOUBLE) AS mean,                       -- mean expression, as highly_variable_genes computed it
  CAST(var.dispersions AS DOUBLE) AS dispersion,           -- log of variance over mean
  CAST(var.dispersions_norm AS DOUBLE) AS dispersion_norm, -- dispersion against genes of similar mean
  var.highly_variable AS is_highly_variable                -- chosen as highly variable
FROM
  pbmc68k.raw_var AS raw_var
  -- raw.var may hold genes that var lost to filtering: they stay, without figures
  LEFT JOIN pbmc68k.var AS var ON var.var_name = raw_var.var_name;
