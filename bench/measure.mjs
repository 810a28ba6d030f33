import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** The JSON that a child prints at its end. */
export function measured(command, ...args) {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1));
}

/** The cheapest of several runs: what else the machine does only ever adds. */
export function cheapest(count, run) {
  const all = Array.from({ length: count }, run);
  return all.reduce((best, one) => (one.cpuSeconds < best.cpuSeconds ? one : best));
}

/** Python with packages: the one that an environment variable names, or a virtual environment made for the occasion. Undefined where neither can be had. */
export function pythonWith(folder, { variable, packages, imports }) {
  const hasAll = (python) => spawnSync(python, ['-c', `import ${imports}`]).status === 0;
  if (process.env[variable]) return hasAll(process.env[variable]) ? process.env[variable] : undefined;
  const venv = path.join(folder, 'venv');
  const python = path.join(venv, 'bin', 'python');
  if (spawnSync('python3', ['-m', 'venv', venv]).status !== 0) return undefined;
  spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  return hasAll(python) ? python : undefined;
}

/** Writes `results/<name>.json`. */
export function record(name, { runs, results, ...rest }) {
  const report = {
    measuredAt: new Date().toISOString(),
    machine: { cpu: os.cpus()[0]?.model, cores: os.cpus().length, load: os.loadavg()[0], node: process.version },
    runs,
    ...rest,
    results,
  };
  const folder = path.join(import.meta.dirname, 'results');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
}
