import * as path from 'node:path';
import { type LakeEffects, LakeOpener } from './catalog/lake-session.js';
import type { ConverterOf } from './convert/converter.js';
import type { Emit } from './domain/event.js';
import type { Git } from './effects/git.js';
import type { OpenSqlite } from './effects/sqlite.js';

/** Everything outside that the line touches, handed in by whoever starts it. */
export interface Outside extends Omit<LakeEffects, 'announce'> {
  readonly emit: Emit;
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

/** One project on this machine. */
export interface Workspace {
  /** Absolute. */
  readonly projectFolder: string;
  readonly outside: Outside;
  readonly lakes: LakeOpener;
}

export function openWorkspace(projectFolder: string, outside: Outside): Workspace {
  const announce = (detail: string): void => outside.emit({ type: 'loading', what: 'extension', detail });
  return { projectFolder: path.resolve(projectFolder), outside, lakes: new LakeOpener({ ...outside, announce }) };
}
