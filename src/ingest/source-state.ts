import * as path from 'node:path';
import { digest } from '../domain/digest.js';
import { isRecord, type JsonRecord, textAt } from '../domain/json.js';
import type { Pin, Source } from '../domain/model.js';
import type { PlaceFacts } from '../domain/provenance.js';
import type { Files } from '../effects/files.js';
import { keptRecord } from './kept-record.js';
import type { Landing } from './landing.js';

/** What a source landed the last time that all of it came. */
export interface LastLanding extends Landing {
  /** ISO, UTC. */
  readonly landedAt: string;
}

/** What is kept of a source as it is declared at present: of another address, or another question, nothing holds. */
export class SourceState {
  readonly #folder: string;
  readonly #raw: string;
  readonly #files: Files;

  constructor(rawFolder: string, source: Source, files: Files) {
    this.#raw = rawFolder;
    this.#folder = path.join(rawFolder, 'sources', `${source.name}-${keyOf(source)}`);
    this.#files = files;
  }

  get listing(): string {
    return path.join(this.#folder, 'listing.jsonl');
  }

  /** What a program wants to know again the next time. */
  get programState(): string {
    return path.join(this.#folder, 'state.json');
  }

  /** Undefined where nothing has landed yet, or it is not here any more. */
  last(): LastLanding | undefined {
    const kept = keptRecord(this.#file(), this.#files);
    if (kept === undefined || textAt(kept, 'path') === '') return undefined;
    const landed = path.join(this.#raw, textAt(kept, 'path'));
    if (this.#files.facts(landed) === undefined) return undefined;
    return {
      path: landed,
      sizeBytes: Number(kept.sizeBytes),
      sha256: textAt(kept, 'sha256'),
      landedAt: textAt(kept, 'landedAt'),
      ...withText('resolved', textAt(kept, 'resolved')),
      ...withText('fileUrl', textAt(kept, 'fileUrl')),
      ...(isRecord(kept.facts) ? { facts: factsOf(kept.facts) } : {}),
    };
  }

  /** The version that was taken the last time from an address that moves on, whether its files are here or not. */
  pin(): Pin | undefined {
    const kept = keptRecord(this.#file(), this.#files);
    if (kept === undefined || textAt(kept, 'resolved') === '') return undefined;
    return { resolved: textAt(kept, 'resolved'), at: textAt(kept, 'resolvedAt') };
  }

  /**
   * Paths are kept relative: a project may be moved.
   *
   * @param before  the pin that was followed
   */
  keep({ path: landed, ...rest }: Landing, landedAt: string, before?: Pin): void {
    const { resolved } = rest;
    // Whoever stays at a version knows nothing newer than whoever took it.
    const resolvedAt = before !== undefined && before.resolved === resolved ? before.at : landedAt;
    const kept = {
      path: path.relative(this.#raw, landed),
      ...rest,
      ...(resolved === undefined ? {} : { resolvedAt }),
      landedAt,
    };
    this.#files.writeText(this.#file(), `${JSON.stringify(kept, null, 2)}\n`);
  }

  #file(): string {
    return path.join(this.#folder, 'landing.json');
  }
}

function factsOf(kept: JsonRecord): PlaceFacts {
  return {
    ...withText('doi', textAt(kept, 'doi')),
    ...withText('conceptDoi', textAt(kept, 'conceptDoi')),
    ...withText('accession', textAt(kept, 'accession')),
    ...withText('license', textAt(kept, 'license')),
    ...withText('citation', textAt(kept, 'citation')),
    ...withText('title', textAt(kept, 'title')),
  };
}

/** A property that is left out where its text is empty. */
export function withText<K extends string>(key: K, text: string): { readonly [P in K]?: string } {
  const made: { [P in K]?: string } = {};
  if (text !== '') made[key] = text;
  return made;
}

/** All that decides which bytes come. */
function keyOf({ uri, api }: Source): string {
  return api === undefined ? digest(uri) : digest(uri, api.key);
}
