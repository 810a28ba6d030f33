import { defineConfig } from 'vitest/config';

/** Suites that need servers, other programs or a browser. Each brings what it needs and stops what it started. */
export default defineConfig({
  test: { include: ['test/services/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 600_000, pool: 'forks' },
});
