import { type FileHandle, open } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { messageOf } from '../../../domain/diagnostic.js';
import { archiveError, HARMLESS_BYTES, refusedMember } from '../../archive/members.js';
import { type ArchiveEntry, translated } from '../../archive/unpack.js';
import type { ExpansionAllowance, RawFile } from '../../format.js';
import { exact, readAt, readDirectory, type ZipEntry, ZipError, zip64Field } from './directory.js';

const LOCAL_BYTES = 30;
const [LOCAL, DESCRIPTOR] = [0x04034b50, 0x08074b50];
const [STORED, DEFLATED] = [0, 8];
/** Bits of the flags: encrypted, sizes after the data, patched, strongly encrypted, masked. */
const [ENCRYPTED, DESCRIBED_AFTER, PATCH, STRONG, MASKED] = [1, 1 << 3, 1 << 5, 1 << 6, 1 << 13];
const LONG = 0xffffffff;
const READ_BYTES = 1 << 18;
const UNIX_FILE = 0o100000;
const UNIX_FOLDER = 0o040000;

/**
 * Files and folders of a zip archive, in the order of its directory. Strict: what its directory, its members' own
 * headers and their data say has to be the same, no two members share a byte, and every CRC is held.
 *
 * @throws DiagnosticError (SL0660 damaged, SL0661 refused, SL0662 too much)
 */
export async function* readZip(raw: RawFile, allowance: ExpansionAllowance): AsyncGenerator<ArchiveEntry> {
  const translate = (thrown: unknown): unknown =>
    thrown instanceof ZipError ? archiveError(raw, 'SL0660', `is damaged: ${thrown.message}`) : thrown;
  const file = await open(raw.file, 'r');
  try {
    const { entries, offset } = await readDirectory(file, raw.sizeBytes);
    for (const entry of entries) {
      allowance.takeMember();
      checkEntry(raw, entry, allowance);
    }
    const places: Place[] = [];
    for (const entry of entries) places.push(await placeOf(file, entry));
    checkOverlaps(places, offset);
    for (const [i, entry] of entries.entries()) {
      const place = places[i];
      if (place === undefined) continue;
      if (entry.name.endsWith('/')) yield { type: 'folder', name: entry.name };
      else {
        const content = translated(contentOf(file, entry, place), translate);
        yield { type: 'file', file: { name: entry.name, sizeBytes: entry.sizeBytes, content } };
      }
    }
  } catch (thrown) {
    throw translate(thrown);
  } finally {
    await file.close();
  }
}

/** What the directory says of a member, before anything of it is read. */
function checkEntry(raw: RawFile, entry: ZipEntry, allowance: ExpansionAllowance): void {
  const { name, flags, method, packedBytes, sizeBytes, unixType } = entry;
  if ((flags & (ENCRYPTED | STRONG | MASKED)) !== 0) throw refusedMember(raw, name, 'is encrypted');
  if ((flags & PATCH) !== 0) throw refusedMember(raw, name, 'is a patch of another file');
  if (method !== STORED && method !== DEFLATED) {
    throw refusedMember(raw, name, `is packed by method ${method}; stored and deflated are read`);
  }
  const isFolder = name.endsWith('/');
  if (unixType !== 0 && unixType !== UNIX_FILE && !(isFolder && unixType === UNIX_FOLDER)) {
    throw refusedMember(raw, name, 'is a link or a device');
  }
  if (isFolder && sizeBytes !== 0) throw refusedMember(raw, name, 'is a folder with content');
  if (method === STORED && packedBytes !== sizeBytes) throw new ZipError(`the sizes of ${JSON.stringify(name)} differ`);
  if (sizeBytes > HARMLESS_BYTES && sizeBytes > packedBytes * allowance.ratio) {
    throw archiveError(
      raw,
      'SL0662',
      `packs its member ${JSON.stringify(name)} more than ${allowance.ratio} times`,
      'raise the option max_ratio if it is meant to',
    );
  }
}

/** Where a member's header, data and what follows it lie. */
interface Place {
  readonly name: string;
  readonly from: number;
  readonly dataAt: number;
  readonly to: number;
}

