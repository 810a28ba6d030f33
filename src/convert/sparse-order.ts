import type { NumberArray } from '../effects/parquet-writer.js';

/**
 * A compressed sparse matrix that can be read in parts: CSR has rows as major axis, CSC columns. Entries may repeat
 * and be zero; both stay.
 */
export interface CompressedMatrix {
  readonly majorCount: number;
  readonly minorCount: number;
  /** Entry `pointers[m]` up to `pointers[m + 1]` belong to major `m`; ascending, from 0 to the number of entries. */
  readonly pointers: Float64Array;
  /** Entries to read at once. */
  readonly blockLength: number;
  readonly bytesPerValue: number;
  /** Minor positions of entries, each checked to lie within 0 and `minorCount`. */
  minors(from: number, count: number): Int32Array<ArrayBuffer>;
  values(from: number, count: number): NumberArray;
  emptyValues(length: number): NumberArray;
}

/** Entries in order, one array per axis. */
export interface EntryBlock {
  readonly major: Int32Array<ArrayBuffer>;
  readonly minor: Int32Array<ArrayBuffer>;
  readonly values: NumberArray;
}

const ENTRIES_PER_BLOCK = 1 << 18;

/** Entries by (major, minor), stable among equals: the order in which they are stored, rows put right where they are not. */
export function* majorOrder(matrix: CompressedMatrix): Iterable<EntryBlock> {
  const { pointers, majorCount } = matrix;
  let first = 0;
  while (first < majorCount) {
    const start = pointers[first] ?? 0;
    let last = first + 1;
    while (last < majorCount && (pointers[last + 1] ?? 0) - start <= matrix.blockLength) last++;
    const count = (pointers[last] ?? 0) - start;
    if (count > 0) {
      const minor = matrix.minors(start, count);
      const values = matrix.values(start, count);
      const major = new Int32Array(count);
      for (let m = first; m < last; m++) major.fill(m, (pointers[m] ?? 0) - start, (pointers[m + 1] ?? 0) - start);
      yield* pieces(sortedWithinMajors({ major, minor, values }, matrix));
    }
    first = last;
  }
}

/**
 * Entries by (minor, major), stable among equals, by a counting sort in typed arrays. The minor axis is cut into ranges
 * whose entries fit `limitBytes`; for each range the matrix is read once more. A block is good until the next one is
 * asked for: the arrays of a range are used again for the next.
 */
export function* minorOrder(matrix: CompressedMatrix, limitBytes: number): Iterable<EntryBlock> {
  const { minorCount, pointers } = matrix;
  const entryCount = pointers[matrix.majorCount] ?? 0;
  const counts = new Float64Array(minorCount);
  for (let from = 0; from < entryCount; from += matrix.blockLength) {
    addCounts(counts, matrix.minors(from, Math.min(matrix.blockLength, entryCount - from)));
  }
  const ranges = rangesOf(counts, limitBytes / (4 + matrix.bytesPerValue));
  const room = new Room(matrix, ranges);
  for (const range of ranges) yield* gatherRange(matrix, { ...range, counts, room });
}

/** Adds up how many entries each minor has. No part of a generator, where such a loop takes a fifth longer. */
export function addCounts(counts: Float64Array, minors: Int32Array): void {
  for (let e = 0; e < minors.length; e++) {
    const minor = minors[e] ?? 0;
    counts[minor] = (counts[minor] ?? 0) + 1;
  }
}

/** Minors `low` up to `high`, and how many entries they have. */
export interface MinorRange {
  readonly low: number;
  readonly high: number;
  readonly size: number;
}

/** Cuts the minor axis into ranges of at most `limit` entries, one minor at least; those without entries are left out. */
export function rangesOf(counts: Float64Array, limit: number): readonly MinorRange[] {
  const ranges: MinorRange[] = [];
  for (let low = 0, high = 0; low < counts.length; low = high) {
    let size = counts[low] ?? 0;
    for (high = low + 1; high < counts.length && size + (counts[high] ?? 0) <= limit; high++) size += counts[high] ?? 0;
    if (size > 0) ranges.push({ low, high, size });
  }
  return ranges;
}

