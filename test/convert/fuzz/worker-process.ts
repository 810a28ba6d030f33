import { type ChildProcess, fork } from 'node:child_process';
import type { Job, Outcome } from './messages.js';

const TIME_LIMIT_MS = 30_000;

/** A worker in a process of its own, started again after a crash or when a job takes too long. */
export class WorkerProcess {
  readonly #script: string;
  readonly #folders: { readonly working: string; readonly temporary: string };
  #child: ChildProcess | undefined;

  constructor(script: string, folders: { readonly working: string; readonly temporary: string }) {
    this.#script = script;
    this.#folders = folders;
  }

  run(job: Job): Promise<Outcome | { readonly kind: 'crash' | 'hang'; readonly message: string }> {
    const child = this.#started();
    return new Promise((resolve) => {
      const settle = (outcome: Outcome | { readonly kind: 'crash' | 'hang'; readonly message: string }): void => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        if (outcome.kind === 'crash' || outcome.kind === 'hang') this.#child = undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        settle({ kind: 'hang', message: `not done after ${TIME_LIMIT_MS} ms` });
      }, TIME_LIMIT_MS);
      child.once('message', (outcome: Outcome) => settle(outcome));
      child.once('exit', (code, signal) => settle({ kind: 'crash', message: `ended with ${code ?? signal}` }));
      child.send(job);
    });
  }

  stop(): void {
    this.#child?.removeAllListeners();
    this.#child?.kill();
    this.#child = undefined;
  }

  #started(): ChildProcess {
    this.#child ??= fork(this.#script, [], {
      cwd: this.#folders.working,
      env: { ...process.env, TMPDIR: this.#folders.temporary, NODE_OPTIONS: '' },
      execArgv: ['--max-old-space-size=2048'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return this.#child;
  }
}
