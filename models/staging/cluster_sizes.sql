-- An embedded model has no table of its own: its query serves inside the models that read it.
MODEL (
  name staging.cluster_sizes,
  kind EMBEDDED,
  description 'Number of cells of each cluster.',
  owner 'example',
  tags (cells),
  grain cluster
);

SELECT
  cluster,            -- Louvain cluster
  count(*) AS n_cells -- cells in the cluster
FROM
  staging.cells
GROUP BY
  cluster;
