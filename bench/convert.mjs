// `node bench/run.mjs convert [quick | full | MILLIONS …]`, `node bench/run.mjs convert memory [MILLIONS …]`: see README.md.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cheapest, measured, pythonWith, record } from './measure.mjs';

const here = import.meta.dirname;
const runs = 3;
const GENES = 20_000;
const FIXED_CELLS = 50_000;

/** @param what millions of entries of the h5ad files: 5 (`quick`, the default), 5 and 50 (`full`), or as given; after `memory`: peaks only */
export async function run(what) {
  const isMemory = what[0] === 'memory';
  const sizes = isMemory ? what.slice(1) : what;
  const given = sizes.flatMap((size) => (size === 'quick' ? [5] : size === 'full' ? [5, 50] : [Number(size)]));
  const millions = given.length > 0 ? given : isMemory ? [5, 50, 500] : [5];
  const folder = fs.mkdtempSync(path.join(process.env.SCILAKE_BENCH_FOLDER ?? os.tmpdir(), 'scilake-bench-'));
  try {
    const python = pythonWith(folder, {
      variable: 'SCILAKE_BENCH_PYTHON',
      packages: ['anndata', 'pyarrow', 'h5py', 'scipy'],
      imports: 'anndata, h5py, pyarrow, scipy',
    });
    if (python === undefined)
      throw new Error(
        'the inputs are made with Python: set SCILAKE_BENCH_PYTHON to one with anndata, h5py, pyarrow and scipy',
      );
    const results = [];
    if (isMemory) {
      for (const million of millions) results.push(...peaks(python, folder, million));
      record('convert-memory', { runs: 1, results });
      draw(results);
      return;
    }
    for (const million of millions) results.push(...h5ad(python, folder, million));
    // A text of 10 million entries; the quick form has fewer.
    const text = millions.every((million) => million <= 5) ? 2 : 10;
    results.push(...mtx(python, folder, text), ...rds(folder, text));
    record(millions.every((million) => million <= 5) ? 'convert-quick' : 'convert', { runs, results });
    draw(results);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function h5ad(python, folder, million) {
  const entries = million * 1_000_000;
  const cells = entries / 1_000;
  const file = path.join(folder, `x${million}.h5ad`);
  make(python, [path.join(here, 'convert-inputs.py'), 'h5ad', cells, GENES, entries, file]);
  const size = `h5ad ${million} M`;
  const ours = (name, ...options) => ({
    input: size,
    what: name,
    ...one('convert', file, path.join(folder, `${name}-${million}`), options),
  });
  const theirs = (what, name) => ({
    input: size,
    what: name,
    ...cheapest(runs, () =>
      measured(python, path.join(here, 'convert_python.py'), what, file, path.join(folder, 'python.parquet')),
    ),
  });
  const results = [
    ours('by cell', 'x_order=cell'),
    ours('by gene'),
    ours('by gene, 128 MB', 'sort_memory_mb=128'),
    theirs('stream', 'Python, h5py to pyarrow, by cell'),
  ];
  // The whole matrix in memory, three times: not for the largest.
  if (million <= 100) results.push(theirs('anndata', 'Python, anndata to pyarrow, by cell'));
  const x = path.join(folder, `by gene-${million}`, 'X.parquet');
  results.push({
    input: size,
    what: 'one gene, warm',
    ...measured(process.execPath, path.join(here, 'convert-one.mjs'), 'gene', x),
  });
  results.push({
    input: size,
    what: 'export to h5ad',
    // Once: it takes as long as the others together.
    ...measured(
      process.execPath,
      path.join(here, 'convert-one.mjs'),
      'export',
      path.join(folder, `by gene-${million}`),
      path.join(folder, `again-${million}.h5ad`),
    ),
  });
  for (const name of fs.readdirSync(folder))
    if (name !== 'venv') fs.rmSync(path.join(folder, name), { recursive: true });
  return results;
}

/** Peak memory by size, with as many cells for each size and with a thousand entries for each cell. */
function peaks(python, folder, million) {
  const entries = million * 1_000_000;
  const results = [];
  for (const names of ['names fixed', 'names grow']) {
    const cells = names === 'names fixed' ? FIXED_CELLS : entries / 1_000;
    const file = path.join(folder, 'peak.h5ad');
    const out = path.join(folder, 'peak');
    make(python, [path.join(here, 'convert-inputs.py'), 'h5ad', cells, GENES, entries, file]);
    const input = `h5ad ${million} M`;
    const measure = (what, ...options) =>
      results.push({ input, cells, what, ...one('convert', file, out, options, 1) });
    measure(`by cell, ${names}`, 'x_order=cell');
    // A pass over the file for each 64 MB of entries: a quarter of an hour for 500 million.
    if (names === 'names grow') measure(`by gene, 64 MB, ${names}`, 'sort_memory_mb=64');
    fs.rmSync(file);
    fs.rmSync(out, { recursive: true });
  }
  return results;
}

function mtx(python, folder, million) {
  const file = path.join(folder, 'matrix.mtx.gz');
  make(python, [path.join(here, 'convert-inputs.py'), 'mtx', million * 1_000, GENES, million * 1_000_000, file]);
  const input = `mtx.gz ${million} M`;
  const csv = () =>
    measured(process.execPath, path.join(here, 'convert-one.mjs'), 'read_csv', file, path.join(folder, 'csv.parquet'));
  return [
    { input, what: 'by gene', ...one('convert', file, path.join(folder, 'mtx'), []) },
    {
      input,
      what: 'DuckDB read_csv, not sorted',
      ...cheapest(runs, () => {
        fs.rmSync(path.join(folder, 'csv.parquet'), { force: true });
        return csv();
      }),
    },
    {
      input,
      what: 'Python, scipy mmread (read only)',
      ...cheapest(runs, () => measured(python, path.join(here, 'convert_python.py'), 'mmread', file, '-')),
    },
  ];
}

function rds(folder, million) {
  const file = path.join(folder, 'matrix.rds');
  make(process.execPath, [path.join(here, 'convert-rds.mjs'), million * 1_000, GENES, million * 1_000_000, file]);
  const input = `rds ${million} M`;
  const results = [
    { input, what: 'by gene', ...one('convert', file, path.join(folder, 'rds'), []) },
    { input, what: 'by cell, as stored', ...one('convert', file, path.join(folder, 'rds'), ['x_order=cell']) },
    { input, what: 'read only', ...one('inspect', file, path.join(folder, 'rds'), []) },
  ];
  const expression = `x <- readRDS("${file}"); u <- proc.time(); cat(sprintf('{"cpuSeconds": %f}', u[1] + u[2]))`;
  if (spawnSync('Rscript', ['-e', 'library(Matrix)']).status === 0) {
    const readRds = cheapest(runs, () => measured('Rscript', '-e', expression));
    const compared = results.map((row) => ({ ...row, timesReadRds: row.cpuSeconds / readRds.cpuSeconds }));
    return [...compared, { input, what: 'R readRDS (read only)', ...readRds }];
  }
  return results;
}

function one(what, file, out, options, count = runs) {
  return cheapest(count, () => {
    fs.rmSync(out, { recursive: true, force: true });
    // As the processes that convert run.
    return measured(
      process.execPath,
      '--single-threaded-gc',
      path.join(here, 'convert-one.mjs'),
      what,
      file,
      out,
      ...options,
    );
  });
}

function make(command, args) {
  const made = spawnSync(command, args.map(String), { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
}

function draw(results) {
  const lines = results.map(({ input, what, cpuSeconds, peakMb, megabytes, milliseconds, timesReadRds }) =>
    [
      input.padEnd(12),
      what.padEnd(36),
      (milliseconds === undefined ? cpuSeconds.toFixed(2) : `${milliseconds.toFixed(1)} ms`).padStart(9),
      (peakMb === undefined ? '' : peakMb.toFixed(0)).padStart(8),
      (megabytes === undefined ? '' : megabytes.toFixed(1)).padStart(8),
      timesReadRds === undefined ? '' : `${timesReadRds.toFixed(2)} x readRDS`,
    ].join('  '),
  );
  const head = [
    'input'.padEnd(12),
    'what'.padEnd(36),
    'CPU s'.padStart(9),
    'peak MB'.padStart(8),
    'file MB'.padStart(8),
  ];
  process.stdout.write(`${head.join('  ')}\n${lines.join('\n')}\n`);
}
