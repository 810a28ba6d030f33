import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { isRecord, textAt } from '../domain/json.js';

/** A file of a set, as it was landed. */
export interface SetEntry {
  /** As the place spells it. */
  readonly name: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Where it was fetched from, and when (ISO, UTC); left out for what was not fetched. */
  readonly url?: string;
  readonly fetchedAt?: string;
}

/** By the bytes of UTF-8, which is the order that object stores list in; JavaScript compares other units. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The entries of a listing, one line each, from front to back; none where there is none, or it is torn from there on. */
export async function* readListing(file: string): AsyncGenerator<SetEntry> {
  if (!fs.existsSync(file)) return;
  const stream = fs.createReadStream(file, 'utf8');
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      const entry = entryOf(line);
      if (entry === undefined) return;
      yield entry;
    }
  } finally {
    stream.destroy();
  }
}

function entryOf(line: string): SetEntry | undefined {
  try {
    const kept: unknown = JSON.parse(line);
    if (!isRecord(kept) || !/^[0-9a-f]{64}$/.test(textAt(kept, 'sha256'))) return undefined;
    const { name, version, sha256 } = {
      name: textAt(kept, 'name'),
      version: textAt(kept, 'version'),
      sha256: textAt(kept, 'sha256'),
    };
    const [url, fetchedAt] = [textAt(kept, 'url'), textAt(kept, 'fetchedAt')];
    return {
      name,
      version,
      sizeBytes: Number(kept.sizeBytes),
      sha256,
      ...(url === '' ? {} : { url }),
      ...(fetchedAt === '' ? {} : { fetchedAt }),
    };
  } catch {
    return undefined;
  }
}

/** Writes a listing entry by entry, beside the one that it will replace. */
export class ListingWriter {
  readonly file: string;
  readonly #target: string;
  readonly #handle: number;
  #held: string[] = [];
  #last: string | undefined;
  #isOrdered = true;

  constructor(target: string) {
    this.#target = target;
    this.file = `${target}.${randomBytes(4).toString('hex')}.part`;
    fs.mkdirSync(path.dirname(target), { recursive: true });
    this.#handle = fs.openSync(this.file, 'w');
  }

  write(entry: SetEntry): void {
    if (this.#last !== undefined && compareNames(this.#last, entry.name) >= 0) this.#isOrdered = false;
    this.#last = entry.name;
    this.#held.push(`${JSON.stringify(entry)}\n`);
    if (this.#held.length >= 1000) this.#flush();
  }

  /** Nothing more comes. Of a place that keeps no order the entries are ordered now, each name once. */
  async close(): Promise<void> {
    this.#flush();
    fs.closeSync(this.#handle);
    if (this.#isOrdered) return;
    const entries = new Map<string, SetEntry>();
    for await (const entry of readListing(this.file)) entries.set(entry.name, entry);
    const ordered = [...entries.values()].sort((a, b) => compareNames(a.name, b.name));
    fs.writeFileSync(this.file, ordered.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  /** Puts it in the place of the one before. */
  publish(): void {
    fs.renameSync(this.file, this.#target);
  }

  /** Leaves the one before as it is. */
  drop(): void {
    fs.rmSync(this.file, { force: true });
  }

  #flush(): void {
    fs.writeSync(this.#handle, this.#held.join(''));
    this.#held = [];
  }
}

/** Looks names up in an ordered listing while an ordered stream of names passes by: each is read once, none is held. */
export class ListingReader {
  readonly #entries: AsyncGenerator<SetEntry>;
  #next: SetEntry | undefined;
  #hasBegun = false;

  constructor(file: string) {
    this.#entries = readListing(file);
  }

  /** Undefined where it is not in the listing, or names are asked for out of order. */
  async find(name: string): Promise<SetEntry | undefined> {
    if (!this.#hasBegun) await this.#advance();
    while (this.#next !== undefined && compareNames(this.#next.name, name) < 0) await this.#advance();
    return this.#next?.name === name ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#entries.return(undefined);
  }

  async #advance(): Promise<void> {
    this.#hasBegun = true;
    const read = await this.#entries.next();
    this.#next = read.done === true ? undefined : read.value;
  }
}
