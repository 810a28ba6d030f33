import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';

/** Something in the archive contradicts something else in it, or is cut off. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

/** A member as the central directory lists it. */
export interface ZipEntry {
  readonly name: string;
  /** The name's bytes, which its local header repeats. */
  readonly nameBytes: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  /** Where its local header is. */
  readonly offset: number;
  /** Type bits of a Unix mode; 0 where another system made it. */
  readonly unixType: number;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the directory begins, and all members end. */
  readonly offset: number;
}

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const ENTRY_BYTES = 46;
const [END, END64, LOCATOR, ENTRY] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50];
const [WORD, LONG] = [0xffff, 0xffffffff];
/** A directory is held in memory. */
const MAX_DIRECTORY_BYTES = 1 << 28;
const UNIX = 3;

/**
 * Reads the directory at the end of the archive. It must lie right before its end record, and hold what that announces.
 *
 * @throws ZipError
 * @source APPNOTE.TXT 6.3.10, PKWARE
 */
export async function readDirectory(file: FileHandle, sizeBytes: number): Promise<ZipDirectory> {
  const end = await findEnd(file, sizeBytes);
  const { offset, byteCount, entryCount, stop } = await spanOf(file, end);
  if (offset + byteCount !== stop) throw new ZipError('its directory is not where its end says');
  if (byteCount > MAX_DIRECTORY_BYTES) throw new ZipError('its directory is too large');
  const bytes = await readAt(file, offset, byteCount);
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { entry, next } = readEntry(bytes, at);
    entries.push(entry);
    at = next;
  }
  if (entries.length !== entryCount) {
    throw new ZipError(`its directory lists ${entries.length} members, its end says ${entryCount}`);
  }
  return { entries, offset };
}

/** Bytes at a place. @throws ZipError when the file ends before */
export async function readAt(file: FileHandle, offset: number, byteCount: number): Promise<Buffer> {
  const bytes = Buffer.alloc(byteCount);
  for (let done = 0; done < byteCount; ) {
    const { bytesRead } = await file.read(bytes, done, byteCount - done, offset + done);
    if (bytesRead === 0) throw new ZipError('it is cut off');
    done += bytesRead;
  }
  return bytes;
}

interface End {
  readonly at: number;
  readonly bytes: Buffer;
}

/** The end record whose comment reaches exactly to the end of the file. */
async function findEnd(file: FileHandle, sizeBytes: number): Promise<End> {
  const from = Math.max(0, sizeBytes - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await readAt(file, from, sizeBytes - from);
  const found: number[] = [];
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) found.push(at);
  }
  const [at] = found;
  if (at === undefined) throw new ZipError('it has no end: it is cut off, or something was added to it');
  if (found.length > 1) throw new ZipError('it has several ends');
  return { at: from + at, bytes: tail.subarray(at) };
}

interface Span {
  readonly offset: number;
  readonly byteCount: number;
  readonly entryCount: number;
  /** Where the directory has to end. */
  readonly stop: number;
}

