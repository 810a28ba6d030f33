import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests that need a server or the network run with vitest.services.config.ts.
    exclude: [...configDefaults.exclude, 'test/services/**'],
    // DuckDB is native code: a crash in it must end one process, not the run.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
