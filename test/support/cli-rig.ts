import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Shell } from '../../src/cli/command.js';
import { runCli } from '../../src/cli/run-cli.js';
import { inProcessConverter } from '../../src/convert/index.js';
import { duckdb } from '../../src/effects/duckdb.js';
import { files } from '../../src/effects/files.js';
import { git } from '../../src/effects/git.js';
import { processFacts } from '../../src/effects/process-facts.js';
import { openSqlite } from '../../src/effects/sqlite.js';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON; every use names the shape that it expects. */
  json<T>(): T;
}

/** A project in a folder of its own, and the real command line over it, in this process. */
export interface Rig {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): void;
  remove(file: string): void;
  read(file: string): string;
  run(...argv: readonly string[]): Promise<Outcome>;
  /** `run`, which must succeed. */
  ok(...argv: readonly string[]): Promise<Outcome>;
  /** Rows of a query on an environment. */
  rows<T>(sql: string, environment?: string): Promise<readonly T[]>;
  dispose(): void;
}

export const EXECUTION_TIME = '2024-01-10 12:00:00';

export function makeRig(
  project: Readonly<Record<string, string>> = {},
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly outside?: Partial<Shell['outside']>;
  } = {},
): Rig {
  const folder = mkdtempSync(path.join(tmpdir(), 'scilake-test-'));
  const write = (wanted: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(wanted)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
  };
  write({ 'scilake.yaml': "name: test\nmodel_defaults:\n  start: '2024-01-01'\n", ...project });
  const run = async (...argv: readonly string[]): Promise<Outcome> => {
    let out = '';
    let err = '';
    const shell: Shell = {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      isTerminal: false,
      hasColor: false,
      columns: 200,
      environment: { SCILAKE_EXECUTION_TIME: EXECUTION_TIME, ...options.environment },
      workingFolder: folder,
      outside: {
        duckdb,
        files,
        processFacts,
        git,
        openSqlite,
        tools: { scilake: 'test', node: process.versions.node },
        now: () => new Date(),
        elapsedMs: () => performance.now(),
        author: 'tester',
        // Worker processes run compiled code; they have tests of their own.
        converter: async () => inProcessConverter({ duckdb, files }),
        ...options.outside,
      },
      confirm: async () => true,
    };
    const code = await runCli([...argv], shell);
    return { code, out, err, json: <T>() => JSON.parse(out) as T };
  };
  const ok = async (...argv: readonly string[]): Promise<Outcome> => {
    const outcome = await run(...argv);
    if (outcome.code !== 0)
      throw new Error(`scilake ${argv.join(' ')} ended with ${outcome.code}\n${outcome.err}${outcome.out}`);
    return outcome;
  };
  return {
    folder,
    write,
    remove: (file) => rmSync(path.join(folder, file)),
    read: (file) => readFileSync(path.join(folder, file), 'utf8'),
    run,
    ok,
    rows: async <T>(sql: string, environment = 'prod') =>
      (await ok('query', sql, '--env', environment, '--json')).json<readonly T[]>(),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The table that most small projects here read. */
export const SOURCE_MODEL =
  "MODEL (name s.src, kind FULL);\nSELECT 1::INT AS id, 10::DOUBLE AS mag, 'x'::TEXT AS cls, DATE '2024-01-02' AS ds";