async function spanOf(file: FileHandle, { at, bytes }: End): Promise<Span> {
  const disks = [bytes.readUInt16LE(4), bytes.readUInt16LE(6)];
  const counts = [bytes.readUInt16LE(8), bytes.readUInt16LE(10)];
  const short = { entryCount: counts[1] ?? 0, byteCount: bytes.readUInt32LE(12), offset: bytes.readUInt32LE(16) };
  const locator = at >= LOCATOR_BYTES ? await readAt(file, at - LOCATOR_BYTES, LOCATOR_BYTES) : Buffer.alloc(4);
  if (locator.readUInt32LE(0) !== LOCATOR) {
    if (disks.some((disk) => disk !== 0) || counts[0] !== counts[1]) throw new ZipError('it is one of several volumes');
    if (short.entryCount === WORD || short.byteCount === LONG || short.offset === LONG) {
      throw new ZipError('its end refers to a Zip64 record that is not there');
    }
    return { ...short, stop: at };
  }
  const end64At = exact(locator.readBigUInt64LE(8));
  if (end64At + END64_BYTES > at - LOCATOR_BYTES) throw new ZipError('its Zip64 record is not where it should be');
  const end64 = await readAt(file, end64At, END64_BYTES);
  if (end64.readUInt32LE(0) !== END64 || end64At + 12 + exact(end64.readBigUInt64LE(4)) !== at - LOCATOR_BYTES) {
    throw new ZipError('its Zip64 record is not where it should be');
  }
  const isOneVolume =
    end64.readUInt32LE(16) === 0 &&
    end64.readUInt32LE(20) === 0 &&
    end64.readBigUInt64LE(24) === end64.readBigUInt64LE(32);
  if (!isOneVolume) throw new ZipError('it is one of several volumes');
  const long = {
    entryCount: exact(end64.readBigUInt64LE(32)),
    byteCount: exact(end64.readBigUInt64LE(40)),
    offset: exact(end64.readBigUInt64LE(48)),
  };
  const agrees =
    (short.entryCount === WORD || short.entryCount === long.entryCount) &&
    (short.byteCount === LONG || short.byteCount === long.byteCount) &&
    (short.offset === LONG || short.offset === long.offset);
  if (!agrees) throw new ZipError('its end and its Zip64 record contradict each other');
  return { ...long, stop: end64At };
}

function readEntry(bytes: Buffer, at: number): { readonly entry: ZipEntry; readonly next: number } {
  if (at + ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== ENTRY) {
    throw new ZipError('its directory does not read');
  }
  const nameLength = bytes.readUInt16LE(at + 28);
  const extraLength = bytes.readUInt16LE(at + 30);
  const nameAt = at + ENTRY_BYTES;
  const extraAt = nameAt + nameLength;
  const next = extraAt + extraLength + bytes.readUInt16LE(at + 32);
  if (next > bytes.length) throw new ZipError('its directory does not read');
  if (bytes.readUInt16LE(at + 34) !== 0) throw new ZipError('it is one of several volumes');
  const nameBytes = bytes.subarray(nameAt, extraAt);
  const short = {
    sizeBytes: bytes.readUInt32LE(at + 24),
    packedBytes: bytes.readUInt32LE(at + 20),
    offset: bytes.readUInt32LE(at + 42),
  };
  const isUnix = bytes[at + 5] === UNIX;
  return {
    entry: {
      name: nameBytes.toString(isUtf8(nameBytes) ? 'utf8' : 'latin1'),
      nameBytes,
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc32: bytes.readUInt32LE(at + 16),
      ...longNumbers(bytes.subarray(extraAt, extraAt + extraLength), short),
      unixType: isUnix ? (bytes.readUInt32LE(at + 38) >>> 16) & 0o170000 : 0,
    },
    next,
  };
}

interface Numbers {
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly offset: number;
}

/** Numbers that do not fit stand in the Zip64 field, in this order, and only they. */
function longNumbers(extra: Buffer, short: Numbers): Numbers {
  const field = zip64Field(extra);
  let at = 0;
  const long = (value: number): number => {
    if (value !== LONG) return value;
    if (field === undefined || at + 8 > field.length) throw new ZipError('a member lacks its Zip64 field');
    at += 8;
    return exact(field.readBigUInt64LE(at - 8));
  };
  return {
    sizeBytes: long(short.sizeBytes),
    packedBytes: long(short.packedBytes),
    offset: long(short.offset),
  };
}

/** @throws ZipError when the extra fields do not fill their place, or one stands twice */
export function zip64Field(extra: Buffer): Buffer | undefined {
  let found: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw new ZipError('the extra fields of a member do not read');
    if (extra.readUInt16LE(at) === 1) {
      if (found !== undefined) throw new ZipError('a member has two Zip64 fields');
      found = extra.subarray(at + 4, end);
    }
    at = end;
  }
  return found;
}

export function exact(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError('a number is impossibly large');
  return Number(value);
}
