import type { OracleName } from './oracles.js';

/** One damaged file that a worker has to convert. */
export interface Job {
  readonly file: string;
  /** Folder of its own for this job, empty. */
  readonly place: string;
  readonly format: string;
  readonly oracle: OracleName;
  /** The undamaged content, where the oracle needs it. */
  readonly original: string;
}

/** What became of it. */
export type Outcome =
  | { readonly kind: 'refused'; readonly code: string; readonly rssBytes: number }
  /** `checked`: whether another reader was asked, and agreed. */
  | { readonly kind: 'converted'; readonly checked: boolean; readonly rssBytes: number }
  /** Something that must not be. */
  | { readonly kind: 'wrong'; readonly message: string; readonly rssBytes: number };
