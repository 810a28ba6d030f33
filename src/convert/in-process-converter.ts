import { Queue } from '../domain/queue.js';
import { convertFile } from './convert-file.js';
import type { Converter } from './converter.js';
import type { ConvertEffects } from './format.js';

/** Converts in this process. A file that crashes native code ends it: for tests, and for callers that guard themselves. */
export function inProcessConverter(effects: Pick<ConvertEffects, 'duckdb' | 'files'>): Converter {
  const queue = new Queue(1);
  return {
    atOnce: 1,
    convert: (request, progress) =>
      queue.run(() => convertFile(request, { ...effects, ...(progress === undefined ? {} : { progress }) })),
  };
}
