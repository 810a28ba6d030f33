import type { Result } from '../../domain/diagnostic.js';
import type { Source } from '../../domain/model.js';
import type { Files } from '../../effects/files.js';
import type { Http } from '../../effects/http.js';

export interface ConnectorEffects {
  readonly files: Files;
  /** Absolute path of the project. */
  readonly projectFolder: string;
  /** Where something else than the network has to answer. */
  readonly http?: Http;
  /** Where nobody wants to wait. */
  readonly sleep?: (ms: number) => Promise<void>;
  readonly progress?: (done: number, total: number) => void;
}

/** A raw file on this machine, as it was landed. */
export interface LandedFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Reaches one kind of place that data come from. Adding one is a file, its test, and a line in `index.ts`. */
export interface Connector {
  readonly name: string;
  /** URI schemes, without the colon; the empty one is a plain path. */
  readonly schemes: readonly string[];
  /** Brings the file to this machine, or finds it there. The checksum is the caller's business. */
  land(source: Source, effects: ConnectorEffects): Promise<Result<LandedFile>>;
}
