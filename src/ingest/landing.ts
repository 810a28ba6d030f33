import type { ConnectorEffects, PlaceFacts } from './connectors/connector.js';
import type { DownloadLimits } from './limits.js';

/** A source's raw file, or folder of files, on this machine and with a checksum that agrees with the declared one. */
export interface Landing {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hex; of a folder over the names and checksums of its files. */
  readonly sha256: string;
  /** The address that the declared one stands for at present, where it moves on. */
  readonly resolved?: string;
  /** What the place says of the files. */
  readonly facts?: PlaceFacts;
  /** What the one file is known by, where it was fetched. */
  readonly fileUrl?: string;
}

export interface LandEffects extends ConnectorEffects {
  /** Folder for what can be computed again. */
  readonly cacheFolder: string;
  /** Shared by all that is landed; those of a project without settings when left out. */
  readonly limits?: DownloadLimits;
  /** Whether a place is asked only when its source says that it is time, or in any case. */
  readonly ask?: 'when due' | 'always';
  /** Checksum of what a plan has found: where making it again could give something else, that is taken if it is here. */
  readonly planned?: string;
}
