export { type Exported, type ExportRequest, exportAnnData, exportFolder } from './anndata-export/export-anndata.js';
export { tablesOf } from './anndata-export/from-tables.js';
export { parseManifest } from './anndata-export/manifest.js';
export { convertFile, inputFiles, inspectFile } from './convert-file.js';
export type { ConvertEffects, ConvertRequest, Format, ProgressUnit } from './format.js';
export { formats } from './formats/index.js';
