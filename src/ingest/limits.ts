import { setTimeout as timeout } from 'node:timers/promises';
import type { IngestSettings } from '../domain/project.js';
import { Queue } from '../domain/queue.js';

/** What all downloads of a process share. */
export interface DownloadLimits {
  /** Downloads at once. */
  readonly atOnce: number;
  /** Runs one when its turn has come. */
  run<T>(download: () => Promise<T>): Promise<T>;
  /** Waits until so many bytes more may arrive. */
  spend(byteCount: number): Promise<void>;
}

const AT_ONCE = 4;

/** Milliseconds of a clock that never goes back, and a way to wait for it. */
interface Clock {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Limits for one command. What was not used in a quiet second is lost: bytes come evenly, not in bursts. */
export function openLimits(
  { atOnce = AT_ONCE, bandwidthMb }: IngestSettings,
  { nowMs, sleep }: Clock = { nowMs: () => performance.now(), sleep: (ms) => timeout(ms) },
): DownloadLimits {
  const queue = new Queue(atOnce);
  const bytesPerMs = bandwidthMb === undefined ? Number.POSITIVE_INFINITY : bandwidthMb * 1000;
  // When all that has been let in so far would have arrived at the given rate.
  let paidUntilMs = 0;
  return {
    atOnce,
    run: (download) => queue.run(download),
    async spend(byteCount) {
      if (bandwidthMb === undefined) return;
      paidUntilMs = Math.max(paidUntilMs, nowMs()) + byteCount / bytesPerMs;
      const waitMs = paidUntilMs - nowMs();
      if (waitMs > 1) await sleep(waitMs);
    },
  };
}
