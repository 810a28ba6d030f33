import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { type Diagnostic, DiagnosticError, messageOf } from '../domain/diagnostic.js';
import { literal } from '../domain/names.js';
import type { Database } from './duckdb.js';
import type { Files } from './files.js';

/** Where an extension was found. */
export interface LoadedExtension {
  readonly name: string;
  readonly origin: 'installed' | 'SCILAKE_EXTENSION_DIR' | 'INSTALL' | 'pip';
}

export interface ExtensionEffects {
  readonly files: Files;
  /** Value of SCILAKE_EXTENSION_DIR, if it is set. */
  readonly extensionFolder?: string;
  /** Told before something slow (a download) begins. */
  readonly announce: (detail: string) => void;
}

/**
 * Loads an extension that is not inside the npm package. Tried in order: installed already, the folder of
 * SCILAKE_EXTENSION_DIR, DuckDB's own `INSTALL`, the PyPI package that carries the same signed file. DuckDB checks the
 * signature each time.
 *
 * @throws DiagnosticError naming all four and what each answered
 */
export async function loadExtension(
  database: Database,
  name: string,
  effects: ExtensionEffects,
): Promise<LoadedExtension> {
  const answers: string[] = [];
  const attempts: readonly { readonly origin: LoadedExtension['origin']; readonly load: () => Promise<void> }[] = [
    { origin: 'installed', load: () => database.run(`LOAD ${name}`) },
    { origin: 'SCILAKE_EXTENSION_DIR', load: () => loadFromFolder(database, name, effects) },
    { origin: 'INSTALL', load: () => installAndLoad(database, name, effects) },
    { origin: 'pip', load: () => downloadAndLoad(database, name, effects) },
  ];
  for (const { origin, load } of attempts) {
    try {
      await load();
      return { name, origin };
    } catch (thrown) {
      answers.push(`${origin}: ${shortened(messageOf(thrown))}`);
    }
  }
  const diagnostic: Diagnostic = {
    code: 'SL0701',
    severity: 'error',
    message: `DuckDB's extension "${name}" is needed and was not found\n${answers.map((answer) => `  ${answer}`).join('\n')}`,
    hint: 'connect to the internet once, install Python with pip, or put the extension file into a folder and name it in SCILAKE_EXTENSION_DIR',
  };
  throw new DiagnosticError([diagnostic]);
}

async function loadFromFolder(
  database: Database,
  name: string,
  { files, extensionFolder }: ExtensionEffects,
): Promise<void> {
  if (extensionFolder === undefined) throw new Error('not set');
  const { version, platform } = await engineIdentity(database);
  const fileName = `${name}.duckdb_extension`;
  const candidates = [fileName, path.join(version, platform, fileName), path.join(version, fileName)].map((below) =>
    path.resolve(extensionFolder, below),
  );
  const found = candidates.find((candidate) => files.facts(candidate) !== undefined);
  if (found === undefined) throw new Error(`no ${fileName} in ${extensionFolder}`);
  await database.run(`LOAD ${literal(found)}`);
}

async function installAndLoad(database: Database, name: string, { announce }: ExtensionEffects): Promise<void> {
  announce(`installing DuckDB's extension ${name}`);
  await database.run(`INSTALL ${name}`);
  await database.run(`LOAD ${name}`);
}

/** The wheel is a zip that holds nothing but the extension; Python itself unpacks it. */
async function downloadAndLoad(database: Database, name: string, { files, announce }: ExtensionEffects): Promise<void> {
  const { version, platform } = await engineIdentity(database);
  const folder = path.join(await extensionDirectory(database), version, platform);
  announce(`downloading DuckDB's extension ${name} ${version} with pip`);
  const temporary = files.makeTemporaryFolder(folder, '.download-');
  try {
    const python = await findPython();
    const requirement = `duckdb-extension-${name}==${version.replace(/^v/, '')}`;
    await runProgram(python, [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      temporary,
      requirement,
    ]);
    const wheel = files.list(temporary).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw new Error(`pip brought no wheel for ${requirement}`);
    const unpacked = path.join(temporary, 'unpacked');
    await runProgram(python, ['-m', 'zipfile', '-e', path.join(temporary, wheel), unpacked]);
    const extension = files.list(unpacked).find((file) => file.endsWith(`${version}/${name}.duckdb_extension`));
    if (extension === undefined) throw new Error(`${wheel} holds no ${name} for ${version}`);
    // Loaded from where it was unpacked first: DuckDB refuses a file that is not signed before it is put in place.
    const target = path.join(folder, `${name}.duckdb_extension`);
    await database.run(`LOAD ${literal(path.join(unpacked, extension))}`);
    files.rename(path.join(unpacked, extension), target);
  } finally {
    files.remove(temporary);
  }
}

async function engineIdentity(database: Database): Promise<{ readonly version: string; readonly platform: string }> {
  const [row] = await database.rows(
    'SELECT version() AS version, (SELECT platform FROM pragma_platform()) AS platform',
  );
  return { version: String(row?.version), platform: String(row?.platform) };
}

async function extensionDirectory(database: Database): Promise<string> {
  const [row] = await database.rows("SELECT current_setting('extension_directory') AS folder");
  const folder = row?.folder;
  return typeof folder === 'string' && folder !== '' ? folder : path.join(homedir(), '.duckdb', 'extensions');
}

async function findPython(): Promise<string> {
  for (const candidate of ['python3', 'python']) {
    try {
      await runProgram(candidate, ['--version']);
      return candidate;
    } catch {
      // Not on the path under this name: try the next.
    }
  }
  throw new Error('there is no python3 on the path');
}

function runProgram(program: string, programArguments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...programArguments], { timeout: 300_000 }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim().split('\n').at(-1) || error.message, { cause: error }));
    });
  });
}

function shortened(message: string): string {
  const [first] = message.split('\n');
  return (first ?? '').slice(0, 200);
}
