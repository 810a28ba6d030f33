import { ident, literal } from '../domain/names.js';
import type { RawFile } from './format.js';

/** What DuckDB calls the path of the file that a row is from; no column of a file is called so. */
const PATH = 'scilake path of the file';

/** The option with which DuckDB's readers of several files give that path. */
export const FILE_NAME_OPTION = `filename = ${literal(PATH)}`;

/** All columns but that path. */
export const WITHOUT_PATH = `* EXCLUDE (${ident(PATH)})`;

/** The name of its file in each row, under another name. @param fileNames  of the files, in their order */
export function fileNameColumn(
  files: readonly Pick<RawFile, 'file'>[],
  fileNames: readonly string[],
  column: string,
): string {
  const names = files.map(({ file }, i) => `${literal(file)}: ${literal(fileNames[i] ?? '')}`);
  return `MAP {${names.join(', ')}}[${ident(PATH)}] AS ${ident(column)}`;
}