/** One pass: the entries whose minor lies in `low` up to `high`. */
function* gatherRange(
  matrix: CompressedMatrix,
  range: MinorRange & {
    readonly counts: Float64Array;
    readonly room: Room;
  },
): Iterable<EntryBlock> {
  const { low, high, size, counts, room } = range;
  const { pointers } = matrix;
  const next = new Float64Array(high - low);
  for (let m = low + 1; m < high; m++) next[m - low] = (next[m - low - 1] ?? 0) + (counts[m - 1] ?? 0);
  const { major, values } = room.take(size);
  const entryCount = pointers[matrix.majorCount] ?? 0;
  let at = 0;
  for (let from = 0; from < entryCount; from += matrix.blockLength) {
    const count = Math.min(matrix.blockLength, entryCount - from);
    const minorPart = matrix.minors(from, count);
    const valuePart = matrix.values(from, count);
    const majorPart = new Int32Array(count);
    for (let done = 0; done < count; ) {
      while ((pointers[at + 1] ?? 0) <= from + done) at++;
      const end = Math.min(count, (pointers[at + 1] ?? 0) - from);
      majorPart.fill(at, done, end);
      done = end;
    }
    scatter({ low, high, next, major, values }, { major: majorPart, minor: minorPart, values: valuePart });
  }
  yield* gathered({ low, next, major, values });
}

/** The arrays of a pass, made once for the largest: a heap of dead ones would be several times what the sort may take. */
class Room {
  readonly #major: Int32Array<ArrayBuffer>;
  readonly #values: NumberArray;

  constructor(matrix: Pick<CompressedMatrix, 'emptyValues'>, ranges: readonly MinorRange[]) {
    const size = ranges.reduce((largest, range) => Math.max(largest, range.size), 0);
    this.#major = new Int32Array(size);
    this.#values = matrix.emptyValues(size);
  }

