import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type CompressedMatrix,
  type CoordinateMatrix,
  coordinateOrder,
  type EntryBlock,
  exchanged,
  majorOrder,
  minorOrder,
} from '../../src/convert/sparse-order.js';
import { storedOrder, tiledOrder } from '../../src/convert/tiled-order.js';

type Entry = readonly [major: number, minor: number, value: number];

/** A matrix in memory whose minors stand in any order, with repetitions. */
const matrices = fc
  .record({
    majorCount: fc.integer({ min: 0, max: 6 }),
    minorCount: fc.integer({ min: 1, max: 7 }),
    blockLength: fc.integer({ min: 1, max: 9 }),
  })
  .chain((sizes) =>
    fc
      .array(fc.array(fc.integer({ min: 0, max: sizes.minorCount - 1 }), { maxLength: 8 }), {
        minLength: sizes.majorCount,
        maxLength: sizes.majorCount,
      })
      .map((rows) => ({ ...sizes, rows })),
  );

function matrixOf(spec: {
  readonly majorCount: number;
  readonly minorCount: number;
  readonly blockLength: number;
  readonly rows: readonly (readonly number[])[];
}): { readonly matrix: CompressedMatrix; readonly entries: readonly Entry[] } {
  const minors = spec.rows.flat();
  const pointers = new Float64Array(spec.majorCount + 1);
  for (const [m, row] of spec.rows.entries()) pointers[m + 1] = (pointers[m] ?? 0) + row.length;
  // The value of an entry is its position: stability shows in it.
  const entries = spec.rows
    .flatMap((row, major) => row.map((minor) => [major, minor] as const))
    .map(([a, b], i): Entry => [a, b, i]);
  const matrix: CompressedMatrix = {
    majorCount: spec.majorCount,
    minorCount: spec.minorCount,
    blockLength: spec.blockLength,
    pointers,
    bytesPerValue: 8,
    minors: (from, count) => Int32Array.from(minors.slice(from, from + count)),
    values: (from, count) => Float64Array.from({ length: count }, (_, i) => from + i),
    emptyValues: (length) => new Float64Array(length),
  };
  return { matrix, entries };
}

function entriesOf(blocks: Iterable<EntryBlock>): readonly Entry[] {
  const entries: Entry[] = [];
  // One at a time: a block is good until the next one is asked for.
  for (const { major, minor, values } of blocks) {
    for (const [i, m] of major.entries()) entries.push([m, minor[i] ?? -1, Number(values[i])]);
  }
  return entries;
}

test('entries by minor are a stable sort, whatever the memory', () => {
  fc.assert(
    fc.property(matrices, fc.integer({ min: 1, max: 200 }), (spec, limitBytes) => {
      const { matrix, entries } = matrixOf(spec);
      const sorted = [...entries].sort((a, b) => a[1] - b[1] || a[0] - b[0] || a[2] - b[2]);
      expect(entriesOf(minorOrder(matrix, limitBytes))).toEqual(sorted);
    }),
  );
});

test('entries by major are a stable sort of each major', () => {
  fc.assert(
    fc.property(matrices, (spec) => {
      const { matrix, entries } = matrixOf(spec);
      const sorted = [...entries].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      expect(entriesOf(majorOrder(matrix))).toEqual(sorted);
    }),
  );
});

test('entries in any order are sorted by one axis, and by the other once the axes are exchanged', () => {
  const entryLists = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 6 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(entryLists, fc.integer({ min: 1, max: 200 }), (places, limitBytes) => {
      const entries = places.map(([major, minor], i): Entry => [major, minor, i]);
      const minorCounts = new Float64Array(7);
      for (const [, minor] of entries) minorCounts[minor] = (minorCounts[minor] ?? 0) + 1;
      const matrix: CoordinateMatrix = {
        minorCount: 7,
        minorCounts,
        entryCount: entries.length,
        bytesPerValue: 8,
        *blocks() {
          for (let from = 0; from < entries.length; from += 7) {
            const part = entries.slice(from, from + 7);
            yield {
              major: Int32Array.from(part, ([major]) => major),
              minor: Int32Array.from(part, ([, minor]) => minor),
              values: Float64Array.from(part, ([, , value]) => value),
            };
          }
        },
        emptyValues: (length) => new Float64Array(length),
      };
      const byMinor = [...entries].sort((a, b) => a[1] - b[1] || a[0] - b[0] || a[2] - b[2]);
      expect(entriesOf(coordinateOrder(matrix, limitBytes))).toEqual(byMinor);
      const byMajor = [...entries].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      const turned = entriesOf(coordinateOrder(exchanged(matrix, 6), limitBytes));
      expect(turned.map(([minor, major, value]) => [major, minor, value])).toEqual(byMajor);
    }),
  );
});

test('entries in memory that ascend are the same by either axis, in tiles of any size', () => {
  fc.assert(
    fc.property(matrices, fc.integer({ min: 1, max: 200 }), (spec, limitBytes) => {
      const rows = spec.rows.map((row) => [...row].sort((a, b) => a - b));
      const { matrix, entries } = matrixOf({ ...spec, rows });
      const stored = {
        minorCount: spec.minorCount,
        pointers: Int32Array.from(matrix.pointers),
        minors: Int32Array.from(rows.flat()),
        values: Float64Array.from(entries, ([, , value]) => value),
        emptyValues: (length: number) => new Float64Array(length),
      };
      expect(entriesOf(storedOrder(stored))).toEqual(entries);
      const byMinor = [...entries].sort((a, b) => a[1] - b[1] || a[0] - b[0] || a[2] - b[2]);
      expect(entriesOf(tiledOrder(stored, limitBytes))).toEqual(byMinor);
    }),
  );
});
