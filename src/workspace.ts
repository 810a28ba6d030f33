import * as path from 'node:path';
import { type LakeEffects, LakeOpener } from './catalog/lake-session.js';
import type { ConverterOf } from './convert/converter.js';
import type { Emit } from './domain/event.js';
import type { PinOf } from './domain/model.js';
import type { ProjectConfig } from './domain/project.js';
import type { Git } from './effects/git.js';
import type { OpenSqlite } from './effects/sqlite.js';
import { recordedPins } from './metadata/pins.js';
import { metadataPlaces } from './metadata/places.js';

/** Everything outside that the line touches, handed in by whoever starts it. */
export interface Outside extends Omit<LakeEffects, 'announce'> {
  readonly emit: Emit;
  /** How long the lake is waited for where somebody else holds it, ms. */
  readonly waitMs?: number;
  readonly elapsedMs: () => number;
  /** Converts raw files, apart from this process. */
  readonly converter: ConverterOf;
  readonly git: Git;
  readonly openSqlite: OpenSqlite;
  /** Versions of the programs that run here, for provenance. */
  readonly tools: Readonly<Record<string, string>>;
  /** Who applies, for the lake's record. */
  readonly author: string;
  /** Variables of the process, which may overrule settings. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** `Outside`, and what the project's own files say of it. */
export interface Surroundings extends Outside {
  /** Tells what was taken of addresses that move on, by provenance. */
  readonly pinsOf: (config: ProjectConfig) => PinOf;
}

/** One project on this machine. */
export interface Workspace {
  /** Absolute. */
  readonly projectFolder: string;
  readonly outside: Surroundings;
  readonly lakes: LakeOpener;
}

export function openWorkspace(projectFolder: string, outside: Outside): Workspace {
  const announce = (detail: string): void => outside.emit({ type: 'loading', what: 'extension', detail });
  const folder = path.resolve(projectFolder);
  return {
    projectFolder: folder,
    outside: { ...outside, pinsOf: (config) => recordedPins(metadataPlaces(folder, config), outside) },
    lakes: new LakeOpener({ ...outside, announce }),
  };
}
