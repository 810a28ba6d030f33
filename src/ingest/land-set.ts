import { createHash } from 'node:crypto';
import * as path from 'node:path';
import type { Files } from '../effects/files.js';
import { inOrder } from './in-order.js';
import { ListingReader, ListingWriter, readListing, type SetEntry } from './set-listing.js';
import { SetPaths } from './set-paths.js';

/** A file that a set has at its place. */
export interface SetMember {
  readonly name: string;
  /** Equal where the bytes are equal; empty where the place does not say. */
  readonly version: string;
}

export interface SetRequest<M extends SetMember> {
  /** Of the source; the folder is called so. */
  readonly name: string;
  /** Where folders of links stand. */
  readonly setsFolder: string;
  /** What is known of the set's files, one line each. */
  readonly listing: string;
  readonly members: AsyncIterable<M>;
  /** How many are brought at once. */
  readonly atOnce: number;
  /** Brings one here. */
  bring(member: M): Promise<Omit<SetEntry, 'name' | 'version'>>;
  /** Whether the bytes of one that was brought are still here. */
  isHere(entry: SetEntry): boolean;
  /** Makes a name for one. */
  link(entry: SetEntry, to: string): void;
}

export interface LandedSet {
  /** Absolute path of a folder of links, whose own name is that of the source. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Over names and checksums of the files, lower-case hex. */
  readonly sha256: string;
  readonly fileCount: number;
}

/**
 * Brings the files of a set that are new or changed, and gives the set a folder of its own, named by its content: made
 * beside its place and renamed, so that it is whole or not there. Files that the place has no longer are not in it.
 *
 * The listing of the last time and that of the place are read side by side, in the order of the names: of ten thousand
 * files a few are held in memory.
 */
export async function landSet<M extends SetMember>(request: SetRequest<M>, files: Files): Promise<LandedSet> {
  const known = new ListingReader(request.listing);
  const writer = new ListingWriter(request.listing);
  const withKnown = async function* (): AsyncGenerator<{ readonly member: M; readonly entry: SetEntry | undefined }> {
    for await (const member of request.members) yield { member, entry: await known.find(member.name) };
  };
  try {
    const entries = inOrder(withKnown(), request.atOnce, async ({ member, entry }): Promise<SetEntry> => {
      const { name, version } = member;
      if (entry !== undefined && version !== '' && entry.version === version && request.isHere(entry)) return entry;
      const { sizeBytes, sha256, url, fetchedAt } = await request.bring(member);
      const from = { ...(url === undefined ? {} : { url }), ...(fetchedAt === undefined ? {} : { fetchedAt }) };
      return { name, version, sizeBytes, sha256, ...from };
    });
    try {
      for await (const entry of entries) writer.write(entry);
    } finally {
      await writer.close();
      await known.close();
    }
    const whole = await digestOf(writer.file);
    const folder = path.join(request.setsFolder, `${request.name}-${whole.sha256.slice(0, 16)}`);
    if (files.facts(folder) === undefined && whole.fileCount > 0) await linkAll(writer.file, folder, request, files);
    writer.publish();
    return { ...whole, path: path.join(folder, request.name) };
  } catch (thrown) {
    writer.drop();
    throw thrown;
  }
}

/** Size, number and checksum of all that a listing names. */
export async function digestOf(listing: string): Promise<Omit<LandedSet, 'path'>> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let fileCount = 0;
  for await (const entry of readListing(listing)) {
    hash.update(`${JSON.stringify([entry.name, entry.sha256])}\n`);
    sizeBytes += entry.sizeBytes;
    fileCount += 1;
  }
  return { sizeBytes, fileCount, sha256: hash.digest('hex') };
}

async function linkAll<M extends SetMember>(
  listing: string,
  folder: string,
  request: SetRequest<M>,
  files: Files,
): Promise<void> {
  const unfinished = files.makeTemporaryFolder(request.setsFolder, '.unfinished-');
  try {
    const paths = new SetPaths();
    const made = new Set<string>();
    for await (const entry of readListing(listing)) {
      const to = path.join(unfinished, request.name, paths.pathOf(entry.name));
      const parent = path.dirname(to);
      if (!made.has(parent)) files.makeFolder(parent);
      made.add(parent);
      request.link(entry, to);
    }
    // Another process may have been first with the same set.
    if (files.facts(folder) === undefined) files.rename(unfinished, folder);
  } finally {
    files.remove(unfinished);
  }
}
