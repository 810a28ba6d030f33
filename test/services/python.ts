import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

/**
 * A Python with these packages: a virtual environment in the system's folder for temporary files, made once per list.
 *
 * @param packages  as pip takes them, pinned
 * @returns         path of the interpreter
 */
export function pythonWith(packages: readonly string[]): string {
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
  const folder = path.join(tmpdir(), `scilake-python-${name}`);
  const interpreter = path.join(folder, 'bin', 'python');
  if (existsSync(path.join(folder, 'ready'))) return interpreter;
  execFileSync('python3', ['-m', 'venv', '--clear', folder], { stdio: 'inherit' });
  execFileSync(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], {
    stdio: 'inherit',
  });
  // Only what was installed whole is used again.
  mkdirSync(path.join(folder, 'making'));
  renameSync(path.join(folder, 'making'), path.join(folder, 'ready'));
  return interpreter;
}
