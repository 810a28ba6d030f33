import type { Interval } from './interval.js';

/** One thing that `apply` does. Models and sources stand by their key (`schema.table`, the source's name). */
export type Step =
  /** Land the raw file of a source, with its checksum. */
  | { readonly type: 'fetch'; readonly source: string; readonly uri: string }
  /** Turn the raw file into parquet. */
  | { readonly type: 'convert'; readonly source: string; readonly format: string }
  /** Register the parquet in the lake without copying a row. */
  | { readonly type: 'register'; readonly source: string; readonly version: string }
  /** Make the physical table (empty) or view of a model's version. */
  | { readonly type: 'create'; readonly model: string; readonly version: string }
  /** Change the columns of a forward-only model's table in place. */
  | {
      readonly type: 'alter';
      readonly model: string;
      readonly version: string;
      readonly adds: readonly string[];
      readonly drops: readonly string[];
      readonly renames: readonly { readonly from: string; readonly to: string }[];
      /** Fields that structs gain: names from the column on. */
      readonly fields: readonly { readonly path: readonly string[]; readonly type: string }[];
    }
  /** Fill one interval of a version; blocking audits run before it becomes visible. */
  | {
      readonly type: 'backfill';
      readonly model: string;
      readonly version: string;
      readonly interval: Interval;
      /** All rows are taken away first: the first piece of a restatement that cannot be done in part. */
      readonly replaces?: true;
    }
  /** Record an interval as built without running anything (`--empty-backfill`). */
  | { readonly type: 'record'; readonly model: string; readonly version: string; readonly interval: Interval }
  /** Run the audits of a version that is already built (their definition changed). */
  | { readonly type: 'audit'; readonly model: string; readonly version: string; readonly definition?: undefined }
  /** Run the audits of a table that somebody else keeps. `definition`: their hash. */
  | { readonly type: 'audit'; readonly model: string; readonly version: ''; readonly definition: string }
  /** Take from the record what another environment's own version holds: prod has restated it, so it has to be built again there. */
  | {
      readonly type: 'forget';
      readonly model: string;
      readonly version: string;
      readonly interval: Interval;
      /** Where that version is. */
      readonly environment: string;
      /** `builtKey` of the version. */
      readonly key: string;
    }
  /** Run an audit that stands alone. */
  | { readonly type: 'standalone'; readonly audit: string }
  /** Point the environment's views at the new versions, in one snapshot with the state. */
  | { readonly type: 'promote'; readonly environment: string; readonly models: readonly string[] }
  /** Remove views of models that are gone from the environment, in the same snapshot. */
  | { readonly type: 'demote'; readonly environment: string; readonly models: readonly string[] };

/** The model or source that a step works on; undefined for steps of the whole environment. */
export function subjectOf(step: Step): string | undefined {
  switch (step.type) {
    case 'fetch':
    case 'convert':
    case 'register':
      return step.source;
    case 'create':
    case 'alter':
    case 'backfill':
    case 'record':
    case 'forget':
    case 'audit':
      return step.model;
    case 'standalone':
      // No name of a source or of a model is like this.
      return `audit ${step.audit}`;
    case 'promote':
    case 'demote':
      return undefined;
    default:
      return step satisfies never;
  }
}
