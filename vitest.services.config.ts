import { defineConfig } from 'vitest/config';

/** Suites that need servers, other programs or a browser. Each brings what it needs and stops what it started. */
export default defineConfig({
  test: {
    include: ['test/services/**/*.test.ts'],
    globalSetup: ['test/services/python-servers.ts'],
    // The S3 client of the tests warns of Node's version, as that of the program does not.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    pool: 'forks',
    testTimeout: 120_000,
    // Other programs are installed before they are asked.
    hookTimeout: 600_000,
  },
});
