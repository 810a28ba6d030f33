import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as os from 'node:os';

/** How a process of ours ended without an answer. */
export type WorkerEnd =
  | { readonly type: 'answer'; readonly message: unknown }
  /** It took more memory than it may, or than there is. */
  | { readonly type: 'out of memory'; readonly detail: string }
  /** A signal or an exit of its own: native code that crashed. */
  | { readonly type: 'crashed'; readonly detail: string };

export interface WorkerRequest {
  /** Script that the process runs. */
  readonly script: URL;
  /** Sent to it once, structured-cloned. */
  readonly task: unknown;
  /** Heap of JavaScript in MB; what lies outside it (typed arrays, WebAssembly, DuckDB) the script has to watch itself. */
  readonly heapMb: number;
  /** Messages of the shape `{ type: 'progress' }`. */
  readonly onProgress: (message: unknown) => void;
  /** Called, synchronously, when this process is stopped by a signal while the other one works; that one is gone by then. */
  readonly onStopped: () => void;
}

/** Ends with a message of the shape `{ type: 'answer' }`. */
export type RunWorker = (request: WorkerRequest) => Promise<WorkerEnd>;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The end of what a process says before it dies is what matters. */
const KEPT_CHARACTERS = 4_000;

/** Runs a script in a process of its own, so that whatever happens in it ends that process and not this one. */
export const runWorker: RunWorker = async ({ script, task, heapMb, onProgress, onStopped }) => {
  const child = fork(script, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Blocks of a matrix come and go outside the heap; each time, threads that collect garbage together cost an eighth more.
    execArgv: ['--single-threaded-gc', `--max-old-space-size=${Math.max(64, Math.floor(heapMb))}`],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  let answer: { readonly message: unknown } | undefined;
  child.on('message', (message: unknown) => {
    // The other process waits for this before it ends, so that no answer is lost on the way.
    if (hasType(message, 'answer')) {
      answer = { message };
      child.disconnect();
    }
    if (hasType(message, 'progress')) onProgress(message);
  });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill('SIGKILL');
    // The other process must be gone before its files are tidied up; only its exit says so.
    child.once('exit', () => {
      onStopped();
      release();
      // Without our handler the signal does what it always does.
      process.kill(process.pid, signal);
    });
  };
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    child.send({ type: 'task', task });
    const [code, signal] = await ended(child);
    if (answer !== undefined) return { type: 'answer', message: answer.message };
    const detail = [signal ?? `exit code ${String(code)}`, lastLine(said)].filter((part) => part !== '').join(', ');
    const isMemory = /heap out of memory|Allocation failed|std::bad_alloc|Cannot enlarge memory/.test(said);
    return { type: isMemory || signal === 'SIGKILL' ? 'out of memory' : 'crashed', detail };
  } finally {
    release();
  }
};

/** Waits until the process is gone. Not for `close`: Node never says that of a process whose channel was closed from here. */
async function ended(child: ChildProcess): Promise<readonly unknown[]> {
  try {
    const how = await once(child, 'exit');
    if (child.stderr !== null && !child.stderr.readableEnded) await once(child.stderr, 'end');
    return how;
  } catch (thrown) {
    throw new Error('a process of our own could not be started', { cause: thrown });
  }
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /error|fatal/i.test(line))?.trim() ?? lines.at(-1)?.trim() ?? '';
}

function hasType(message: unknown, type: string): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === type;
}

/** What this machine has: for memory, what the process may really have where a container limits it. */
export function machineFacts(): { readonly memoryMb: number; readonly processors: number } {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  return { memoryMb: Math.floor(bytes / 2 ** 20), processors: os.availableParallelism() };
}

/** Resident memory of this process, in MB. */
export function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** The other side of `runWorker`: waits for the task, works and answers. Ends when whoever asked has the answer, or is gone. */
export function serveWorker(work: (task: unknown, report: (message: object) => void) => Promise<unknown>): void {
  process.once('disconnect', () => process.exit(0));
  process.once('message', (message: unknown) => {
    const task = typeof message === 'object' && message !== null && 'task' in message ? message.task : undefined;
    const report = (progress: object): void => {
      if (process.connected) process.send?.({ type: 'progress', ...progress });
    };
    work(task, report).then(
      (value) => process.send?.({ type: 'answer', value }),
      (thrown: unknown) => {
        const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        process.send?.({ type: 'answer', thrown: stack });
      },
    );
  });
}
