export { type Exported, type ExportRequest, exportAnnData, exportFolder } from './anndata-export/export-anndata.js';
export { tablesOf } from './anndata-export/from-tables.js';
export { parseManifest } from './anndata-export/manifest.js';
export { convertFile, inputFiles, inspectFile } from './convert-file.js';
export type { ConvertBudget, Converter, ConverterOf } from './converter.js';
export type { ConvertEffects, ConvertRequest, Format, Progress, ProgressUnit } from './format.js';
export { formats } from './formats/index.js';
export { inProcessConverter } from './in-process-converter.js';
export { CONVERTER_VERSION } from './version.js';
