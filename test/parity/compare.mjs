// Runs the project of project.mjs through SQLMesh and through Scilake and compares every table after every step:
//
//     python3 -m venv venv && venv/bin/pip install sqlmesh==0.236.4
//     SQLMESH_PYTHON=venv/bin/python node test/parity/compare.mjs
//
// Scilake is taken from dist/ (npm run build). Ends with 1 when a table differs.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { files, steps, tables } from './project.mjs';

const python = process.env.SQLMESH_PYTHON;
if (!python) {
  process.stderr.write('SQLMESH_PYTHON names no Python with sqlmesh\n');
  process.exit(2);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-parity-'));
const scilake = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

const write = (root, name, text) => {
  fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  fs.writeFileSync(path.join(root, name), text.replaceAll('DATA/', `${folder}/data/`));
};
const run = (command, args, options = {}) => {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, ...options });
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${child.stdout}${child.stderr}`);
  return child.stdout;
};

const config = `model_defaults:\n  dialect: duckdb\n  start: 2024-01-01\nvariables:\n  low: 2\n`;
const [theirs, ours] = ['sqlmesh', 'scilake'].map((name) => path.join(folder, name));
for (const root of [theirs, ours]) for (const [name, text] of Object.entries(files)) write(root, name, text);
write(
  theirs,
  'config.yaml',
  `gateways:\n  local:\n    connection:\n      type: duckdb\n      database: ${theirs}/db.duckdb\n${config}`,
);
write(ours, 'scilake.yaml', config);

const scilakeStep = (step) => {
  const base = ['--execution-time', step.at, '-p', ours, '--json'];
  if (step.do === 'run') run(process.execPath, [scilake, 'run', ...base]);
  else
    run(process.execPath, [
      scilake,
      'apply',
      '-y',
      ...(step.do === 'restate' ? ['--restate-model', step.model] : []),
      ...base,
    ]);
  return Object.fromEntries(
    tables.map((table) => {
      const rows = JSON.parse(
        run(process.execPath, [scilake, 'query', `SELECT COLUMNS(*)::VARCHAR FROM ${table}`, '-p', ours, '--json']),
      );
      return [table, rows];
    }),
  );
};
const sorted = (rows) => rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();

let differences = 0;
try {
  for (const step of steps) {
    write(folder, 'data/events.csv', step.data);
    for (const [name, text] of Object.entries(step.files ?? {}))
      for (const root of [theirs, ours]) write(root, name, text);
    const expected = JSON.parse(
      run(
        python,
        [path.join(import.meta.dirname, 'sqlmesh_side.py'), theirs, JSON.stringify(step), JSON.stringify(tables)],
        {
          cwd: folder,
        },
      )
        .trim()
        .split('\n')
        .at(-1),
    );
    const actual = scilakeStep(step);
    for (const table of tables) {
      const [a, b] = [sorted(expected[table]), sorted(actual[table])];
      const same = a.length === b.length && a.every((row, at) => row === b[at]);
      if (same) continue;
      differences++;
      const only = (one, other) => one.filter((row) => !other.includes(row)).map((row) => `    ${row}`);
      process.stdout.write(
        [`${step.name}: ${table} differs`, '  only SQLMesh:', ...only(a, b), '  only Scilake:', ...only(b, a), ''].join(
          '\n',
        ),
      );
    }
    const rowCount = Object.values(expected).reduce((sum, rows) => sum + rows.length, 0);
    process.stdout.write(`${step.name}: ${tables.length} tables with ${rowCount} rows compared\n`);
  }
  process.stdout.write(`${differences} differences over ${steps.length} steps\n`);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
process.exit(differences > 0 ? 1 : 0);
