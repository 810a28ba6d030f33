import type { Interval } from './interval.js';
import type { TableName } from './names.js';
import type { Plan } from './plan.js';
import type { Environment, LakeState, Snapshot } from './snapshot.js';

/** A moment of an environment, as the lake remembers it. */
export interface Past {
  readonly environment: Environment;
  /** By fingerprint. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly built: ReadonlyMap<string, readonly Interval[]>;
  /** DuckLake's snapshot of that moment. */
  readonly snapshotId: number;
}

/** What the lake has now. */
export interface Present {
  readonly state: LakeState;
  /** `schema.table` of every table and view. */
  readonly tables: ReadonlySet<string>;
  /** Of those whose rows or columns are others than at that moment. */
  readonly changed: ReadonlySet<string>;
}

/** A table whose rows have changed in place since then: they are copied from the moment into a table of their own. */
export interface RestoredTable {
  readonly snapshot: Snapshot;
  readonly from: TableName;
  readonly version: string;
  readonly built: readonly Interval[];
}

/** A view that reads restored tables: the same text over their new names. */
export interface RestoredView {
  readonly snapshot: Snapshot;
  readonly from: TableName;
  readonly version: string;
}

export interface RollbackPlan {
  readonly plan: Plan;
  readonly backTo: number;
  readonly snapshotId: number;
  readonly tables: readonly RestoredTable[];
  /** Parents first. */
  readonly views: readonly RestoredView[];
  /** Physical tables that others stand for now: models of one query share the end of their names, so schemas count. */
  readonly renamed: readonly { readonly from: TableName; readonly to: TableName }[];
}
