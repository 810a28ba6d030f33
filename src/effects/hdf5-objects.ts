/** Reads a piece of the file; throws where it is not there. */
export type ReadAt = (position: number, byteCount: number) => Buffer;

/** A chunked dataset of one dimension, as its object header describes it. */
export interface FoundDataset {
  /** A little-endian integer or IEEE float without padding. */
  readonly isPlainNumber: boolean;
  readonly layout: ChunkLayout;
  /** Numbers of its filters, in the order in which they were applied. */
  readonly filters: readonly number[];
}

export interface ChunkLayout {
  /** Address of the B-tree over its chunks. */
  readonly tree: number;
  readonly elementsPerChunk: number;
  readonly bytesPerElement: number;
}

interface Message {
  readonly type: number;
  readonly flags: number;
  readonly data: Buffer;
}

const SYMBOL_TABLE = 0x11;
const LINK = 0x06;
const DATATYPE = 0x03;
const LAYOUT = 0x08;
const FILTERS = 0x0b;
const CONTINUATION = 0x10;
const SHARED = 2;
/** Far more than any header or group on the way to a matrix has. */
const BLOCK_LIMIT = 10_000;
const HEAP_LIMIT_BYTES = 16 << 20;

/**
 * Finds a dataset by its path from the root, through groups of either kind, links to other places left out.
 *
 * @source  The HDF Group, HDF5 File Format Specification 3.0, sections II.A, III.A, III.C, IV.A
 * @returns undefined where the file is built in a way that this does not read
 * @throws  where what it reads is not what it has to be
 */
export function findDataset(path: string, readAt: ReadAt): FoundDataset | undefined {
  let header: number | undefined = rootHeader(readAt);
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (header === undefined) return undefined;
    header = childHeader(readMessages(header, readAt), name, readAt);
  }
  if (header === undefined) return undefined;
  const messages = readMessages(header, readAt);
  const only = (type: number): Buffer | undefined => {
    const found = messages.filter((message) => message.type === type);
    return found.length === 1 && ((found[0]?.flags ?? 0) & SHARED) === 0 ? found[0]?.data : undefined;
  };
  const [layout, datatype] = [only(LAYOUT), only(DATATYPE)];
  const chunks = layout === undefined ? undefined : readLayout(layout);
  if (chunks === undefined || datatype === undefined) return undefined;
  const hasFilters = messages.some(({ type }) => type === FILTERS);
  const written = only(FILTERS);
  const filters = written === undefined ? [] : readFilters(written);
  if (filters === undefined || hasFilters !== (written !== undefined)) return undefined;
  return { isPlainNumber: isPlainNumber(datatype, chunks.bytesPerElement), layout: chunks, filters };
}

function rootHeader(readAt: ReadAt): number | undefined {
  const start = readAt(0, 48);
  const version = start[8] ?? 0;
  if (version <= 1) {
    // Addresses and lengths of eight bytes, from the start of the file.
    const base = version === 0 ? 24 : 28;
    const whole = readAt(0, base + 48);
    return whole[13] === 8 && whole[14] === 8 && address(whole, base) === 0 ? address(whole, base + 40) : undefined;
  }
  if (version > 3) return undefined;
  return start[9] === 8 && start[10] === 8 && address(start, 12) === 0 ? address(start, 36) : undefined;
}

function address(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

/** All messages of an object header, of either version. */
function readMessages(header: number, readAt: ReadAt): readonly Message[] {
  const start = readAt(header, 16);
  const isNew = start.toString('latin1', 0, 4) === 'OHDR';
  if (!isNew && start[0] !== 1) throw new Error('no object header');
  const messages: Message[] = [];
  const blocks = isNew ? [newFirstBlock(header, readAt)] : [{ at: header + 16, length: start.readUInt32LE(8) }];
  const hasOrder = isNew && ((start[5] ?? 0) & 4) !== 0;
  for (let block = blocks.shift(), count = 0; block !== undefined; block = blocks.shift(), count += 1) {
    if (count > BLOCK_LIMIT) throw new Error('too many blocks');
    const bytes = readAt(block.at, block.length);
    for (const message of isNew ? newMessages(bytes, hasOrder) : oldMessages(bytes)) {
      if (message.type !== CONTINUATION) messages.push(message);
      else {
        const at = address(message.data, 0);
        const length = address(message.data, 8);
        // A block of the new kind has a signature before its messages and a checksum behind them.
        blocks.push(isNew ? { at: at + 4, length: length - 8 } : { at, length });
      }
    }
  }
  return messages;
}

function newFirstBlock(header: number, readAt: ReadAt): { readonly at: number; readonly length: number } {
  const prefix = readAt(header, 6);
  const flags = prefix[5] ?? 0;
  if (prefix[4] !== 2) throw new Error('an object header of another version');
  const before = 6 + ((flags & 0x20) !== 0 ? 16 : 0) + ((flags & 0x10) !== 0 ? 4 : 0);
  const width = 1 << (flags & 3);
  const length = readAt(header + before, width).readUIntLE(0, Math.min(width, 6));
  return { at: header + before + width, length };
}

function* oldMessages(bytes: Buffer): Iterable<Message> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at + 2);
    yield {
      type: bytes.readUInt16LE(at),
      flags: bytes[at + 4] ?? 0,
      data: bytes.subarray(at + 8, at + 8 + length),
    };
    at += 8 + length;
  }
}

