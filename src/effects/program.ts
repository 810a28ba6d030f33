import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ProgramRequest {
  /** The program and its arguments, as it gets them. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined: as long as it takes. */
  readonly timeoutMs?: number;
  /** Hears every line that it says, on either channel. */
  readonly onLine: (line: string) => void;
  /** Called, synchronously, when this process is stopped by a signal and the program is gone. */
  readonly onStopped: () => void;
}

export type ProgramEnd =
  | { readonly type: 'exit'; readonly code: number }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'timeout' }
  | { readonly type: 'not started'; readonly reason: string };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What is asked to end has so long to tidy up, ms. */
const GRACE_MS = 3_000;
/** How long lines are waited for that a program that is gone has said, ms. */
const LAST_WORDS_MS = 1_000;

/** Runs a program, without a shell, in a group of its own: what it starts ends with it, or when this process is stopped. */
export async function runProgram(request: ProgramRequest): Promise<ProgramEnd> {
  const [program = '', ...given] = request.argv;
  const hasGroups = process.platform !== 'win32';
  const child = spawn(program, given, {
    cwd: request.workingFolder,
    env: { ...request.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: hasGroups,
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      if (hasGroups) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // All of it is gone already.
    }
  };
  const words = Promise.all([linesOf(child.stdout, request.onLine), linesOf(child.stderr, request.onLine)]);
  let isLate = false;
  let stopTimer: NodeJS.Timeout | undefined;
  const end = (signal: NodeJS.Signals): void => {
    kill(signal);
    stopTimer ??= setTimeout(() => kill('SIGKILL'), GRACE_MS);
  };
  const stop = (signal: NodeJS.Signals): void => {
    const leave = (): void => {
      kill('SIGKILL');
      release();
      request.onStopped();
      // Without our handler the signal does what it always does.
      process.kill(process.pid, signal);
    };
    const isGone = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (isGone) leave();
    else {
      child.once('exit', leave);
      end(signal);
    }
  };
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const timer =
    request.timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            isLate = true;
            end('SIGTERM');
          },
          // A timer takes no longer times.
          Math.min(request.timeoutMs, 2 ** 31 - 1),
        );
  try {
    const ended = await new Promise<ProgramEnd>((resolve) => {
      child.once('error', (error) =>
        resolve({
          type: 'not started',
          reason: 'code' in error && error.code === 'ENOENT' ? 'there is no such program' : error.message,
        }),
      );
      child.once('exit', (code, signal) =>
        resolve(signal === null ? { type: 'exit', code: code ?? 1 } : { type: 'signal', signal }),
      );
    });
    // What it has started and left writes no more.
    kill('SIGKILL');
    await Promise.race([words, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref())]);
    return isLate ? { type: 'timeout' } : ended;
  } finally {
    clearTimeout(timer);
    clearTimeout(stopTimer);
    release();
  }
}

async function linesOf(stream: Readable, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of createInterface({ input: stream })) onLine(line);
  } catch {
    // A channel that breaks says no more.
  }
}
