import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import {
  categorical,
  encode,
  type Group,
  numbers,
  order,
  SMALL,
  sparse,
  writeAnnData,
  writeHdf5,
} from './h5ad-builder.js';
import { refusal, temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** The one error of a small AnnData file that was changed for the worse. */
async function errorOf(
  name: string,
  change: (root: Group) => void,
): Promise<{ readonly code: string; readonly message: string }> {
  const file = await writeAnnData(path.join(folder, `${name}.h5ad`), change);
  const errors = await refusal(folder, { file });
  expect(errors).toHaveLength(1);
  return { code: errors[0]?.code ?? '', message: errors[0]?.message ?? '' };
}

function obsOf(root: Group): Group {
  const group = root.get('obs');
  if (group === null || !('create_group' in group)) throw new Error('no obs');
  return group;
}

test('a column index beyond the genes is named with its entry', async () => {
  const error = await errorOf('index', (root) => sparse(root, 'X', { ...SMALL, indices: [3, 0, 1, 4, 2] }));
  expect(error).toEqual({ code: 'SL0625', message: 'index.h5ad: X/indices: entry 3 is 4, which lies outside 0 to 3' });
});

test('a negative column index is refused', async () => {
  const error = await errorOf('negative', (root) => sparse(root, 'X', { ...SMALL, indices: [3, 0, -1, 0, 2] }));
  expect(error.message).toContain('entry 2 is -1');
});

test('pointers that decrease are refused', async () => {
  const error = await errorOf('decrease', (root) => sparse(root, 'X', { ...SMALL, pointers: [0, 4, 3, 5] }));
  expect(error).toEqual({ code: 'SL0625', message: 'decrease.h5ad: X/indptr: decreases after entry 1: 4 to 3' });
});

test('pointers that end before the last entry are refused', async () => {
  const error = await errorOf('short', (root) => sparse(root, 'X', { ...SMALL, pointers: [0, 2, 3, 4] }));
  expect(error.message).toContain('runs from 0 to 4, not from 0 to 5');
});

test('a matrix of another shape than obs and var is refused', async () => {
  const error = await errorOf('shape', (root) =>
    sparse(root, 'X', { ...SMALL, shape: [2, 4], pointers: [0, 2, 5], values: SMALL.values }),
  );
  expect(error).toEqual({ code: 'SL0624', message: 'shape.h5ad: X: has shape 2 x 4, obs and var ask for 3 x 4' });
});

test('a categorical code without a category is refused', async () => {
  const error = await errorOf('code', (root) => {
    categorical(obsOf(root), 'kind', { codes: [0, 5, 0], categories: ['a'] });
    order(obsOf(root), ['kind']);
  });
  expect(error).toEqual({
    code: 'SL0626',
    message: 'code.h5ad: obs/kind/codes: row 1 has code 5, but there are 1 categories',
  });
});

test('a column of another length than the index is refused', async () => {
  const error = await errorOf('length', (root) => {
    numbers(obsOf(root), 'n', new Int32Array(2));
    order(obsOf(root), ['n']);
  });
  expect(error).toEqual({ code: 'SL0624', message: 'length.h5ad: obs/n: has 2 rows, the index has 3' });
});

test('a column that is announced but missing is refused', async () => {
  const error = await errorOf('missing', (root) => order(obsOf(root), ['n']));
  expect(error.message).toBe('missing.h5ad: obs/n: is named by the data frame but missing');
});

test('an encoding that is not known is named, never guessed', async () => {
  const error = await errorOf('encoding', (root) => {
    encode(root.create_group('layers').create_group('l'), 'hologram', '9.9.9');
  });
  expect(error).toEqual({
    code: 'SL0623',
    message: 'encoding.h5ad: layers/l: encoding-type "hologram" 9.9.9 is not known',
  });
});

test('a known encoding of a later version is refused', async () => {
  const error = await errorOf('version', (root) => encode(root.create_group('uns'), 'dict', '7.0.0'));
  expect(error.message).toBe('version.h5ad: uns: encoding-type "dict" has version "7.0.0"');
});

test('a soft link is never followed, so a circle of them ends', async () => {
  const error = await errorOf('soft', (root) => root.create_group('uns').create_soft_link('/uns', 'self'));
  expect(error).toEqual({ code: 'SL0622', message: 'soft.h5ad: uns/self: is a soft link, which is never followed' });
});

test('an external link is never followed', async () => {
  const error = await errorOf('external', (root) => root.create_external_link('/etc/passwd', 'x', 'uns'));
  expect(error).toEqual({
    code: 'SL0622',
    message: 'external.h5ad: uns: is an external link, which is never followed',
  });
});

test('a circle of hard links ends at the limit of depth', async () => {
  const error = await errorOf('circle', (root) => root.create_group('uns').create_hard_link('/uns', 'self'));
  expect(error.code).toBe('SL0627');
});

test('hard links that double at every step end at the limit of objects', { timeout: 60_000 }, async () => {
  const error = await errorOf('double', (root) => {
    const uns = root.create_group('uns');
    uns.create_hard_link('/uns', 'a');
    uns.create_hard_link('/uns', 'b');
  });
  expect(error.code).toBe('SL0627');
});

test('a huge dataset of which nothing is stored is refused before memory is asked for', async () => {
  const error = await errorOf('bomb', (root) => {
    const dataset = root.create_dataset({
      name: 'X',
      data: new Float32Array(12),
      shape: [3, 4],
      maxshape: [3, null],
      chunks: [3, 4096],
    });
    dataset.resize([3, 4_000_000_000]);
  });
  expect(error.code).toBe('SL0627');
  expect(error.message).toMatch(/^bomb\.h5ad: X: claims 48000000000 bytes/);
});

test('an HDF5 file that is no AnnData file is refused by name', async () => {
  const file = await writeHdf5(path.join(folder, 'other.h5'), (root) => numbers(root, 'x', new Int32Array(3)));
  const errors = await refusal(folder, { file });
  expect(errors.map((error) => error.message)).toEqual(['other.h5: obs: is missing']);
});

test('a file that was cut off at any place is refused, and the next file converts', { timeout: 60_000 }, async () => {
  const whole = fs.readFileSync(
    await writeAnnData(path.join(folder, 'whole.h5ad'), (root) => sparse(root, 'X', SMALL)),
  );
  for (const share of [0, 0.0001, 0.1, 0.5, 0.9]) {
    const file = path.join(folder, `cut-${share}.h5ad`);
    fs.writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)));
    const errors = await refusal(folder, { file });
    expect(errors.map((error) => error.code)).toEqual(['SL0620']);
  }
});

