import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Diagnostic } from '../../src/domain/diagnostic.js';
import type { Source } from '../../src/domain/model.js';
import { files } from '../../src/effects/files.js';
import { land } from '../../src/ingest/land.js';
import type { LandEffects, Landing } from '../../src/ingest/landing.js';
import { parseSourceFile } from '../../src/parse/source-file.js';
import { errorsOf, succeeded, textFile } from '../support/project-text.js';

/** One project folder in which sources land, with what it takes to look at them. */
export class LandRig {
  readonly folder: string;
  readonly waits: number[] = [];
  environment: Record<string, string> = {};
  now = new Date('2024-01-10T00:00:00Z');

  constructor(parent: string) {
    this.folder = fs.mkdtempSync(path.join(parent, 'project-'));
  }

  source(properties: string): Source {
    const [source] = succeeded(parseSourceFile(textFile(`SOURCE (name studies, ${properties});`, 'sources/s.sql')));
    if (source === undefined) throw new Error('there is no source');
    return source;
  }

  get effects(): LandEffects {
    return {
      files,
      projectFolder: this.folder,
      cacheFolder: path.join(this.folder, '.scilake/cache'),
      environment: this.environment,
      now: () => this.now,
      sleep: async (ms) => {
        this.waits.push(ms);
      },
    };
  }

  async land(properties: string, more: Partial<LandEffects> = {}): Promise<Landing> {
    return succeeded(await land(this.source(properties), { ...this.effects, ...more }));
  }

  async errors(properties: string, more: Partial<LandEffects> = {}): Promise<readonly Diagnostic[]> {
    return errorsOf(await land(this.source(properties), { ...this.effects, ...more }));
  }

  /** Code and message of what must be the only error. */
  async error(properties: string): Promise<string> {
    const errors = await this.errors(properties);
    if (errors.length !== 1) throw new Error(`there are ${errors.length} errors`);
    return `${errors[0]?.code} ${errors[0]?.message}`;
  }

  /** All that is kept of sources, as text: nothing secret may be in it. */
  kept(): string {
    const below = path.join(this.folder, '.scilake');
    return fs
      .readdirSync(below, { recursive: true, withFileTypes: true })
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return `${file}\n${entry.isFile() ? fs.readFileSync(file, 'utf8') : ''}`;
      })
      .join('\n');
  }
}

/** The lines of each file of a landing, in the order of their names. */
export function linesOf({ path: at }: Landing): readonly (readonly string[])[] {
  const lines = (file: string): readonly string[] => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return files.facts(at)?.isDirectory === true ? files.list(at).map((name) => lines(path.join(at, name))) : [lines(at)];
}
