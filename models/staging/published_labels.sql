-- A seed is a small table that lives in the repository: here, how the authors' labels read in the words of the marker list.
MODEL (
  name staging.published_labels,
  kind SEED (path '../../seeds/published_labels.csv'),
  description 'The cell type of the marker list that each label of the authors corresponds to.',
  owner 'example',
  tags (markers),
  columns (published_label VARCHAR, cell_type VARCHAR),
  column_descriptions (
    published_label = 'label as it stands in the file',
    cell_type = 'cell type as it stands in staging.markers'
  ),
  grain published_label,
  audits (
    not_null(columns := (published_label, cell_type)),
    unique_values(columns := (published_label))
  )
);