test('a file of text with the name of an h5ad is refused', async () => {
  const file = path.join(folder, 'text.h5ad');
  fs.writeFileSync(file, 'not hdf5');
  const [error] = await refusal(folder, { file });
  expect(error?.message).toBe('text.h5ad: the file does not begin with the HDF5 signature');
});

test('a collection of texts whose objects do not fill it is refused, instead of walked for ever', async () => {
  const file = await writeAnnData(path.join(folder, 'heap.h5ad'), (root) => {
    root.create_dataset({ name: 'label', data: ['one', 'two'], shape: [2], dtype: 'S' });
    const group = root.create_group('uns');
    encode(group, 'dict', '0.1.0');
    encode(group.create_dataset({ name: 'words', data: ['one', 'two'], shape: [2] }), 'string-array', '0.2.0');
  });
  const bytes = fs.readFileSync(file);
  const heap = bytes.indexOf('GCOL');
  expect(heap).toBeGreaterThan(0);
  // The first object calls itself free space, and says that it is 0 bytes long.
  bytes.fill(0, heap + 16, heap + 32);
  fs.writeFileSync(file, bytes);
  const errors = await refusal(folder, { file });
  expect(errors.map(({ code }) => code)).toEqual(['SL0621']);
  expect(errors[0]?.message).toContain(`the collection of texts at byte ${heap} is damaged`);
});
