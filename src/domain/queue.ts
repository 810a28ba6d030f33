/** Runs at most so many at once, in the order in which they come. */
export class Queue {
  #free: number;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** @throws an error for what has not begun when the queue is closed */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      if (this.#isClosed) throw new Error('what came before has failed');
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  close(): void {
    this.#isClosed = true;
  }
}
