import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killApplies, killCount, report } from '../crash/kills.js';
import { hasPostgres, PostgresServer } from './postgres.js';

const kills = killCount(6);

describe.skipIf(!hasPostgres())('with its catalog in PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());

  test(
    `an apply that is killed ${kills} times leaves the old environment or the new one, and the next goes on`,
    async () => {
      const figures = await killApplies(`lake: {catalog: '${server.address}', data: data}\n`, kills);
      report('postgres', figures);
      expect(figures.old + figures.new).toBe(kills);
    },
    60_000 + kills * 30_000,
  );
});
