import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ExpansionAllowance, RawFile } from '../format.js';
import { type ArchivedFile, archiveError, MemberNames } from './members.js';

/** A file that was taken out of an archive. */
export interface Member {
  /** Inside the archive, with forward slashes. */
  readonly path: string;
  /** Absolute path of where it lies now. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What a reader of one kind of archive gives: files, and folders by their name only. */
export type ArchiveEntry =
  | { readonly type: 'file'; readonly file: ArchivedFile }
  | { readonly type: 'folder'; readonly name: string };

/**
 * Takes all files out of an archive, into numbered folders below an empty one. A member's path takes no part in where it
 * goes; of its name the letters, digits and dots stay, because the tables beside a matrix are found by them.
 *
 * @throws DiagnosticError (SL0660 damaged, SL0661 refused, SL0662 too much)
 */
export async function unpack(
  raw: RawFile,
  entries: AsyncIterable<ArchiveEntry>,
  into: { readonly folder: string; readonly allowance: ExpansionAllowance },
): Promise<readonly Member[]> {
  const { folder, allowance } = into;
  const names = new MemberNames(raw);
  const places = new Places(folder);
  const members: Member[] = [];
  for await (const entry of entries) {
    if (entry.type === 'folder') {
      names.folder(entry.name);
      continue;
    }
    const { name, sizeBytes, content } = entry.file;
    const plain = names.file(name);
    allowance.takeBytes(sizeBytes);
    const file = places.of(plain);
    const hash = createHash('sha256');
    const descriptor = fs.openSync(file, 'wx', 0o600);
    let writtenBytes = 0;
    try {
      for await (const block of content) {
        writtenBytes += block.length;
        if (writtenBytes > sizeBytes) break;
        hash.update(block);
        fs.writeSync(descriptor, block);
      }
    } finally {
      fs.closeSync(descriptor);
    }
    if (writtenBytes !== sizeBytes) {
      throw archiveError(
        raw,
        'SL0660',
        `is damaged: ${JSON.stringify(plain)} has not the ${sizeBytes} bytes it announces`,
      );
    }
    members.push({ path: plain, file, sizeBytes, sha256: hash.digest('hex') });
  }
  return members;
}

/** A member's bytes, with what goes wrong while they are read turned into a diagnostic: nobody else stands around them. */
export async function* translated(
  content: AsyncIterable<Buffer>,
  translate: (thrown: unknown) => unknown,
): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (thrown) {
    throw translate(thrown);
  }
}

const MAX_NAME_LENGTH = 100;

/** Where members go: one numbered folder for each folder of the archive. */
class Places {
  readonly #root: string;
  readonly #folders = new Map<string, { readonly folder: string; readonly taken: Set<string> }>();

  constructor(root: string) {
    this.#root = root;
  }

  of(memberPath: string): string {
    const inside = path.posix.dirname(memberPath);
    let place = this.#folders.get(inside);
    if (place === undefined) {
      place = { folder: path.join(this.#root, String(this.#folders.size + 1)), taken: new Set() };
      fs.mkdirSync(place.folder, { mode: 0o700 });
      this.#folders.set(inside, place);
    }
    const plain = plainName(path.posix.basename(memberPath));
    let name = plain;
    for (let k = 2; place.taken.has(name.toLowerCase()); k++) name = `${k}_${plain}`;
    place.taken.add(name.toLowerCase());
    return path.join(place.folder, name);
  }
}

/** A name of letters, digits, dots, dashes and underscores that hides no file; its ending stays. */
function plainName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '_');
  return plain.length <= MAX_NAME_LENGTH ? plain : `${plain.slice(0, MAX_NAME_LENGTH - 30)}${plain.slice(-30)}`;
}
