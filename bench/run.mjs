// `npm run bench` or `node bench/run.mjs lineage [MODELS …]`: see README.md.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { generate } from './generate.mjs';

const here = import.meta.dirname;
const [, , what = 'lineage', ...sizes] = process.argv;
if (what !== 'lineage') {
  process.stderr.write(`no benchmark ${what}; there is: lineage\n`);
  process.exit(2);
}
const runs = 3;
const sqlglotVersion = '30.30.0';

/** The JSON that a child prints at its end. */
function measured(command, ...args) {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1));
}

/** The cheapest of several runs: what else the machine does only ever adds. */
function cheapest(count, run) {
  const all = Array.from({ length: count }, run);
  return all.reduce((best, one) => (one.cpuSeconds < best.cpuSeconds ? one : best));
}

/** Python with sqlglot: `SQLGLOT_PYTHON`, or a virtual environment made for the occasion. Undefined where neither can be had. */
function pythonWithSqlglot(folder) {
  const hasSqlglot = (python) => spawnSync(python, ['-c', 'import sqlglot']).status === 0;
  if (process.env.SQLGLOT_PYTHON)
    return hasSqlglot(process.env.SQLGLOT_PYTHON) ? process.env.SQLGLOT_PYTHON : undefined;
  const venv = path.join(folder, 'venv');
  const python = path.join(venv, 'bin', 'python');
  if (spawnSync('python3', ['-m', 'venv', venv]).status !== 0) return undefined;
  spawnSync(python, ['-m', 'pip', 'install', '--quiet', `sqlglot==${sqlglotVersion}`]);
  return hasSqlglot(python) ? python : undefined;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-bench-'));
try {
  const python = pythonWithSqlglot(folder);
  const results = (sizes.length > 0 ? sizes.map(Number) : [100, 1000]).map((count) => {
    const project = path.join(folder, `p${count}`);
    const cache = path.join(folder, `cache${count}`);
    generate(project, count);
    const load = path.join(here, 'load.mjs');
    const cold = cheapest(runs, () => {
      fs.rmSync(cache, { recursive: true, force: true });
      return measured(process.execPath, load, project, cache);
    });
    const cached = cheapest(runs, () => measured(process.execPath, load, project, cache));
    const peer = (way) =>
      measured(python, path.join(here, 'sqlglot_lineage.py'), path.join(project, 'queries.json'), way);
    const sqlglot = python && cheapest(runs, () => peer('per-query'));
    // Once: it takes minutes, and its distance is larger than any noise.
    const sqlglotDocumented = python && peer('per-column');
    return { count, cold, cached, sqlglot, sqlglotDocumented };
  });
  const report = {
    measuredAt: new Date().toISOString(),
    machine: { cpu: os.cpus()[0]?.model, cores: os.cpus().length, load: os.loadavg()[0], node: process.version },
    runs,
    results,
  };
  fs.mkdirSync(path.join(here, 'results'), { recursive: true });
  fs.writeFileSync(path.join(here, 'results', 'lineage.json'), `${JSON.stringify(report, null, 2)}\n`);
  const perModel = ({ cpuSeconds, modelCount }) => (1000 * cpuSeconds) / modelCount;
  const times = (peer, one) => (peer ? `${(perModel(peer) / perModel(one)).toFixed(1)}x` : '').padStart(14);
  const lines = results.flatMap(({ count, cold, cached, sqlglot, sqlglotDocumented }) =>
    [
      ['Scilake, cold', cold],
      ['Scilake, cached', cached],
      ['sqlglot, one pass', sqlglot],
      ['sqlglot, by column', sqlglotDocumented],
    ]
      .filter(([, one]) => one !== undefined)
      .map(([name, one]) =>
        [
          String(count).padStart(6),
          name.padEnd(18),
          one.cpuSeconds.toFixed(2).padStart(9),
          perModel(one).toFixed(2).padStart(12),
          String(one.columnCount).padStart(8),
          times(sqlglot, one),
          times(sqlglotDocumented, one),
        ].join('  '),
      ),
  );
  process.stdout.write(
    `${['models', 'what'.padEnd(18), '  CPU s', 'CPU ms/model', ' columns', 'one pass / it'.padStart(14), 'by column / it'.padStart(14)].join('  ')}\n${lines.join('\n')}\n`,
  );
  if (!python) process.stdout.write('sqlglot left out: no Python with it, and it could not be installed.\n');
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
