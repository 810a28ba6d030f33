import { DiagnosticError, messageOf } from '../domain/diagnostic.js';
import { duckdb } from '../effects/duckdb.js';
import { files } from '../effects/files.js';
import { residentMb, serveWorker } from '../effects/worker-process.js';
import { convertFile } from './convert-file.js';
import { readTask } from './decode.js';
import { memoryError } from './memory-limit.js';

/** Milliseconds between two reports. */
const REPORT_EVERY_MS = 100;

// What a conversion runs in: a process that may crash. See `converter.ts` for the other side.
serveWorker(async (message, report) => {
  const { request, memoryMb } = readTask(message);
  let reported = 0;
  const limit = { ok: false, errors: [memoryError(request.displayName, memoryMb)] } as const;
  const result = convertFile(request, {
    // DuckDB itself keeps to half; the rest is for the reader, its WebAssembly and the sort.
    duckdb: {
      open: (options) =>
        duckdb.open({ ...options, settings: { memory_limit: `${Math.ceil(memoryMb / 2)}MB`, ...options?.settings } }),
    },
    files,
    progress(done, total, unit, element) {
      const now = performance.now();
      if (now - reported < REPORT_EVERY_MS && done < total) return;
      reported = now;
      const usedMb = residentMb();
      if (usedMb > memoryMb) throw new DiagnosticError([memoryError(request.displayName, memoryMb)]);
      report({ done, total, unit, element });
    },
  });
  return result.catch((thrown: unknown) => {
    if (/Out of Memory Error|Array buffer allocation failed|Cannot enlarge memory/.test(messageOf(thrown)))
      return limit;
    throw thrown;
  });
});