function* newMessages(bytes: Buffer, hasOrder: boolean): Iterable<Message> {
  const before = hasOrder ? 6 : 4;
  for (let at = 0; at + before <= bytes.length; ) {
    const length = bytes.readUInt16LE(at + 1);
    yield {
      type: bytes[at] ?? 0,
      flags: bytes[at + 3] ?? 0,
      data: bytes.subarray(at + before, at + before + length),
    };
    at += before + length;
  }
}

/** The object header of what a group has by a name; undefined where it has no such hard link, or hides it in a heap. */
function childHeader(group: readonly Message[], name: string, readAt: ReadAt): number | undefined {
  const table = group.find(({ type }) => type === SYMBOL_TABLE)?.data;
  if (table !== undefined) {
    const heap = readAt(address(table, 8), 32);
    if (heap.toString('latin1', 0, 4) !== 'HEAP') throw new Error('no heap');
    if (address(heap, 8) > HEAP_LIMIT_BYTES) return undefined;
    const names = readAt(address(heap, 24), address(heap, 8));
    const left = { nodes: BLOCK_LIMIT };
    return inSymbols({ node: address(table, 0), level: undefined }, { name, names, readAt, left });
  }
  for (const { type, data } of group) {
    const link = type === LINK ? readLink(data) : undefined;
    if (link?.name === name) return link.header;
  }
  return undefined;
}

/** Looks through a B-tree of symbols; HDF5 keeps them sorted, but a few names are as soon read as compared. */
function inSymbols(
  at: { readonly node: number; readonly level: number | undefined },
  wanted: {
    readonly name: string;
    readonly names: Buffer;
    readonly readAt: ReadAt;
    readonly left: { nodes: number };
  },
): number | undefined {
  const { name, names, readAt, left } = wanted;
  left.nodes -= 1;
  if (left.nodes < 0) throw new Error('too many nodes');
  const header = readAt(at.node, 24);
  const level = header[5] ?? 0;
  if (header.toString('latin1', 0, 4) !== 'TREE' || header[4] !== 0) throw new Error('no node of a group');
  if (at.level !== undefined && level !== at.level - 1) throw new Error('a node of another level');
  const count = header.readUInt16LE(6);
  const entries = readAt(at.node + 24, 16 * count);
  for (let i = 0; i < count; i += 1) {
    const below = address(entries, 16 * i + 8);
    if (level > 0) {
      const found = inSymbols({ node: below, level }, wanted);
      if (found !== undefined) return found;
      continue;
    }
    const head = readAt(below, 8);
    if (head.toString('latin1', 0, 4) !== 'SNOD') throw new Error('no symbols');
    const symbols = readAt(below + 8, 40 * head.readUInt16LE(6));
    for (let from = 0; from < symbols.length; from += 40) {
      const start = address(symbols, from);
      const end = names.indexOf(0, start);
      const isHard = symbols.readUInt32LE(from + 16) !== 2;
      if (isHard && names.toString('utf8', start, end) === name) return address(symbols, from + 8);
    }
  }
  return undefined;
}

function readLink(data: Buffer): { readonly name: string; readonly header: number } | undefined {
  const flags = data[1] ?? 0;
  let at = 2;
  if ((flags & 8) !== 0) {
    if (data[at] !== 0) return undefined;
    at += 1;
  }
  if ((flags & 4) !== 0) at += 8;
  if ((flags & 0x10) !== 0) at += 1;
  const width = 1 << (flags & 3);
  const length = data.readUIntLE(at, Math.min(width, 6));
  at += width;
  return { name: data.toString('utf8', at, at + length), header: address(data, at + length) };
}

/** Version 3, chunked, one dimension and the size of an element. */
function readLayout(data: Buffer): ChunkLayout | undefined {
  if (data[0] !== 3 || data[1] !== 2 || data[2] !== 2) return undefined;
  return { tree: address(data, 3), elementsPerChunk: data.readUInt32LE(11), bytesPerElement: data.readUInt32LE(15) };
}

function readFilters(data: Buffer): readonly number[] | undefined {
  const version = data[0];
  const count = data[1] ?? 0;
  if (version !== 1 && version !== 2) return undefined;
  const filters: number[] = [];
  let at = version === 1 ? 8 : 2;
  for (let i = 0; i < count; i += 1) {
    const id = data.readUInt16LE(at);
    const hasName = version === 1 || id >= 256;
    const nameLength = hasName ? data.readUInt16LE(at + 2) : 0;
    const valueCount = data.readUInt16LE(at + (hasName ? 6 : 4));
    at += (hasName ? 8 : 6) + (version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    at += 4 * (version === 1 ? valueCount + (valueCount % 2) : valueCount);
    filters.push(id);
  }
  return filters;
}

/** Class 0 or 1 in little-endian order, with as many bits as its bytes have. */
function isPlainNumber(data: Buffer, bytesPerElement: number): boolean {
  const kind = (data[0] ?? 0) & 15;
  const bits = data[1] ?? 0;
  if (data.readUInt32LE(4) !== bytesPerElement || data.readUInt16LE(8) !== 0) return false;
  if (data.readUInt16LE(10) !== 8 * bytesPerElement) return false;
  if (kind === 0) return bytesPerElement === 1 || (bits & 1) === 0;
  return kind === 1 && (bits & 0x41) === 0 && (bytesPerElement === 4 || bytesPerElement === 8);
}