/** Reads a member's own header, and holds it against the directory. */
async function placeOf(file: FileHandle, entry: ZipEntry): Promise<Place> {
  const differs = (): ZipError =>
    new ZipError(`the header of ${JSON.stringify(entry.name)} differs from the directory`);
  const head = await readAt(file, entry.offset, LOCAL_BYTES);
  if (head.readUInt32LE(0) !== LOCAL)
    throw new ZipError(`there is no ${JSON.stringify(entry.name)} where it should be`);
  const nameLength = head.readUInt16LE(26);
  const rest = await readAt(file, entry.offset + LOCAL_BYTES, nameLength + head.readUInt16LE(28));
  const isDescribedAfter = (entry.flags & DESCRIBED_AFTER) !== 0;
  const hasSameName = rest.subarray(0, nameLength).equals(entry.nameBytes);
  if (!hasSameName || head.readUInt16LE(6) !== entry.flags || head.readUInt16LE(8) !== entry.method) throw differs();
  const field = zip64Field(rest.subarray(nameLength));
  if (!isDescribedAfter) {
    let at = 0;
    const numbers = [head.readUInt32LE(22), head.readUInt32LE(18)].map((value) => {
      if (value !== LONG || field === undefined || at + 8 > field.length) return value;
      at += 8;
      return exact(field.readBigUInt64LE(at - 8));
    });
    if (numbers[0] !== entry.sizeBytes || numbers[1] !== entry.packedBytes) throw differs();
    if (head.readUInt32LE(14) !== entry.crc32) throw differs();
  }
  const dataAt = entry.offset + LOCAL_BYTES + rest.length;
  const dataEnd = dataAt + entry.packedBytes;
  const to = isDescribedAfter ? await endOfDescriptor(file, entry, { dataEnd, isLong: field !== undefined }) : dataEnd;
  return { name: entry.name, from: entry.offset, dataAt, to };
}

/** Sizes after the data: with or without a signature, in 4 or 8 bytes each. */
async function endOfDescriptor(
  file: FileHandle,
  entry: ZipEntry,
  at: { readonly dataEnd: number; readonly isLong: boolean },
): Promise<number> {
  const bytes = await readAt(file, at.dataEnd, at.isLong ? 24 : 16);
  const skipped = bytes.readUInt32LE(0) === DESCRIPTOR ? 4 : 0;
  const crc = bytes.readUInt32LE(skipped);
  const [packedBytes, sizeBytes] = at.isLong
    ? [exact(bytes.readBigUInt64LE(skipped + 4)), exact(bytes.readBigUInt64LE(skipped + 12))]
    : [bytes.readUInt32LE(skipped + 4), bytes.readUInt32LE(skipped + 8)];
  if (crc !== entry.crc32 || packedBytes !== entry.packedBytes || sizeBytes !== entry.sizeBytes) {
    throw new ZipError(`what follows ${JSON.stringify(entry.name)} differs from the directory`);
  }
  return at.dataEnd + skipped + (at.isLong ? 20 : 12);
}

/** No byte belongs to two members, or to a member and the directory: that is how bombs are made. */
function checkOverlaps(places: readonly Place[], directoryAt: number): void {
  const inOrder = [...places].sort((a, b) => a.from - b.from);
  for (const [i, { name, to }] of inOrder.entries()) {
    const next = inOrder[i + 1];
    if (to > (next?.from ?? directoryAt)) {
      throw new ZipError(
        `its member ${JSON.stringify(name)} overlaps ${next === undefined ? 'the directory' : JSON.stringify(next.name)}`,
      );
    }
  }
}

async function* contentOf(file: FileHandle, entry: ZipEntry, place: Place): AsyncGenerator<Buffer> {
  const problem = (what: string): ZipError => new ZipError(`its member ${JSON.stringify(entry.name)} ${what}`);
  let sizeBytes = 0;
  let crc = 0;
  const blocks = entry.method === STORED ? packed(file, entry, place) : inflated(file, { entry, place, problem });
  for await (const block of blocks) {
    sizeBytes += block.length;
    if (sizeBytes > entry.sizeBytes) throw problem('holds more than it announces');
    crc = crc32(block, crc);
    yield block;
  }
  if (sizeBytes !== entry.sizeBytes) throw problem('holds less than it announces');
  if (crc !== entry.crc32) throw problem('has another CRC than it should');
}

async function* packed(file: FileHandle, entry: ZipEntry, place: Place): AsyncGenerator<Buffer> {
  for (let done = 0; done < entry.packedBytes; done += READ_BYTES) {
    yield await readAt(file, place.dataAt + done, Math.min(READ_BYTES, entry.packedBytes - done));
  }
}

async function* inflated(
  file: FileHandle,
  member: { readonly entry: ZipEntry; readonly place: Place; readonly problem: (what: string) => ZipError },
): AsyncGenerator<Buffer> {
  const { entry, place, problem } = member;
  const inflate = createInflateRaw({ chunkSize: READ_BYTES });
  const feeding = (async () => {
    for await (const block of packed(file, entry, place)) {
      if (inflate.destroyed || inflate.writableEnded) return;
      if (!inflate.write(block))
        await new Promise<void>((resume) => void inflate.once('drain', resume).once('close', resume));
    }
    inflate.end();
  })().catch((thrown: unknown) => {
    inflate.destroy(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
  });
  try {
    for await (const block of inflate) yield Buffer.isBuffer(block) ? block : Buffer.from(String(block));
  } catch (thrown) {
    if (thrown instanceof ZipError) throw thrown;
    throw problem(`does not inflate: ${messageOf(thrown)}`);
  } finally {
    inflate.destroy();
    await feeding;
  }
  // What deflate leaves unread is no part of the member, and nothing else.
  if (inflate.bytesWritten !== entry.packedBytes) throw problem('has bytes after its data');
}
