#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { duckdb } from '../effects/duckdb.js';
import { files } from '../effects/files.js';
import { git } from '../effects/git.js';
import { processFacts } from '../effects/process-facts.js';
import { tuneForShortRuns } from '../effects/short-runs.js';
import { openSqlite } from '../effects/sqlite.js';
import { exitCodes, type Shell } from './command.js';
import { runCli } from './run-cli.js';
import { version } from './version.js';

tuneForShortRuns();
const { env, stdout, stderr, stdin } = process;

const shell: Shell = {
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  isTerminal: stderr.isTTY === true,
  hasColor: (env.NO_COLOR ?? '') === '' && (stdout.isTTY === true || (env.FORCE_COLOR ?? '') !== ''),
  columns: stdout.columns ?? 120,
  environment: env,
  workingFolder: process.cwd(),
  outside: {
    duckdb,
    files,
    processFacts,
    git,
    openSqlite,
    tools: { scilake: version, node: process.versions.node },
    converter: async (budget) => {
      const { workerConverter } = await import('../convert/converter.js');
      const { machineFacts, runWorker } = await import('../effects/worker-process.js');
      return workerConverter(budget, { runWorker, files, machine: machineFacts() });
    },
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    author: env.SCILAKE_AUTHOR ?? env.USER ?? env.USERNAME ?? 'unknown',
    ...(env.SCILAKE_EXTENSION_DIR === undefined || env.SCILAKE_EXTENSION_DIR === ''
      ? {}
      : { extensionFolder: env.SCILAKE_EXTENSION_DIR }),
  },
  async confirm(question) {
    if (stdin.isTTY !== true) return true;
    const prompt = createInterface({ input: stdin, output: stderr });
    try {
      return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
    } finally {
      prompt.close();
    }
  },
};

// A reader that closes early (head, less) is no error of ours.
stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit(exitCodes.done);
  throw error;
});

try {
  process.exitCode = await runCli(process.argv.slice(2), shell);
} catch (thrown) {
  shell.err(
    `${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n\nThis is a bug of Scilake, not of your project. Please report it with the lines above.\n`,
  );
  process.exitCode = exitCodes.bug;
}
