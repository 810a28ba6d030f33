SOURCE (
  name pbmc-68k,
  uri 'data/pbmc.h5ad',
  checksum 'sha256:abc',
  licence 'CC-BY-4.0'
);
