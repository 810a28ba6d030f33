import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { Hdf5Error, openHdf5 } from '../../src/effects/hdf5.js';
import { ChunkReader } from '../../src/effects/hdf5-chunks.js';
import { Hdf5Writer } from '../../src/effects/hdf5-writer.js';
import { temporaryFolder } from '../convert/support.js';

const folder = temporaryFolder();
const COUNT = 2_003;
const values = Int32Array.from({ length: COUNT }, (_, i) => (i * 7_919) % 1_000);

/**
 * As h5py writes by default: 20 groups beside X, so that the root's tree has several nodes; in X `data` (int32, chunks of
 * 100, gzip), `plain` (chunks of 999), `shuffled` (float64, chunks of 500, shuffle and gzip), `checked` (Fletcher-32 besides),
 * `big` (big endian), `whole` (contiguous) and `matrix` (50 by 40).
 *
 * @source h5py 3.16.0
 */
const h5py = path.resolve('test/effects/chunks.h5');
const data = { path: 'X/data', elementsPerChunk: 100 };

function read(
  file: string,
  range: Pick<Parameters<ChunkReader['read']>[0], 'path' | 'elementsPerChunk'> &
    Partial<Parameters<ChunkReader['read']>[0]>,
): Uint8Array | undefined {
  const descriptor = fs.openSync(file, 'r');
  try {
    const reader = new ChunkReader(descriptor, fs.fstatSync(descriptor).size);
    return reader.read({ length: COUNT, bytesPerElement: 4, from: 0, count: COUNT, ...range });
  } finally {
    fs.closeSync(descriptor);
  }
}

function expectSame(found: Uint8Array | undefined, wanted: Uint8Array): void {
  expect(found !== undefined && Buffer.compare(found, wanted) === 0).toBe(true);
}

const bytesOf = (numbers: Int32Array | Float64Array): Uint8Array => new Uint8Array(numbers.buffer);

test('chunks come as HDF5 gives them, for any range', () => {
  expectSame(read(h5py, data), bytesOf(values));
  for (const [from, count] of [
    [0, 1],
    [99, 2],
    [100, 100],
    [77, 1_923],
    [2_002, 1],
  ] as const)
    expectSame(read(h5py, { ...data, from, count }), bytesOf(values.slice(from, from + count)));
  expectSame(read(h5py, { path: 'X/plain', elementsPerChunk: 999 }), bytesOf(values));
  const shuffled = { path: 'X/shuffled', elementsPerChunk: 500, bytesPerElement: 8 };
  expectSame(read(h5py, shuffled), bytesOf(Float64Array.from(values)));
});

test.each([
  ['X/whole', 100, 4],
  ['X/matrix', 25, 4],
  ['X/checked', 500, 4],
  ['X/big', 500, 4],
  ['X/none', 100, 4],
  ['X/data', 50, 4],
  ['X/data', 100, 8],
])('%s in chunks of %i is left to HDF5', (at, elementsPerChunk, bytesPerElement) => {
  expect(read(h5py, { path: at, elementsPerChunk, bytesPerElement })).toBeUndefined();
});

test('groups of the new kind and shuffled bytes are read too', () => {
  const file = path.join(folder, 'new.h5');
  const long = Int32Array.from({ length: 70_000 }, (_, i) => i * 3);
  const writer = new Hdf5Writer(file, 'gzip');
  writer.group('raw/X', { 'encoding-type': 'csr_matrix' });
  writer.values(
    'raw/X/data',
    { type: { class: 'integer', bytes: 4, signed: true }, shape: [long.length] },
    bytesOf(long),
  );
  writer.finish();
  writer.close();
  const range = { path: 'raw/X/data', elementsPerChunk: 1 << 16, length: long.length };
  expectSame(read(file, { ...range, count: long.length }), bytesOf(long));
});

test('whatever byte is wrong, the answer is right, or HDF5 is asked', () => {
  const whole = fs.readFileSync(h5py);
  const file = path.join(folder, 'mutant.h5');
  let left = 0;
  for (let at = 0; at < whole.length; at += 17) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    fs.writeFileSync(file, bytes);
    const answer = read(file, data);
    if (answer === undefined) left += 1;
    else expect(Buffer.compare(answer, bytesOf(values)), `byte ${at}`).toBe(0);
  }
  expect(left).toBeGreaterThan(30);
});

test('a tree that leads back to itself ends', () => {
  const bytes = fs.readFileSync(h5py);
  const trees: number[] = [];
  for (let at = bytes.indexOf('TREE\u0001'); at >= 0; at = bytes.indexOf('TREE\u0001', at + 1)) trees.push(at);
  const file = path.join(folder, 'loops.h5');
  for (const tree of trees) {
    const looped = Buffer.from(bytes);
    looped[tree + 5] = 200;
    const entryCount = looped.readUInt16LE(tree + 6);
    for (let i = 0; i < entryCount; i += 1) looped.writeBigUInt64LE(BigInt(tree), tree + 24 + 32 * i + 24);
    fs.writeFileSync(file, looped);
    const answer = read(file, data);
    expect(answer === undefined || Buffer.compare(answer, bytesOf(values)) === 0).toBe(true);
  }
  expect(trees.length).toBeGreaterThan(4);
});

test('a chunk that is damaged is an error of the file, at its path', async () => {
  const bytes = fs.readFileSync(h5py);
  // How the streams of zlib at its usual level begin; the first is of `data`.
  const start = bytes.indexOf(Buffer.from([0x78, 0x5e]));
  expect(start).toBeGreaterThan(0);
  bytes.fill(0xff, start + 20, start + 60);
  const name = path.join(folder, 'damaged.h5');
  fs.writeFileSync(name, bytes);
  const file = await openHdf5(name);
  try {
    let thrown: unknown;
    try {
      file.bytes(file.dataset('X/data'), { offset: [0], count: [COUNT] });
    } catch (error) {
      thrown = error;
    }
    expect(thrown instanceof Hdf5Error && thrown.path).toBe('X/data');
    const shuffled = file.bytes(file.dataset('X/shuffled'), { offset: [0], count: [COUNT] });
    expectSame(shuffled, bytesOf(Float64Array.from(values)));
  } finally {
    file.close();
  }
});
