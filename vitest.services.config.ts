import { defineConfig } from 'vitest/config';

/** Suites that start a server or a browser of their own. There is none yet; each comes with its capability. */
export default defineConfig({
  test: { include: ['test/services/**/*.test.ts'], passWithNoTests: true, testTimeout: 120_000 },
});
