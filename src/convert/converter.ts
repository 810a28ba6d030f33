import type { Conversion } from '../domain/convert.js';
import { fail, type Result } from '../domain/diagnostic.js';
import { Queue } from '../domain/queue.js';
import type { Files } from '../effects/files.js';
import type { RunWorker } from '../effects/worker-process.js';
import { readAnswer, readProgress } from './decode.js';
import { type ConvertRequest, convertError, type Progress } from './format.js';
import { memoryError } from './memory-limit.js';
import { tidyWorkFolder } from './work-folder.js';

export interface ConversionRequest extends ConvertRequest {
  /** Absolute path of a folder that does not exist, or is empty. */
  readonly out: string;
}

/** Something that converts files, one or several at once. */
export interface Converter {
  convert(request: ConversionRequest, progress?: Progress): Promise<Result<Conversion>>;
  /** How many files it converts at once; further ones wait. */
  readonly atOnce: number;
}

/** What conversions may take. */
export interface ConvertBudget {
  /** Memory of all conversions together. */
  readonly memoryMb: number;
  /** Files at once; as many as the memory and the processors allow when left out. */
  readonly atOnce?: number;
  /** Memory for sorting one matrix; a third of a conversion's share, at most 1 GB, when left out. */
  readonly sortMemoryMb?: number;
}

/** Loads the converter when it is needed, not before. */
export type ConverterOf = (budget: Partial<ConvertBudget>) => Promise<Converter>;

/** What a conversion needs before it sorts anything: Node, DuckDB, HDF5 and their buffers. */
const LEAST_MB = 400;
const MOST_SORT_MB = 1024;

/**
 * Converts each file in a process of its own: a crash of WebAssembly or native code, or memory that runs out, becomes an
 * error that names the file (SL0617, SL0618). A conversion that is stopped by a signal leaves what it had finished for
 * the next try, and nothing half written.
 *
 * @param machine  what there is when the budget does not say
 */
export function workerConverter(
  budget: Partial<ConvertBudget>,
  {
    runWorker,
    files,
    machine,
    script = new URL('./worker-main.js', import.meta.url),
  }: {
    readonly runWorker: RunWorker;
    readonly files: Files;
    readonly machine: { readonly memoryMb: number; readonly processors: number };
    /** What the process runs: beside this file, once it is compiled. */
    readonly script?: URL;
  },
): Converter {
  const { memoryMb, atOnce, sortMemoryMb } = settledBudget(budget, machine);
  const queue = new Queue(atOnce);
  const each = memoryMb / atOnce;
  return {
    atOnce,
    convert: (request, progress) =>
      queue.run(async () => {
        const defaults = { sort_memory_mb: String(sortMemoryMb), ...request.defaults };
        const ended = await runWorker({
          script,
          task: { request: { ...request, defaults }, memoryMb: each },
          heapMb: each,
          onProgress(message) {
            const report = readProgress(message);
            if (report !== undefined) progress?.(report.done, report.total, report.unit, report.element);
          },
          onStopped: () => tidyWorkFolder(request.out, files),
        });
        if (ended.type === 'answer') return readAnswer(ended.message);
        tidyWorkFolder(request.out, files);
        if (ended.type === 'out of memory') return fail(memoryError(request.displayName, each));
        return fail(
          convertError(
            'SL0618',
            `${request.displayName} crashed the converter (${ended.detail}); nothing of it was loaded`,
            'the file is probably damaged; elements that were finished before are kept for another try',
          ),
        );
      }),
  };
}

/** How the memory is divided: as many files at once as get what they need, never more than there are processors. */
export function settledBudget(
  budget: Partial<ConvertBudget>,
  machine: { readonly memoryMb: number; readonly processors: number },
): Required<ConvertBudget> {
  const memoryMb = budget.memoryMb ?? Math.max(LEAST_MB, Math.floor(machine.memoryMb / 2));
  const fitting = Math.floor(memoryMb / (LEAST_MB + (budget.sortMemoryMb ?? LEAST_MB)));
  const atOnce = budget.atOnce ?? Math.max(1, Math.min(machine.processors, fitting));
  const share = Math.floor((memoryMb / atOnce - LEAST_MB / 2) / 3);
  return { memoryMb, atOnce, sortMemoryMb: budget.sortMemoryMb ?? Math.max(32, Math.min(MOST_SORT_MB, share)) };
}
