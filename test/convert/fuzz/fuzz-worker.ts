import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { convertFile } from '../../../src/convert/index.js';
import { duckdb } from '../../../src/effects/duckdb.js';
import { files } from '../../../src/effects/files.js';
import type { Job, Outcome } from './messages.js';
import { problemOf } from './oracles.js';

/** Converts one damaged file after another, and says what became of it. Lives in a process of its own: native code may crash. */
process.on('message', (job: Job) => {
  outcomeOf(job)
    .catch(
      (thrown: unknown): Plain => ({
        kind: 'wrong',
        message: thrown instanceof Error ? String(thrown.stack) : String(thrown),
      }),
    )
    .then((outcome) => process.send?.({ ...outcome, rssBytes: process.memoryUsage.rss() }));
});

// hyparquet reads columns side by side: when two of them fail, the second rejection belongs to nobody.
process.on('unhandledRejection', (thrown) => {
  const isOracle = thrown instanceof Error && thrown.stack?.includes('node_modules/hyparquet') === true;
  if (!isOracle) throw thrown;
});

type Without<T> = T extends unknown ? Omit<T, 'rssBytes'> : never;
type Plain = Without<Outcome>;

async function outcomeOf(job: Job): Promise<Plain> {
  const out = path.join(job.place, 'converted');
  const before = strayFiles();
  const result = await convertFile(
    { file: job.file, displayName: path.basename(job.file), format: job.format, out },
    { duckdb, files },
  );
  const stray = strayFiles().filter((name) => !before.includes(name));
  if (stray.length > 0) return { kind: 'wrong', message: `left in other folders: ${stray.join(', ')}` };
  const left = fs.readdirSync(job.place).filter((name) => !result.ok || name !== 'converted');
  if (left.length > 0) return { kind: 'wrong', message: `left behind: ${left.join(', ')}` };
  if (!result.ok) {
    const [error] = result.errors;
    const isNamed = result.errors.every(({ code, message }) => code.startsWith('SL06') && message !== '');
    if (error === undefined || !isNamed) return { kind: 'wrong', message: `no named error: ${JSON.stringify(result)}` };
    if (error.code === 'SL0690') return { kind: 'wrong', message: error.message };
    return { kind: 'refused', code: error.code };
  }
  const database = await duckdb.open();
  try {
    const problem = await problemOf(job, out, database);
    return typeof problem === 'string' ? { kind: 'wrong', message: problem } : { kind: 'converted', ...problem };
  } finally {
    database.close();
  }
}

/** Where a file could escape to: the working folder, and that of temporary files, which is the worker's own. */
function strayFiles(): readonly string[] {
  return [process.cwd(), os.tmpdir()].flatMap((folder) =>
    fs.readdirSync(folder).map((name) => path.join(folder, name)),
  );
}
