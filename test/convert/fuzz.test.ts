import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formats } from '../../src/convert/index.js';
import { fixtureSeeds, type Seed, seedsOf } from './fuzz/seeds.js';
import { WorkerProcess } from './fuzz/worker-process.js';
import { mutants } from './mutants.js';
import { temporaryFolder } from './support.js';

/** True under `npm run fuzz`. */
const IS_LONG = process.env.MODE === 'fuzz';
const MUTANTS = Number(process.env.SCILAKE_FUZZ_MUTANTS ?? (IS_LONG ? 2000 : 100));
const SEED = Number(process.env.SCILAKE_FUZZ_SEED ?? 1);
const FIXTURES = process.env.SCILAKE_FIXTURES ?? '';
/** Bounded memory: the process itself with DuckDB and HDF5 takes up to 400 MB. */
const MAX_RSS_BYTES = 1.5 * 2 ** 30;

const root = path.resolve(import.meta.dirname, '../..');
const built = path.join(root, 'node_modules/.cache/scilake-fuzz');
const folder = temporaryFolder();
let worker: WorkerProcess;

beforeAll(() => {
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.fuzz.json'], {
    cwd: root,
  });
  fs.writeFileSync(path.join(built, 'package.json'), '{ "type": "module" }\n');
  const [working, temporary] = ['working', 'temporary'].map((name) => path.join(folder, name));
  if (working === undefined || temporary === undefined) throw new Error('no folders');
  fs.mkdirSync(working);
  fs.mkdirSync(temporary);
  worker = new WorkerProcess(path.join(built, 'test/convert/fuzz/fuzz-worker.js'), { working, temporary });
});
afterAll(() => worker.stop());

describe('damaged files are refused by name, or hold what another reader finds in them', () => {
  // A folder of files has no bytes of its own to break; those of its files are broken under their own names.
  test.each(formats.map(({ name }) => name).filter((name) => name !== 'files'))(
    '%s',
    { timeout: 10_000 + MUTANTS * 2000 },
    async (format) => {
      const seeds = [...(await seedsOf(format, folder)), ...fixtureSeeds(format, FIXTURES)];
      const figures = { refused: 0, converted: 0, checked: 0, largestMb: 0 };
      const failures: string[] = [];
      for (const [k, seed] of seeds.entries()) {
        const count = Math.ceil(MUTANTS / seeds.length);
        let i = 0;
        let before = seed.bytes;
        for (const damaged of mutants(seed.bytes, count, SEED * 1000 + k)) {
          const mutant = seed.repair?.(damaged) ?? damaged;
          const outcome = await tried(format, seed, mutant);
          if (outcome.kind === 'refused') figures.refused++;
          else if (outcome.kind === 'converted') {
            figures.converted++;
            if (outcome.checked) figures.checked++;
          } else
            failures.push(kept(format, seed, { mutant, before, i, message: `${outcome.kind}: ${outcome.message}` }));
          if ('rssBytes' in outcome) figures.largestMb = Math.max(figures.largestMb, outcome.rssBytes / 2 ** 20);
          before = mutant;
          i++;
        }
      }
      if (IS_LONG) {
        process.stdout.write(`${format}: ${JSON.stringify({ ...figures, wrong: failures.length })}\n`);
      }
      expect(failures).toEqual([]);
      expect(figures.refused + figures.converted).toBeGreaterThanOrEqual(MUTANTS);
      // Damage that nothing ever refuses, or that everything is refused for, tests nothing.
      expect(figures.refused).toBeGreaterThan(0);
      expect(figures.largestMb).toBeLessThan(MAX_RSS_BYTES / 2 ** 20);
    },
  );
});

async function tried(format: string, seed: Seed, mutant: Buffer): ReturnType<WorkerProcess['run']> {
  const place = fs.mkdtempSync(path.join(folder, 'job-'));
  const inside = path.join(place, 'in');
  const outside = path.join(place, 'out');
  fs.mkdirSync(inside);
  fs.mkdirSync(outside);
  const file = path.join(inside, seed.name);
  const original = path.join(place, 'original');
  fs.writeFileSync(file, mutant);
  fs.writeFileSync(original, seed.original ?? '');
  for (const [name, content] of Object.entries(seed.beside ?? {})) fs.writeFileSync(path.join(inside, name), content);
  const outcome = await worker.run({ file, place: outside, format, oracle: seed.oracle, original });
  fs.rmSync(place, { recursive: true, force: true });
  return outcome;
}

/** Keeps a mutant that something went wrong with, to look into. @returns a sentence about it */
function kept(
  format: string,
  seed: Seed,
  problem: {
    readonly mutant: Buffer;
    readonly before: Buffer;
    readonly i: number;
    readonly message: string;
  },
): string {
  const place = process.env.SCILAKE_FUZZ_KEEP;
  const name = `${format}-${problem.i}-${seed.name}`;
  if (place !== undefined) {
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(path.join(place, name), problem.mutant);
    // Native code may fall over after it has answered: then it was the one before.
    fs.writeFileSync(path.join(place, `before-${name}`), problem.before);
    fs.writeFileSync(path.join(place, `${name}.txt`), problem.message);
  }
  return `${name}: ${problem.message}`;
}
