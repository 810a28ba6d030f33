import * as path from 'node:path';
import { expect, test } from 'vitest';
import { halfBits } from '../../src/convert/anndata-export/encode.js';
import { type Hdf5File, halfToNumber, openHdf5 } from '../../src/effects/hdf5.js';
import { lookup3 } from '../../src/effects/hdf5-messages.js';
import { Hdf5LimitError, Hdf5Writer, TEXT } from '../../src/effects/hdf5-writer.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** Writes a file and reads it through h5wasm, which is the HDF5 library itself. */
async function written(
  name: string,
  write: (writer: Hdf5Writer) => void,
  read: (file: Hdf5File) => void,
  compression: 'gzip' | 'none' = 'gzip',
): Promise<void> {
  const target = path.join(folder, `${name}.h5`);
  const writer = new Hdf5Writer(target, compression);
  try {
    write(writer);
    writer.finish();
  } finally {
    writer.close();
  }
  const file = await openHdf5(target);
  try {
    read(file);
  } finally {
    file.close();
  }
}

const int32 = { class: 'integer', bytes: 4, signed: true } as const;

test('groups, attributes of every kind and their order of names come back', async () => {
  await written(
    'groups',
    (writer) => {
      writer.group('', {
        format: 'x',
        none: [],
        names: ['a', 'bé', ''],
        isOrdered: true,
        shape: { integers: [3, 2 ** 40] },
      });
      writer.group('a/b', { deep: 'ja' });
    },
    (file) => {
      expect(file.attribute('', 'format')).toBe('x');
      expect(file.attribute('', 'none')).toEqual([]);
      expect(file.attribute('', 'names')).toEqual(['a', 'bé', '']);
      expect(file.attribute('', 'isOrdered')).toBe(true);
      expect(file.attribute('', 'shape')).toEqual([3n, 2n ** 40n]);
      expect(file.attribute('a/b', 'deep')).toBe('ja');
      expect(file.children('', 10)).toEqual([{ name: 'a', kind: 'group' }]);
    },
  );
});

test.each(['gzip', 'none'] as const)(
  'a long dataset written in pieces of any length comes back, %s',
  async (compression) => {
    // More chunks than a node of the index holds, so that the index has two levels.
    const count = 65 * (1 << 16) + 17;
    await written(
      `long-${compression}`,
      (writer) => {
        const dataset = writer.dataset('x', { type: int32, shape: [count] });
        for (let from = 0; from < count; from += 99_991) {
          const length = Math.min(99_991, count - from);
          dataset.write(new Uint8Array(Int32Array.from({ length }, (_, i) => from + i).buffer));
        }
        dataset.finish();
      },
      (file) => {
        const dataset = file.dataset('x');
        expect(dataset.chunks).toEqual(compression === 'gzip' ? [1 << 16] : undefined);
        // Less than a chunk at a time goes through the HDF5 library, a whole range by our own reading of chunks.
        const pieces = Array.from({ length: Math.ceil(count / 50_000) }, (_, i) =>
          file.bytes(dataset, { offset: [i * 50_000], count: [Math.min(50_000, count - i * 50_000)] }),
        );
        const values = new Int32Array(Uint8Array.from(Buffer.concat(pieces)).buffer);
        expect(values.every((value, i) => value === i)).toBe(true);
        expect(values.length).toBe(count);
        const whole = file.bytes(dataset, { offset: [0], count: [count] });
        expect(Buffer.compare(whole, Buffer.from(values.buffer))).toBe(0);
      },
      compression,
    );
  },
);

test('texts come back whatever is in them', async () => {
  const texts = Array.from({ length: 10_000 }, (_, i) => (i % 3 === 0 ? '' : `é ${i} ${'x'.repeat(i % 50)}`));
  await written(
    'texts',
    (writer) => {
      writer.values('t', { type: TEXT, shape: [texts.length] }, texts);
      writer.values('long', { type: TEXT, shape: [] }, ['y'.repeat(300_000)]);
      writer.values('empty', { type: TEXT, shape: [0] }, []);
    },
    (file) => {
      expect(file.strings(file.dataset('t'), { offset: [0], count: [texts.length] })).toEqual(texts);
      expect(file.strings(file.dataset('long'), { offset: [], count: [] })).toEqual(['y'.repeat(300_000)]);
      expect(file.dataset('empty').shape).toEqual([0]);
    },
  );
});

