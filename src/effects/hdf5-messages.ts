/**
 * The structures of an HDF5 file that are written, as bytes; see the HDF5 File Format Specification 3.0. Everything is
 * little endian, offsets and lengths take eight bytes.
 */

/** What one element of a written dataset or attribute is. */
export type WrittenType =
  | { readonly class: 'integer'; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly class: 'float'; readonly bytes: 2 | 4 | 8 }
  /** FALSE and TRUE in a byte, as h5py writes NumPy's booleans. */
  | { readonly class: 'boolean'; readonly bytes: 1 }
  /** UTF-8 text of any length: a reference into the file's heap. */
  | { readonly class: 'text'; readonly bytes: 16 }
  | { readonly class: 'compound'; readonly bytes: number; readonly fields: readonly WrittenField[] };

export interface WrittenField {
  readonly name: string;
  readonly offset: number;
  readonly type: WrittenType;
}

export const TEXT: WrittenType = { class: 'text', bytes: 16 };

/** No address. */
export const UNDEFINED = 0xffffffffffffffffn;

/** A message of an object header holds at most so many bytes. */
export const MESSAGE_LIMIT_BYTES = 0xffff;

/** Appends numbers of fixed width. */
export class ByteWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(part: Uint8Array): this {
    this.#parts.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    this.#length += part.byteLength;
    return this;
  }

  text(text: string): this {
    return this.bytes(Buffer.from(text, 'utf8'));
  }

  uint(value: number, width: 1 | 2 | 3 | 4): this {
    const part = Buffer.alloc(width);
    part.writeUIntLE(value, 0, width);
    return this.bytes(part);
  }

  long(value: number | bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    return this.bytes(part);
  }

  zeros(count: number): this {
    return this.bytes(Buffer.alloc(count));
  }

  take(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** IV.A.2.d. Classes 0, 1 and 9 in version 1, which every library reads; compounds and enumerations in the compact version 3. */
export function datatype(type: WrittenType): Buffer {
  const out = new ByteWriter();
  switch (type.class) {
    case 'integer':
      out
        .uint(0x10, 1)
        .uint(type.signed ? 0x08 : 0, 3)
        .uint(type.bytes, 4)
        .uint(0, 2)
        .uint(type.bytes * 8, 2);
      break;
    case 'float': {
      const [sign, exponentAt, exponentBits, bias] = FLOATS[type.bytes];
      out
        .uint(0x11, 1)
        .uint(0x20, 1)
        .uint(sign, 1)
        .uint(0, 1)
        .uint(type.bytes, 4)
        .uint(0, 2)
        .uint(type.bytes * 8, 2);
      out.uint(exponentAt, 1).uint(exponentBits, 1).uint(0, 1).uint(exponentAt, 1).uint(bias, 4);
      break;
    }
    case 'boolean':
      out
        .uint(0x38, 1)
        .uint(2, 3)
        .uint(1, 4)
        .bytes(datatype({ class: 'integer', bytes: 1, signed: true }));
      out.text('FALSE\0TRUE\0').uint(0, 1).uint(1, 1);
      break;
    case 'text':
      // A sequence of bytes that is a string, ended by a zero, in UTF-8.
      out
        .uint(0x19, 1)
        .uint(0x000101, 3)
        .uint(16, 4)
        .bytes(datatype({ class: 'integer', bytes: 1, signed: false }));
      break;
    case 'compound': {
      out.uint(0x36, 1).uint(type.fields.length, 3).uint(type.bytes, 4);
      const width = type.bytes < 1 << 8 ? 1 : type.bytes < 1 << 16 ? 2 : 4;
      for (const field of type.fields) {
        out.text(`${field.name}\0`).uint(field.offset, width).bytes(datatype(field.type));
      }
      break;
    }
  }
  return out.take();
}

/** Position of the sign, of the exponent, the exponent's width and its bias. */
const FLOATS = { 2: [15, 10, 5, 15], 4: [31, 23, 8, 127], 8: [63, 52, 11, 1023] } as const;

/** IV.A.2.b. @param shape  no lengths for a single value; undefined for no value at all */
export function dataspace(shape: readonly number[] | undefined): Buffer {
  const out = new ByteWriter()
    .uint(2, 1)
    .uint(shape?.length ?? 0, 1)
    .uint(0, 1);
  out.uint(shape === undefined ? 2 : shape.length === 0 ? 0 : 1, 1);
  for (const length of shape ?? []) out.long(length);
  return out.take();
}

export type Message = readonly [type: number, body: Buffer];

/** IV.A.2.m, version 3. `data`: the values as they are stored. */
export function attributeMessage(
  name: string,
  value: { readonly type: WrittenType; readonly shape: readonly number[]; readonly data: Buffer },
): Message {
  const type = datatype(value.type);
  const space = dataspace(value.shape);
  const bytes = Buffer.from(`${name}\0`, 'utf8');
  const out = new ByteWriter().uint(3, 1).uint(0, 1).uint(bytes.length, 2).uint(type.length, 2).uint(space.length, 2);
  return [0x0c, out.uint(1, 1).bytes(bytes).bytes(type).bytes(space).bytes(value.data).take()];
}

/** IV.A.2.g: a name for another object of the file. */
export function linkMessage(name: string, address: number): Message {
  const bytes = Buffer.from(name, 'utf8');
  return [
    0x06,
    new ByteWriter().uint(1, 1).uint(0x11, 1).uint(1, 1).uint(bytes.length, 2).bytes(bytes).long(address).take(),
  ];
}

/** What makes an object a group whose links stand in its header. */
export function groupMessages(): readonly Message[] {
  return [
    [0x02, new ByteWriter().uint(0, 2).long(UNDEFINED).long(UNDEFINED).take()],
    [0x0a, new ByteWriter().uint(0, 2).take()],
  ];
}

/** Where the values of a dataset stand. */
export type Storage =
  | { readonly layout: 'contiguous'; readonly address: number | undefined; readonly sizeBytes: number }
  | {
      readonly layout: 'chunked';
      readonly tree: number | undefined;
      readonly chunk: readonly number[];
      readonly filters: readonly Filter[];
    };

export type Filter = { readonly name: 'shuffle' } | { readonly name: 'deflate'; readonly level: number };

/** Everything that a dataset's header says besides its attributes. */
export function datasetMessages(
  type: WrittenType,
  shape: readonly number[] | undefined,
  storage: Storage,
): readonly Message[] {
  const messages: Message[] = [
    [0x01, dataspace(shape)],
    [0x03, datatype(type)],
    // Fill values: none; space is taken late, or as chunks come.
    [
      0x05,
      new ByteWriter()
        .uint(3, 1)
        .uint(storage.layout === 'contiguous' ? 0x0a : 0x0b, 1)
        .take(),
    ],
  ];
  if (storage.layout === 'contiguous') {
    const { address, sizeBytes } = storage;
    messages.push([
      0x08,
      new ByteWriter()
        .uint(3, 1)
        .uint(1, 1)
        .long(address ?? UNDEFINED)
        .long(sizeBytes)
        .take(),
    ]);
    return messages;
  }
  const { chunk, tree, filters } = storage;
  const layout = new ByteWriter()
    .uint(3, 1)
    .uint(2, 1)
    .uint(chunk.length + 1, 1)
    .long(tree ?? UNDEFINED);
  for (const edge of chunk) layout.uint(edge, 4);
  messages.push([0x08, layout.uint(type.bytes, 4).take()]);
  if (filters.length > 0) {
    const pipeline = new ByteWriter().uint(2, 1).uint(filters.length, 1);
    for (const filter of filters) {
      const [id, setting] = filter.name === 'shuffle' ? [2, type.bytes] : [1, filter.level];
      pipeline.uint(id, 2).uint(0, 2).uint(1, 2).uint(setting, 4);
    }
    messages.push([0x0b, pipeline.take()]);
  }
  return messages;
}

/** IV.A.1.b: an object header of version 2, in one piece. */
export function objectHeader(messages: readonly Message[]): Buffer {
  const body = new ByteWriter();
  for (const [type, bytes] of messages) body.uint(type, 1).uint(bytes.length, 2).uint(0, 1).bytes(bytes);
  const out = new ByteWriter().text('OHDR').uint(2, 1).uint(0x02, 1).uint(body.length, 4).bytes(body.take());
  return sealed(out);
}

/** II.C: version 2. */
export function superblock(root: number, endOfFile: number): Buffer {
  const out = new ByteWriter().bytes(Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]));
  out.uint(2, 1).uint(8, 1).uint(8, 1).uint(0, 1).long(0).long(UNDEFINED).long(endOfFile).long(root);
  return sealed(out);
}

