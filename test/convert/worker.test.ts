import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ConvertBudget, type Converter, settledBudget, workerConverter } from '../../src/convert/converter.js';
import { workFolderOf } from '../../src/convert/work-folder.js';
import { files } from '../../src/effects/files.js';
import { runWorker, type WorkerEnd, type WorkerRequest } from '../../src/effects/worker-process.js';
import { encode, frame, numbers, SMALL, sparse, writeAnnData } from './h5ad-builder.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();
const root = path.resolve(import.meta.dirname, '../..');
/** Where Node finds the packages from. */
const compiled = path.join(root, 'node_modules', '.cache', `scilake-worker-${process.pid}`);
const machine = { memoryMb: 4096, processors: 2 };

beforeAll(() => {
  // Worker processes run compiled code; what is in dist/ may be older than the sources.
  execFileSync(
    process.execPath,
    [
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
      '--outDir',
      compiled,
      '--declaration',
      'false',
      '--sourceMap',
      'false',
    ],
    { cwd: root },
  );
  fs.copyFileSync(path.join(root, 'package.json'), path.join(path.dirname(compiled), 'package.json'));
  return () => {
    for (const place of [compiled, path.join(path.dirname(compiled), 'package.json')]) {
      fs.rmSync(place, { recursive: true, force: true });
    }
  };
}, 120_000);

function converter(
  budget: Partial<ConvertBudget> = {},
  script = path.join(compiled, 'convert/worker-main.js'),
): Converter {
  return workerConverter(budget, { runWorker, files, machine, script: pathToFileURL(script) });
}

/** Three cells, and a matrix of many genes that takes a while. */
async function largeFile(name: string, genes = 400_000): Promise<string> {
  return writeAnnData(path.join(folder, name), (group) => {
    sparse(group, 'X', SMALL);
    const raw = group.create_group('raw');
    encode(raw, 'raw', '0.1.0');
    frame(
      raw,
      'var',
      Array.from({ length: genes }, (_, i) => `gene number ${i}`),
    );
    numbers(
      raw,
      'X',
      Float32Array.from({ length: 3 * genes }, (_, i) => i),
      [3, genes],
    );
    const layers = group.create_group('layers');
    encode(layers, 'dict', '0.1.0');
    sparse(layers, 'small', SMALL);
  });
}

function contents(place: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fs.readdirSync(place).map((name) => [name, fs.readFileSync(path.join(place, name)).toString('base64')]),
  );
}