test('booleans, 16-bit floats, records and no value at all have their own types', async () => {
  const record = {
    class: 'compound',
    bytes: 21,
    fields: [
      { name: 'name', offset: 0, type: TEXT },
      { name: 'n', offset: 16, type: int32 },
      { name: 'flag', offset: 20, type: { class: 'boolean', bytes: 1 } },
    ],
  } as const;
  await written(
    'types',
    (writer) => {
      writer.values('flags', { type: { class: 'boolean', bytes: 1 }, shape: [2] }, new Uint8Array([0, 1]));
      writer.values('half', { type: { class: 'float', bytes: 2 }, shape: [1] }, new Uint8Array([0, 0x3e]));
      writer.values('none', { type: int32, shape: undefined }, new Uint8Array(0));
      writer.values(
        'records',
        { type: record, shape: [1] },
        Buffer.concat([writer.heap(['é']), Buffer.from([7, 0, 0, 0, 1])]),
      );
    },
    (file) => {
      expect(file.dataset('flags').type).toEqual({ class: 'boolean', bytes: 1 });
      expect(file.dataset('half').type).toEqual({ class: 'float', bytes: 2 });
      expect(file.dataset('none').shape).toBeUndefined();
      const dataset = file.dataset('records');
      const { type } = dataset;
      if (type.class !== 'compound') throw new Error('no compound');
      const records = file.records(dataset, { offset: [0], count: [1] });
      const [name, n, flag] = type.fields;
      if (name === undefined || n === undefined || flag === undefined) throw new Error('fields are missing');
      expect(records.strings(name)).toEqual(['é']);
      expect([...records.bytes(n)]).toEqual([7, 0, 0, 0]);
      expect([...records.bytes(flag)]).toEqual([1]);
    },
  );
});

test('chunks of a matrix may come in any order', async () => {
  await written(
    'tiles',
    (writer) => {
      const dataset = writer.dataset('m', { type: int32, shape: [5, 7], chunk: [2, 4] });
      for (const column of [4, 0]) {
        for (const row of [0, 4, 2]) {
          const tile = Int32Array.from({ length: 8 }, (_, i) => (row + Math.floor(i / 4)) * 7 + column + (i % 4));
          dataset.writeChunk([row, column], new Uint8Array(tile.buffer));
        }
      }
      dataset.finish();
    },
    (file) => {
      const bytes = file.bytes(file.dataset('m'), { offset: [0, 0], count: [5, 7] });
      expect([...new Int32Array(bytes.buffer)]).toEqual([...Array(35).keys()]);
    },
  );
});

test('a dataset that gets fewer values than its shape is a bug and throws', () => {
  const writer = new Hdf5Writer(path.join(folder, 'short.h5'), 'none');
  const dataset = writer.dataset('x', { type: int32, shape: [2] });
  dataset.write(new Uint8Array(4));
  expect(() => dataset.finish()).toThrow('x: 4 bytes were written, its shape asks for 8');
  writer.close();
});

test('more names than an attribute can hold are a named limit', () => {
  const writer = new Hdf5Writer(path.join(folder, 'names.h5'), 'none');
  writer.group('obs', { 'column-order': Array.from({ length: 5_000 }, (_, i) => `c${i}`) });
  expect(() => writer.finish()).toThrow(Hdf5LimitError);
  writer.close();
});

test('the checksum is lookup3', () => {
  // From the self test of the author's lookup3.c (driver5).
  expect(lookup3(Buffer.from('Four score and seven years ago'))).toBe(0x17770551);
});

test('16-bit floats survive the detour over numbers, all 65,536 of them', () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 1 << 16; bits++) {
    const value = halfToNumber(bits);
    const back = halfBits(value);
    if (Number.isNaN(value) ? !Number.isNaN(halfToNumber(back)) : !Object.is(halfToNumber(back), value))
      wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});