export const SUPERBLOCK_BYTES = 48;

/** One stored chunk: where its first element stands in the dataset, and where its bytes stand in the file. */
export interface StoredChunk {
  readonly offset: readonly number[];
  readonly sizeBytes: number;
  readonly address: number;
}

/** Children of a node of a chunk index: twice the default K of 32. */
export const CHUNKS_PER_NODE = 64;

/** III.A.1: a node of a version 1 B-tree over chunks. @param end  the first position behind the last child */
export function chunkNode(level: number, children: readonly StoredChunk[], end: readonly number[]): Buffer {
  const out = new ByteWriter().text('TREE').uint(1, 1).uint(level, 1).uint(children.length, 2);
  out.long(UNDEFINED).long(UNDEFINED);
  for (const child of children) {
    chunkKey(out, child.sizeBytes, child.offset);
    out.long(child.address);
  }
  chunkKey(out, 0, end);
  const keyBytes = 8 + 8 * (end.length + 1);
  return out.zeros(24 + (CHUNKS_PER_NODE + 1) * keyBytes + CHUNKS_PER_NODE * 8 - out.length).take();
}

function chunkKey(out: ByteWriter, sizeBytes: number, offset: readonly number[]): void {
  out.uint(sizeBytes, 4).uint(0, 4);
  for (const position of offset) out.long(position);
  out.long(0);
}

