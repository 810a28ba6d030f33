import { expect, test } from 'vitest';
import { openLimits } from '../../src/ingest/limits.js';

/** A clock that moves when somebody waits. */
function clock() {
  let ms = 0;
  return {
    nowMs: () => ms,
    pass: (by: number) => {
      ms += by;
    },
    sleep: async (by: number) => {
      ms += by;
    },
  };
}

test('bytes take the time that the bandwidth gives them, all downloads together', async () => {
  const time = clock();
  const limits = openLimits({ bandwidthMb: 2 }, time);
  for (let block = 0; block < 50; block += 1) await limits.spend(100_000);
  // 5 MB at 2 MB per second.
  expect(time.nowMs()).toBeCloseTo(2500, 6);
});

test('a quiet second is no credit for the next one', async () => {
  const time = clock();
  const limits = openLimits({ bandwidthMb: 1 }, time);
  await limits.spend(1000);
  time.pass(10_000);
  const before = time.nowMs();
  await limits.spend(500_000);
  expect(time.nowMs() - before).toBeCloseTo(500, 6);
});

test('without a bandwidth nobody waits', async () => {
  const time = clock();
  await openLimits({}, time).spend(1e9);
  expect(time.nowMs()).toBe(0);
});
