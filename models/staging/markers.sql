MODEL (
  name staging.markers,
  kind VIEW,
  description 'Marker genes by cell type, and whether the data set measured them.',
  owner 'example',
  tags (genes, markers),
  grain (cell_type, gene),
  audits (
    not_null(columns := (cell_type, gene, is_measured)),
    unique_combination_of_columns(columns := (cell_type, gene)),
    not_empty_string(column := evidence)
  )
);

SELECT
  m.cell_type,                      -- cell type that the gene marks
  m.gene,                           -- gene symbol
  m.evidence,                       -- what the gene is, and why it marks the type
  g.gene IS NOT NULL AS is_measured -- true where staging.genes has the gene
FROM
  markers.marker_genes AS m
  LEFT JOIN staging.genes AS g ON g.gene = m.gene;