  take(size: number): { readonly major: Int32Array<ArrayBuffer>; readonly values: NumberArray } {
    return { major: this.#major.subarray(0, size), values: this.#values.subarray(0, size) };
  }
}

/** What a pass has put in place, in blocks; the minors are known from where each of them ends, so they take no memory. */
function* gathered(range: {
  readonly low: number;
  /** Where the entries of each minor end. */
  readonly next: Float64Array;
  readonly major: Int32Array<ArrayBuffer>;
  readonly values: NumberArray;
}): Iterable<EntryBlock> {
  const { low, next, major, values } = range;
  for (let from = 0, m = 0; from < major.length; from += ENTRIES_PER_BLOCK) {
    const to = Math.min(major.length, from + ENTRIES_PER_BLOCK);
    const minor = new Int32Array(to - from);
    for (let done = from; done < to; ) {
      while ((next[m] ?? 0) <= done) m++;
      const end = Math.min(to, next[m] ?? 0);
      minor.fill(low + m, done - from, end - from);
      done = end;
    }
    yield { major: major.subarray(from, to), minor, values: values.subarray(from, to) };
  }
}

/** A matrix as a list of its entries, in any order, that can be read in parts. */
export interface CoordinateMatrix {
  readonly minorCount: number;
  readonly entryCount: number;
  /** How many entries each minor has. */
  readonly minorCounts: Float64Array;
  readonly bytesPerValue: number;
  /** All entries in their order, block by block; may be called more than once. */
  blocks(): Iterable<EntryBlock>;
  emptyValues(length: number): NumberArray;
}

/**
 * Entries by (minor, major), stable among equals, by the same counting sort: a pass over the entries for each range of
 * minors that fits `limitBytes`. Within a minor they are sorted only where they do not stand in order.
 */
export function* coordinateOrder(matrix: CoordinateMatrix, limitBytes: number): Iterable<EntryBlock> {
  const { minorCounts: counts } = matrix;
  const ranges = rangesOf(counts, limitBytes / (4 + matrix.bytesPerValue));
  const room = new Room(matrix, ranges);
  for (const { low, high, size } of ranges) {
    const next = new Float64Array(high - low);
    for (let m = low + 1; m < high; m++) next[m - low] = (next[m - low - 1] ?? 0) + (counts[m - 1] ?? 0);
    const { major, values } = room.take(size);
    for (const block of matrix.blocks()) scatter({ low, high, next, major, values }, block);
    for (let m = low, start = 0; m < high; m++) {
      const end = next[m - low] ?? 0;
      sortSpan({ major, values }, start, end, matrix);
      start = end;
    }
    yield* gathered({ low, next, major, values });
  }
}

/** The same entries with their axes exchanged, to be sorted by the other one. Reads all of them once to count. */
export function exchanged(matrix: CoordinateMatrix, majorCount: number): CoordinateMatrix {
  const blocks = function* (): Iterable<EntryBlock> {
    for (const { major, minor, values } of matrix.blocks()) yield { major: minor, minor: major, values };
  };
  const minorCounts = new Float64Array(majorCount);
  for (const { minor } of blocks()) addCounts(minorCounts, minor);
  return {
    minorCount: majorCount,
    minorCounts,
    entryCount: matrix.entryCount,
    bytesPerValue: matrix.bytesPerValue,
    blocks,
    emptyValues: (length) => matrix.emptyValues(length),
  };
}

/** Puts the entries of one minor into ascending order of their majors where they are not. */
function sortSpan(
  all: { readonly major: Int32Array<ArrayBuffer>; readonly values: NumberArray },
  start: number,
  end: number,
  matrix: Pick<CompressedMatrix, 'emptyValues'>,
): void {
  const { major } = all;
  let isSorted = true;
  for (let i = start + 1; i < end && isSorted; i++) isSorted = (major[i - 1] ?? 0) <= (major[i] ?? 0);
  if (isSorted) return;
  const order = Uint32Array.from({ length: end - start }, (_, i) => start + i);
  order.sort((a, b) => (major[a] ?? 0) - (major[b] ?? 0) || a - b);
  const values = matrix.emptyValues(order.length);
  permute(all.values, order, values);
  major.set(
    Int32Array.from(order, (i) => major[i] ?? 0),
    start,
  );
  for (let i = 0; i < order.length; i++) order[i] = i;
  permute(values, order, all.values.subarray(start, end));
}

interface Scatter {
  readonly low: number;
  readonly high: number;
  /** Where the next entry of each minor goes. */
  readonly next: Float64Array;
  readonly major: Int32Array;
  readonly values: NumberArray;
}

function scatter(to: Scatter, from: EntryBlock): void {
  const { low, high, next, major } = to;
  const { minor } = from;
  const count = minor.length;
  if (from.values instanceof BigInt64Array || from.values instanceof BigUint64Array) {
    if (!(to.values instanceof BigInt64Array) && !(to.values instanceof BigUint64Array))
      throw new Error('arrays of two kinds');
    for (let i = 0; i < count; i++) {
      const m = minor[i] ?? 0;
      if (m < low || m >= high) continue;
      const place = next[m - low] ?? 0;
      next[m - low] = place + 1;
      major[place] = from.major[i] ?? 0;
      to.values[place] = from.values[i] ?? 0n;
    }
    return;
  }
  if (to.values instanceof BigInt64Array || to.values instanceof BigUint64Array) throw new Error('arrays of two kinds');
  for (let i = 0; i < count; i++) {
    const m = minor[i] ?? 0;
    if (m < low || m >= high) continue;
    const place = next[m - low] ?? 0;
    next[m - low] = place + 1;
    major[place] = from.major[i] ?? 0;
    to.values[place] = from.values[i] ?? 0;
  }
}

/** Puts the minors of each major into ascending order where they are not (the format allows any order). */
function sortedWithinMajors(block: EntryBlock, matrix: CompressedMatrix): EntryBlock {
  const { major, minor } = block;
  let isSorted = true;
  for (let i = 1; i < minor.length && isSorted; i++) {
    isSorted = major[i] !== major[i - 1] || (minor[i] ?? 0) >= (minor[i - 1] ?? 0);
  }
  if (isSorted) return block;
  const order = Uint32Array.from(minor, (_, i) => i);
  order.sort((a, b) => (major[a] ?? 0) - (major[b] ?? 0) || (minor[a] ?? 0) - (minor[b] ?? 0) || a - b);
  const values = matrix.emptyValues(minor.length);
  permute(block.values, order, values);
  return {
    major: Int32Array.from(order, (i) => major[i] ?? 0),
    minor: Int32Array.from(order, (i) => minor[i] ?? 0),
    values,
  };
}

function permute(from: NumberArray, order: Uint32Array, to: NumberArray): void {
  if (from instanceof BigInt64Array || from instanceof BigUint64Array) {
    if (!(to instanceof BigInt64Array) && !(to instanceof BigUint64Array)) throw new Error('arrays of two kinds');
    for (let i = 0; i < order.length; i++) to[i] = from[order[i] ?? 0] ?? 0n;
  } else {
    if (to instanceof BigInt64Array || to instanceof BigUint64Array) throw new Error('arrays of two kinds');
    for (let i = 0; i < order.length; i++) to[i] = from[order[i] ?? 0] ?? 0;
  }
}

function* pieces(block: EntryBlock): Iterable<EntryBlock> {
  const { length } = block.major;
  for (let from = 0; from < length; from += ENTRIES_PER_BLOCK) {
    const to = Math.min(length, from + ENTRIES_PER_BLOCK);
    yield {
      major: block.major.subarray(from, to),
      minor: block.minor.subarray(from, to),
      values: block.values.subarray(from, to),
    };
  }
}
