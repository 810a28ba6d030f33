import { expect, test } from 'vitest';
import { killApplies, killCount, report } from './kills.js';

const kills = killCount(6);

test(
  `an apply that is killed ${kills} times leaves the old environment or the new one, and the next goes on (file)`,
  async () => {
    const figures = await killApplies('name: kills\n', kills);
    report('duckdb', figures);
    expect(figures.old + figures.new).toBe(kills);
  },
  60_000 + kills * 20_000,
);
