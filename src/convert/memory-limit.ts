import type { Diagnostic } from '../domain/diagnostic.js';
import { convertError } from './format.js';

/** The error of a conversion that takes more memory than it may. */
export function memoryError(displayName: string, memoryMb: number): Diagnostic {
  return convertError(
    'SL0617',
    `${displayName} needs more than the ${Math.floor(memoryMb)} MB of memory that its conversion may take`,
    'raise convert.memory_mb in scilake.yaml (scilake convert: --memory), convert fewer files at once, or sort in less: sort_memory_mb',
  );
}
