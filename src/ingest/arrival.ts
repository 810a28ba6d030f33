import type { Emit } from '../domain/event.js';

/** How often somebody is told, ms: blocks arrive by the thousand. */
const TOLD_EVERY_MS = 100;

/** Adds up what arrives of one source, and tells it. */
export class Arrival {
  readonly #source: string;
  readonly #emit: Emit | undefined;
  #bytes = 0;
  #fileCount = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(source: string, emit: Emit | undefined) {
    this.#source = source;
    this.#emit = emit;
  }

  /**
   * Listens to one download.
   *
   * @param isWhole  whether the file is all that the source has, so that its size is the source's
   * @returns        takes how many bytes of the file are here, first of all how many were here before, and of how many
   */
  file(isWhole: boolean): (done: number, total: number | undefined) => void {
    let before: number | undefined;
    return (done, total) => {
      if (before === undefined) this.#fileCount += 1;
      this.#bytes += Math.max(0, done - (before ?? done));
      before = done;
      const nowMs = performance.now();
      if (nowMs - this.#toldAtMs < TOLD_EVERY_MS) return;
      this.#toldAtMs = nowMs;
      const [shown, whole] = isWhole ? [done, total] : [this.#bytes, undefined];
      this.#emit?.({ type: 'fetching', source: this.#source, done: shown, total: whole, fileCount: this.#fileCount });
    };
  }

  /** All of the source is here. */
  end(): void {
    if (this.#fileCount > 0)
      this.#emit?.({ type: 'fetched', source: this.#source, bytes: this.#bytes, fileCount: this.#fileCount });
  }
}
