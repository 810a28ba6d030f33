-- Marker genes by cell type. Becomes the table markers.marker_genes (schema: name of the source, table: stem of the file).
SOURCE (
  name markers,
  uri 'data/marker_genes.tsv',
  format csv, -- the delimiter follows from the name: a tab for .tsv
  license 'CC0-1.0',
  checksum 'sha256:94417be9b696c5a47f3d8a105d91954555eb10d0bcaad0fc62dd7c236a5bae53',
  description 'Canonical marker genes of ten blood cell types, with the reason for each. Some of them are missing from pbmc68k on purpose: a marker list is rarely measured in full.',
  citation 'Compiled for this example from canonical PBMC markers; not taken from a publication or database.'
);