describe('a conversion in a process of its own', () => {
  test('writes what one in this process writes, and tells how far it is', async () => {
    const file = await largeFile('plain.h5ad', 60_000);
    const seen: string[] = [];
    const out = path.join(folder, 'plain');
    const result = await converter().convert({ file, displayName: 'plain', out }, (done, total, unit, element) => {
      seen.push(`${unit} ${element ?? ''} ${done <= total}`);
    });
    expect(result.ok && result.value.elements.map(({ path: at }) => at)).toEqual([
      'obs',
      'var',
      'X',
      'layers/small',
      'raw/X',
      'raw/var',
    ]);
    expect(seen.at(-1)).toBe('rows raw/var true');
    const { convertFile } = await import('../../src/convert/index.js');
    const { effects } = await import('./support.js');
    await convertFile({ file, displayName: 'plain', out: `${out}-here` }, effects);
    expect(contents(out)).toEqual(contents(`${out}-here`));
    expect(fs.existsSync(workFolderOf(out))).toBe(false);
  });

  test('hands back the errors of the file', async () => {
    const file = path.join(folder, 'bad.h5ad');
    fs.writeFileSync(file, 'no HDF5');
    const out = path.join(folder, 'bad');
    const result = await converter().convert({ file, displayName: 'bad.h5ad', out });
    expect(result.ok ? [] : result.errors).toMatchObject([{ code: 'SL0620' }]);
    expect(fs.readdirSync(folder).filter((name) => name.includes('bad'))).toEqual(['bad.h5ad']);
  });

  test.each([
    ['a crash of native code', 'process.kill(process.pid, "SIGSEGV");', 'SL0618', 'SIGSEGV'],
    ['an exit', 'process.exit(3);', 'SL0618', 'exit code 3'],
    ['a heap that runs full', 'const all = []; for (;;) all.push(new Array(1e6).fill(0.5));', 'SL0617', 'MB of memory'],
    ['being killed by the system', 'process.kill(process.pid, "SIGKILL");', 'SL0617', 'MB of memory'],
  ])('becomes a named error after %s', async (_, code, expected, words) => {
    const script = path.join(folder, `script-${expected}-${words.length}-${code.length}.mjs`);
    fs.writeFileSync(script, `process.once('message', () => { ${code} });`);
    const request = { file: script, displayName: 'x.h5ad', out: path.join(folder, 'crashed') };
    const result = await converter({ memoryMb: 600, atOnce: 2 }, script).convert(request);
    expect(result.ok ? [] : result.errors).toMatchObject([{ code: expected, message: expect.stringContaining(words) }]);
  });

  test('that takes more memory than its share ends in a named error', async () => {
    const file = await largeFile('memory.h5ad', 60_000);
    const out = path.join(folder, 'memory');
    const result = await converter({ memoryMb: 100, atOnce: 1 }).convert({ file, displayName: 'memory.h5ad', out });
    expect(result.ok ? [] : result.errors).toMatchObject([
      { code: 'SL0617', message: 'memory.h5ad needs more than the 100 MB of memory that its conversion may take' },
    ]);
    expect(fs.existsSync(out) || fs.existsSync(workFolderOf(out))).toBe(false);
  });

  test('leaves nothing half made when it is stopped, and the next one goes on with what was done', async () => {
    const file = await largeFile('stopped.h5ad');
    const out = path.join(folder, 'stopped');
    const kept = path.join(workFolderOf(out), 'out', 'raw_X.parquet');
    const start = () =>
      spawn(process.execPath, [path.join(compiled, 'cli/main.js'), 'convert', file, '--out', out], { stdio: 'ignore' });
    const stopped = start();
    const record = path.join(workFolderOf(out), 'done', 'raw_X.json');
    while (!fs.existsSync(record) && stopped.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    stopped.kill('SIGINT');
    const [, signal] = await once(stopped, 'exit');
    expect(signal).toBe('SIGINT');
    expect(fs.existsSync(out)).toBe(false);
    expect(fs.readdirSync(path.join(workFolderOf(out), 'out'))).toEqual(['raw_X.parquet']);
    const inode = fs.statSync(kept).ino;
    const again = start();
    expect(await once(again, 'exit')).toEqual([0, null]);
    expect(fs.existsSync(workFolderOf(out))).toBe(false);
    expect(fs.statSync(path.join(out, 'raw_X.parquet')).ino).toBe(inode);
    const whole = await converter().convert({ file, displayName: 'stopped.h5ad', out: `${out}-whole` });
    expect(whole.ok).toBe(true);
    expect(contents(out)).toEqual(contents(`${out}-whole`));
  }, 120_000);

  test.each(['damaged', 'of another file'])('does not go on with an element that is %s', async (what) => {
    const file = await largeFile('again.h5ad', 60_000);
    const out = path.join(folder, `again-${what.length}`);
    const work = workFolderOf(out);
    // As a process that was killed leaves it.
    const first = await converter().convert({ file, displayName: 'again', out: `${out}-first` });
    if (!first.ok) throw new Error('not converted');
    const { WorkFolder } = await import('../../src/convert/work-folder.js');
    const key = what === 'damaged' ? await keyOfConversion(file, out) : 'another key';
    const place = WorkFolder.open(out, key, { files });
    if (!(place instanceof WorkFolder)) throw new Error('held');
    fs.copyFileSync(path.join(`${out}-first`, 'raw_X.parquet'), path.join(work, 'out', 'raw_X.parquet'));
    const element = first.value.elements.find(({ table }) => table === 'raw_X');
    if (element === undefined) throw new Error('no raw_X');
    await place.keep({ element, manifest: { path: 'raw/X', file: 'raw_X.parquet' }, warnings: [] });
    expect(await place.find('raw_X')).toBeDefined();
    const bytes = fs.readFileSync(path.join(work, 'out', 'raw_X.parquet'));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    fs.writeFileSync(path.join(work, 'out', 'raw_X.parquet'), bytes);
    fs.rmSync(path.join(work, 'lock'));
    const again = await converter().convert({ file, displayName: 'again', out });
    expect(again.ok).toBe(true);
    expect(contents(out)).toEqual(contents(`${out}-first`));
  });

  test('is refused while another process converts into the same folder', async () => {
    const file = await largeFile('held.h5ad', 1_000);
    const out = path.join(folder, 'held');
    fs.mkdirSync(workFolderOf(out));
    fs.writeFileSync(path.join(workFolderOf(out), 'lock'), JSON.stringify({ pid: process.pid }));
    const result = await converter().convert({ file, displayName: 'held.h5ad', out });
    expect(result.ok ? [] : result.errors).toMatchObject([
      { code: 'SL0605', message: `process ${process.pid} is converting into ${out}` },
    ]);
    fs.rmSync(workFolderOf(out), { recursive: true });
  });
});

/** The key under which a stopped conversion of this file would be found. */
async function keyOfConversion(file: string, out: string): Promise<string> {
  const child = spawn(process.execPath, [path.join(compiled, 'cli/main.js'), 'convert', file, '--out', out], {
    stdio: 'ignore',
  });
  const key = path.join(workFolderOf(out), 'key');
  while (!fs.existsSync(key) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
  const text = fs.readFileSync(key, 'utf8');
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Its worker notices that it is alone, and ends; it may have finished first.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  fs.rmSync(out, { recursive: true, force: true });
  fs.rmSync(workFolderOf(out), { recursive: true, force: true });
  return text;
}

test('never more files are converted at once than the budget allows', async () => {
  let running = 0;
  let most = 0;
  const run = async (_: WorkerRequest): Promise<WorkerEnd> => {
    running++;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return { type: 'answer', message: { value: { ok: false, errors: [] } } };
  };
  const several = workerConverter({ atOnce: 3 }, { runWorker: run, files, machine });
  const request = { file: 'x', displayName: 'x', out: path.join(folder, 'none') };
  await Promise.all(Array.from({ length: 10 }, () => several.convert(request)));
  expect(most).toBe(3);
});

test.each([
  [{}, { memoryMb: 24_000, processors: 2 }, { memoryMb: 12_000, atOnce: 2, sortMemoryMb: 1024 }],
  [{}, { memoryMb: 2_000, processors: 8 }, { memoryMb: 1_000, atOnce: 1, sortMemoryMb: 266 }],
  [{}, { memoryMb: 500, processors: 8 }, { memoryMb: 400, atOnce: 1, sortMemoryMb: 66 }],
  [
    { memoryMb: 8_000, sortMemoryMb: 2_000 },
    { memoryMb: 64_000, processors: 8 },
    { memoryMb: 8_000, atOnce: 3, sortMemoryMb: 2_000 },
  ],
  [{ atOnce: 4 }, { memoryMb: 4_000, processors: 1 }, { memoryMb: 2_000, atOnce: 4, sortMemoryMb: 100 }],
])('a budget of %j on a machine of %j is %j', (budget, on, expected) => {
  expect(settledBudget(budget, on)).toEqual(expected);
});
