-- 700 peripheral blood mononuclear cells, as scanpy ships them. Becomes the schema pbmc68k: obs, var, X, raw_X, raw_var, …
SOURCE (
  name pbmc68k,
  uri 'data/10x_pbmc68k_reduced.h5ad',
  format h5ad,
  doi '10.1038/ncomms14049',
  license 'CC-BY-4.0',
  checksum 'sha256:e71d41e737c941559b7c57c9243bdb3d2c889c2adfdf00e3422ac6b46783676f',
  description '700 cells and 765 highly variable genes out of the 68k PBMC data set of 10x Genomics: X is scaled, raw.X is log-normalised. The file is the one that the scanpy package ships (pbmc68k_reduced).',
  citation 'Zheng, G. X. Y. et al. Massively parallel digital transcriptional profiling of single cells. Nature Communications 8, 14049 (2017).',
  homepage 'https://doi.org/10.1038/ncomms14049'
);
