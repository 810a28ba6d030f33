import * as path from 'node:path';
import { digest } from '../domain/digest.js';
import { textAt } from '../domain/json.js';
import type { Files } from '../effects/files.js';
import { keptRecord } from './kept-record.js';

/** What is known of the last good download of an address. */
export interface LandedRecord {
  readonly url: string;
  /** After redirects, without credentials. */
  readonly finalUrl: string;
  readonly etag: string;
  readonly lastModified: string;
  /** What the place called this version; empty where it does not say. */
  readonly version: string;
  readonly sizeBytes: number;
  /** Lower-case hex; names the file in the store. */
  readonly sha256: string;
  readonly fileName: string;
  /** ISO, UTC. */
  readonly fetchedAt: string;
}

/** A download under way: what its `.part` is the beginning of. */
export interface PartRecord {
  readonly etag: string;
  readonly lastModified: string;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
}

/**
 * Raw files by content (`sha256/ab/…`), with a link of a readable name for each address, and what is known of each address.
 * A file gets its place in the store by being renamed into it, complete and checked.
 */
export class RawStore {
  readonly #folder: string;
  readonly #files: Files;

  constructor(folder: string, files: Files) {
    this.#folder = folder;
    this.#files = files;
  }

  get folder(): string {
    return this.#folder;
  }

  /** Makes the folder in which downloads grow. */
  prepare(): void {
    this.#files.makeFolder(path.join(this.#folder, 'state'));
  }

  /** Undefined where nothing of this address is here whole. */
  landed(url: string): LandedRecord | undefined {
    const kept = keptRecord(this.#state(url, 'landed.json'), this.#files);
    if (kept === undefined || textAt(kept, 'url') !== url) return undefined;
    const record: LandedRecord = {
      url,
      finalUrl: textAt(kept, 'finalUrl'),
      etag: textAt(kept, 'etag'),
      lastModified: textAt(kept, 'lastModified'),
      version: textAt(kept, 'version'),
      sizeBytes: Number(kept.sizeBytes),
      sha256: textAt(kept, 'sha256'),
      fileName: textAt(kept, 'fileName'),
      fetchedAt: textAt(kept, 'fetchedAt'),
    };
    return this.#files.facts(this.stored(record.sha256))?.sizeBytes === record.sizeBytes ? record : undefined;
  }

  /** Where the `.part` of an address grows. */
  partFile(url: string): string {
    return this.#state(url, 'part');
  }

  part(url: string): PartRecord | undefined {
    const kept = keptRecord(this.#state(url, 'part.json'), this.#files);
    if (kept === undefined || this.#files.facts(this.partFile(url)) === undefined) return undefined;
    const total = kept.totalBytes;
    return {
      etag: textAt(kept, 'etag'),
      lastModified: textAt(kept, 'lastModified'),
      totalBytes: typeof total === 'number' ? total : undefined,
    };
  }

  keepPart(url: string, part: PartRecord): void {
    this.#files.writeCache(this.#state(url, 'part.json'), JSON.stringify(part));
  }

  dropPart(url: string): void {
    this.#files.remove(this.partFile(url));
    this.#files.remove(this.#state(url, 'part.json'));
  }

  /** Takes a complete `.part` into the store. */
  keep(record: LandedRecord): void {
    this.take(this.partFile(record.url), record.sha256);
    this.renew(record);
    const kept = this.#state(record.url, 'part.json');
    if (this.#files.facts(kept) !== undefined) this.#files.remove(kept);
  }

  /** Moves a complete file of this disk into the store. */
  take(file: string, sha256: string): void {
    const stored = this.stored(sha256);
    if (this.#files.facts(stored) !== undefined) this.#files.remove(file);
    else {
      this.#files.makeFolder(path.dirname(stored));
      this.#files.rename(file, stored);
    }
  }

  /** Gives a stored file a readable name. @returns its path */
  named({ url, sha256, fileName }: Pick<LandedRecord, 'url' | 'sha256' | 'fileName'>): string {
    const link = path.join(this.#folder, 'files', `${digest(url).slice(0, 8)}-${sha256.slice(0, 8)}`, fileName);
    if (this.#files.facts(link) === undefined) {
      this.#files.makeFolder(path.dirname(link));
      this.#files.linkOrCopy(this.stored(sha256), link);
    }
    return link;
  }

  /** What is known of a file that is here already. */
  renew(record: LandedRecord): void {
    this.#files.writeCache(this.#state(record.url, 'landed.json'), `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Where the file of a content is, if it is here. */
  stored(sha256: string): string {
    return path.join(this.#folder, 'sha256', sha256.slice(0, 2), sha256);
  }

  /** Puts what is not what was promised aside, for a look at it. @returns where */
  quarantine(url: string, fileName: string): string {
    const target = path.join(this.#folder, 'quarantine', `${digest(url).slice(0, 8)}-${fileName}`);
    this.#files.makeFolder(path.dirname(target));
    this.#files.remove(target);
    this.#files.rename(this.partFile(url), target);
    this.dropPart(url);
    return target;
  }

  #state(url: string, ending: string): string {
    return path.join(this.#folder, 'state', `${digest(url).slice(0, 24)}.${ending}`);
  }
}

/** A name for a file on any system: the last part of an address, without what a path or a shell could make of it. */
export function safeFileName(address: URL): string {
  const last = address.pathname.split('/').findLast((part) => part !== '') ?? '';
  let decoded = last;
  try {
    decoded = decodeURIComponent(last);
  } catch {
    // Not percent-encoding after all.
  }
  const safe = decoded
    .replace(/[^\p{L}\p{N}._+-]+/gu, '_')
    .replace(/^[.\-_]+/, '')
    .slice(-120);
  return safe === '' ? 'download' : safe;
}
