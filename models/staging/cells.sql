MODEL (
  name staging.cells,
  kind VIEW,
  description 'One row per cell: barcode, cluster, published label, and the figures that came with the file.',
  owner 'example',
  tags (cells),
  sources (pbmc68k),
  grain cell_idx,
  audits (
    not_null(columns := (cell_idx, barcode, cluster, published_label)),
    unique_values(columns := (cell_idx, barcode)),
    accepted_values(column := phase, is_in := ('G1', 'S', 'G2M')),
    number_of_rows(threshold := 100)
  )
);

SELECT
  obs.cell_idx,                                      -- position of the cell in the file, from 0
  obs.obs_name AS barcode,                           -- barcode of the droplet
  CAST(obs.louvain AS INTEGER) AS cluster,           -- Louvain cluster, from 0 (largest)
  obs.bulk_labels AS published_label,                -- label of the most similar purified population, by the authors
  obs.phase,                                         -- cell cycle phase: G1, S or G2M
  obs.n_genes,                                       -- genes detected in the cell, before genes were selected
  CAST(obs.n_counts AS DOUBLE) AS n_counts,          -- molecules counted in the cell, before genes were selected
  CAST(obs.percent_mito AS DOUBLE) AS mito_fraction, -- share of molecules from mitochondrial genes, 0 to 1 in spite of its name in the file
  CAST(obs.S_score AS DOUBLE) AS s_score,            -- score of S phase genes
  CAST(obs.G2M_score AS DOUBLE) AS g2m_score,        -- score of G2/M phase genes
  CAST(umap.d0 AS DOUBLE) AS umap_1,                 -- first UMAP coordinate
  CAST(umap.d1 AS DOUBLE) AS umap_2                  -- second UMAP coordinate
FROM
  pbmc68k.obs AS obs
  JOIN pbmc68k.obsm__X_umap AS umap ON umap.cell_idx = obs.cell_idx;
