MODEL (
  name staging.expression,
  kind FULL,
  description 'Log-normalised expression, one row per cell and gene where it is not zero.',
  owner 'example',
  tags (cells, genes),
  grain (cell_idx, gene_idx),
  audits (
    not_null(columns := (cell_idx, gene_idx, gene, log_expression)),
    unique_combination_of_columns(columns := (cell_idx, gene_idx)),
    forall(criteria := (log_expression > 0, isfinite(log_expression)))
  )
);

SELECT
  x.cell_idx,               -- the cell, as in staging.cells
  x.gene_idx,               -- the gene, as in staging.genes
  g.gene,                   -- gene symbol
  x.value AS log_expression -- log(1 + normalised count), natural logarithm
FROM
  pbmc68k.raw_X AS x
  JOIN staging.genes AS g ON g.gene_idx = x.gene_idx
WHERE
  x.value <> 0; -- a stored zero says the same as no entry
