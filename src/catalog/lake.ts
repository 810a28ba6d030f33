import type { AttachedFile } from '../effects/attached-files.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { ExtensionEffects } from '../effects/extensions.js';
import type { ProcessFacts } from '../effects/process-facts.js';

/** Where a lake is. */
export interface LakeLocation {
  /** `duckdb`: a file, one writer at a time; `postgres`: many. */
  readonly type: 'duckdb' | 'postgres';
  /** Absolute path of the DuckLake catalog file, or the address of the database, without a password. */
  readonly catalog: string;
  /** Of the tables in which PostgreSQL keeps the catalog. */
  readonly schema: string;
  /** Absolute path of the folder that holds the parquet. */
  readonly data: string;
}

export interface LakeEffects extends ExtensionEffects {
  readonly duckdb: DuckDb;
  readonly processFacts: ProcessFacts;
  readonly now: () => Date;
  /** Where nobody wants to wait. */
  readonly sleep?: (ms: number) => Promise<void>;
}

export interface LakeOptions {
  readonly mode: 'read' | 'write';
  /** DuckDB settings. */
  readonly settings: Readonly<Record<string, string>>;
  /** What relative paths in SQL start from. */
  readonly projectFolder: string;
  /** How long somebody else's lock is waited for, ms. */
  readonly waitMs?: number;
  /** One of DuckLake's snapshots, for reading the lake as it was then. */
  readonly at?: number;
  /** DuckDB files beside the lake. */
  readonly attached?: readonly AttachedFile[];
}
