export { convertFile, inputFiles, inspectFile } from './convert-file.js';
export type { ConvertEffects, ConvertRequest, Format, ProgressUnit } from './format.js';
export { formats } from './formats/index.js';
