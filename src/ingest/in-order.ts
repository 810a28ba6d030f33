import { Queue } from '../domain/queue.js';

/** How many items may be ready before an earlier one is: one that takes long holds up few. */
const AHEAD = 8;

/**
 * Works on several items at once, and gives the results in the order of the items. Of a long stream only a few items are
 * held at a time.
 *
 * @throws what the first item in order that fails throws; nothing new is begun then
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const queue = new Queue(atOnce);
  const window: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = queue.run(() => work(item));
      // Whoever takes it hears of its failure; nobody else has to.
      result.catch(() => {});
      window.push(result);
      const first = window.length >= atOnce * AHEAD ? window.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (let next = window.shift(); next !== undefined; next = window.shift()) yield await next;
  } finally {
    queue.close();
    await Promise.allSettled(window);
  }
}