/** III.E: a collection of the global heap. @returns its bytes; object `i` of `items` has the index `i + 1` */
export function heapCollection(items: readonly Buffer[]): Buffer {
  const used = items.reduce((sum, item) => sum + 16 + padded(item.length), 16);
  // What is left must hold the header of the free space.
  const sizeBytes = Math.max(HEAP_MINIMUM_BYTES, used + 16);
  const out = Buffer.alloc(sizeBytes);
  out.write('GCOL', 0, 'latin1');
  out.writeUInt8(1, 4);
  out.writeBigUInt64LE(BigInt(sizeBytes), 8);
  let at = 16;
  for (const [i, item] of items.entries()) {
    out.writeUInt16LE(i + 1, at);
    out.writeUInt16LE(1, at + 2);
    out.writeBigUInt64LE(BigInt(item.length), at + 8);
    item.copy(out, at + 16);
    at += 16 + padded(item.length);
  }
  out.writeBigUInt64LE(BigInt(sizeBytes - at), at + 8);
  return out;
}

const HEAP_MINIMUM_BYTES = 4096;

function padded(length: number): number {
  return (length + 7) & ~7;
}

function sealed(out: ByteWriter): Buffer {
  const bytes = out.take();
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(lookup3(bytes));
  return Buffer.concat([bytes, sum]);
}

/** Bob Jenkins' lookup3 hash (2006, public domain algorithm), the checksum of HDF5's metadata. @returns 32 bits, unsigned */
export function lookup3(bytes: Uint8Array): number {
  let a = (0xdeadbeef + bytes.length) | 0;
  let b = a;
  let c = a;
  const rot = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const word = (at: number): number =>
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) | 0) ^ rot(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rot(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rot(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rot(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rot(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rot(b, 4);
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - rot(b, 14)) | 0;
  a = ((a ^ c) - rot(c, 11)) | 0;
  b = ((b ^ a) - rot(a, 25)) | 0;
  c = ((c ^ b) - rot(b, 16)) | 0;
  a = ((a ^ c) - rot(c, 4)) | 0;
  b = ((b ^ a) - rot(a, 14)) | 0;
  c = ((c ^ b) - rot(b, 24)) | 0;
  return c >>> 0;
}
