import { DiagnosticError } from '../domain/diagnostic.js';
import { convertError, type FormatOption, type RawFile } from './format.js';

const DEFAULT_SORT_MEMORY_MB = 1024;

/** The option of every format that sorts matrices. */
export const sortMemoryOption: FormatOption = {
  name: 'sort_memory_mb',
  meaning: `memory in MB for sorting a matrix by gene; more passes over the file with less (default ${DEFAULT_SORT_MEMORY_MB})`,
};

/**
 * What the option says, in bytes.
 *
 * @throws DiagnosticError (SL0606) when it is no number of megabytes
 */
export function sortMemoryBytes(raw: RawFile): number {
  const megabytes = Number(raw.options.sort_memory_mb ?? DEFAULT_SORT_MEMORY_MB);
  if (megabytes >= 1 && megabytes <= 1 << 20) return megabytes * 2 ** 20;
  throw new DiagnosticError([
    convertError(
      'SL0606',
      `${raw.displayName}: option sort_memory_mb cannot be "${raw.options.sort_memory_mb}"`,
      'it is a number of megabytes, at least 1',
    ),
  ]);
}
