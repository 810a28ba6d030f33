import { crc32, deflateRawSync } from 'node:zlib';

export interface TarMember {
  readonly name: string;
  readonly content?: string | Buffer;
  /** One letter; `0` for a file. */
  readonly type?: string;
  readonly linkName?: string;
  /** What the header says; the content's own when left out. */
  readonly size?: number;
}

/** A header of 512 bytes, with its checksum. */
export function tarHeader(member: TarMember): Buffer {
  const header = Buffer.alloc(512);
  const size = member.size ?? Buffer.from(member.content ?? '').length;
  header.write(member.name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(member.type ?? '0', 156);
  header.write(member.linkName ?? '', 157, 100);
  header.write('ustar\0', 257);
  header.write('00', 263);
  return withChecksum(header);
}

export function withChecksum(header: Buffer): Buffer {
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** A ustar archive: its members, and two blocks of zeros. */
export function tarOf(members: readonly TarMember[], end: Buffer = Buffer.alloc(1024)): Buffer {
  const parts = members.flatMap((member) => {
    const content = Buffer.from(member.content ?? '');
    return [tarHeader(member), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, end]);
}

/** A pax header with attributes, as a member of its own. */
export function paxOf(attributes: Readonly<Record<string, string>>, type = 'x'): TarMember {
  const lines = Object.entries(attributes).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (String(length).length + Buffer.byteLength(rest) !== length) {
      length = String(length).length + Buffer.byteLength(rest);
    }
    return `${length}${rest}`;
  });
  return { name: 'PaxHeader', type, content: lines.join('') };
}

export interface ZipMember {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly isStored?: boolean;
  readonly flags?: number;
  readonly method?: number;
  readonly unixMode?: number;
  /** Sizes after the data: with or without a signature. */
  readonly descriptor?: 'signed' | 'plain';
  /** What the directory says instead of the truth. */
  readonly claims?: Partial<Record<'crc' | 'size' | 'packedSize' | 'offset', number>>;
  /** What the member's own header says instead of the truth. */
  readonly localClaims?: Partial<Record<'crc' | 'size' | 'packedSize', number>> & { readonly name?: string };
  /** Numbers go to the Zip64 field. */
  readonly isZip64?: boolean;
}

export interface ZipEnd {
  readonly entryCount?: number;
  readonly comment?: string;
  readonly isZip64?: boolean;
  /** What the Zip64 record says instead. */
  readonly entryCount64?: number;
}

function zip64(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [i, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * i);
  return field;
}

export function zipOf(members: readonly ZipMember[], end: ZipEnd = {}): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const content = Buffer.from(member.content ?? '');
    const isStored = member.isStored === true || member.name.endsWith('/');
    const data = isStored ? content : deflateRawSync(content);
    const method = member.method ?? (isStored ? 0 : 8);
    const flags = (member.flags ?? 0) | (member.descriptor === undefined ? 0 : 8);
    const truth = { crc: crc32(content), size: content.length, packedSize: data.length };
    const own =
      member.descriptor === undefined ? { ...truth, ...member.localClaims } : { crc: 0, size: 0, packedSize: 0 };
    const name = Buffer.from(member.name);
    const localName = Buffer.from(member.localClaims?.name ?? member.name);
    const isLong = member.isZip64 === true;
    const localExtra = isLong ? zip64([own.size, own.packedSize]) : Buffer.alloc(0);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(own.crc, 14);
    local.writeUInt32LE(isLong ? 0xffffffff : own.packedSize, 18);
    local.writeUInt32LE(isLong ? 0xffffffff : own.size, 22);
    local.writeUInt16LE(localName.length, 26);
    local.writeUInt16LE(localExtra.length, 28);
    const after = Buffer.alloc(member.descriptor === undefined ? 0 : 12);
    if (member.descriptor !== undefined) {
      after.writeUInt32LE(truth.crc, 0);
      after.writeUInt32LE(truth.packedSize, 4);
      after.writeUInt32LE(member.localClaims?.size ?? truth.size, 8);
    }
    const signature = Buffer.from(member.descriptor === 'signed' ? '504b0708' : '', 'hex');
    const parts = [local, localName, localExtra, data, signature, after];
    const said = { ...truth, offset, ...member.claims };
    const extra = isLong ? zip64([said.size, said.packedSize, said.offset]) : Buffer.alloc(0);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(member.unixMode === undefined ? 20 : (3 << 8) | 20, 4);
    entry.writeUInt16LE(20, 6);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(said.crc, 16);
    entry.writeUInt32LE(isLong ? 0xffffffff : said.packedSize, 20);
    entry.writeUInt32LE(isLong ? 0xffffffff : said.size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(extra.length, 30);
    entry.writeUInt32LE(((member.unixMode ?? 0) << 16) >>> 0, 38);
    entry.writeUInt32LE(isLong ? 0xffffffff : said.offset, 42);
    directory.push(entry, name, extra);
    body.push(...parts);
    offset += parts.reduce((sum, part) => sum + part.length, 0);
  }
  const listed = Buffer.concat(directory);
  const isLong = end.isZip64 === true;
  const count = end.entryCount ?? members.length;
  const comment = Buffer.from(end.comment ?? '');
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50, 0);
  last.writeUInt16LE(isLong ? 0xffff : count, 8);
  last.writeUInt16LE(isLong ? 0xffff : count, 10);
  last.writeUInt32LE(isLong ? 0xffffffff : listed.length, 12);
  last.writeUInt32LE(isLong ? 0xffffffff : offset, 16);
  last.writeUInt16LE(comment.length, 20);
  const long = Buffer.alloc(isLong ? 76 : 0);
  if (isLong) {
    long.writeUInt32LE(0x06064b50, 0);
    long.writeBigUInt64LE(44n, 4);
    long.writeBigUInt64LE(BigInt(end.entryCount64 ?? members.length), 24);
    long.writeBigUInt64LE(BigInt(end.entryCount64 ?? members.length), 32);
    long.writeBigUInt64LE(BigInt(listed.length), 40);
    long.writeBigUInt64LE(BigInt(offset), 48);
    long.writeUInt32LE(0x07064b50, 56);
    long.writeBigUInt64LE(BigInt(offset + listed.length), 64);
    long.writeUInt32LE(1, 72);
  }
  return Buffer.concat([...body, listed, long, last, comment]);
}
