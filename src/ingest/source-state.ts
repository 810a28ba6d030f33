import * as path from 'node:path';
import { digest } from '../domain/digest.js';
import { isRecord, textAt } from '../domain/json.js';
import type { Source } from '../domain/model.js';
import type { Files } from '../effects/files.js';
import type { Landing } from './landing.js';

/** What a source landed the last time that all of it came. */
export interface LastLanding extends Pick<Landing, 'path' | 'sizeBytes' | 'sha256'> {
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
    const file = this.#file();
    if (this.#files.facts(file) === undefined) return undefined;
    try {
      const kept: unknown = JSON.parse(this.#files.readText(file));
      if (!isRecord(kept) || textAt(kept, 'path') === '') return undefined;
      const landed = path.join(this.#raw, textAt(kept, 'path'));
      if (this.#files.facts(landed) === undefined) return undefined;
      const { sizeBytes } = kept;
      return {
        path: landed,
        sizeBytes: Number(sizeBytes),
        sha256: textAt(kept, 'sha256'),
        landedAt: textAt(kept, 'landedAt'),
      };
    } catch {
      // Torn or foreign: as if it were not there.
      return undefined;
    }
  }

  /** Paths are kept relative: a project may be moved. */
  keep({ path: landed, sizeBytes, sha256 }: Pick<Landing, 'path' | 'sizeBytes' | 'sha256'>, landedAt: string): void {
    const kept = { path: path.relative(this.#raw, landed), sizeBytes, sha256, landedAt };
    this.#files.writeText(this.#file(), `${JSON.stringify(kept, null, 2)}\n`);
  }

  #file(): string {
    return path.join(this.#folder, 'landing.json');
  }
}

/** All that decides which bytes come. */
function keyOf({ uri, api }: Source): string {
  return api === undefined ? digest(uri) : digest(uri, api.key);
}
