import type { Diagnostic } from './diagnostic.js';
import type { Interval } from './interval.js';
import type { Environment, Snapshot } from './snapshot.js';
import type { Step } from './step.js';

export type Category = 'breaking' | 'non-breaking' | 'metadata' | 'undetermined';

/** How one model differs from what the environment has. */
export interface Change {
  readonly model: string;
  /** `modified`: its own file changed. `indirect`: only something upstream did. */
  readonly type: 'added' | 'removed' | 'modified' | 'indirect';
  readonly category: Category;
  readonly forwardOnly: boolean;
  /** Its existing physical table serves as it is. */
  readonly reused: boolean;
  /** The changed models upstream that reach it; empty for what only its own file changed. */
  readonly because: readonly string[];
  /** One sentence for people. */
  readonly reason: string;
  readonly columns: ColumnChanges;
}

export interface ColumnChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** A source whose data the environment does not have yet. */
export interface SourceChange {
  readonly source: string;
  readonly type: 'added' | 'modified' | 'removed';
  readonly version: string;
  readonly reason: string;
  /** What its tables gained and lost: `+ table.column TYPE`, `- table.column`, `~ table.column OLD -> NEW`. */
  readonly schema: readonly string[];
  /** What its contract leaves out of that, in the same way. */
  readonly discarded: readonly string[];
}

/** What the user asked for, beside the project itself. */
export interface PlanOptions {
  readonly environment: string;
  /** ms UTC. */
  readonly executionTime: number;
  /** True when the time was given by the user: then prod moves on to it. */
  readonly isExecutionTimeGiven: boolean;
  readonly start?: string;
  readonly end?: string;
  readonly selectModels: readonly string[];
  readonly restateModels: readonly string[];
  /** Only these are built; undefined or empty: all. */
  readonly backfillModels: readonly string[];
  /** Of `backfillModels`, only what is named, and not what it reads. */
  readonly withoutUpstream?: boolean;
  /** With `start`: at least so many intervals of each model, even those before it. */
  readonly minIntervals?: number;
  /** Files that differ from a branch or commit of git, by its name: what `git:` in a selector stands for. */
  readonly gitChanges: Readonly<Record<string, readonly string[]>>;
  readonly forwardOnly: boolean;
  /** With `forwardOnly`: prod's rows from then on are made again as well. */
  readonly effectiveFrom?: string;
  /** Models whose forward-only changes may lose or gain columns, whatever their headers say. */
  readonly allowDestructiveModels: readonly string[];
  readonly allowAdditiveModels: readonly string[];
  /** Environment that a new one starts from; prod when left out. */
  readonly createFrom?: string;
  /** What is complete counts as due, whatever cron says. */
  readonly ignoreCron: boolean;
  readonly backfill: 'normal' | 'skip' | 'empty';
  readonly noGaps: boolean;
  readonly includeUnmodified: boolean;
  /** Build what cron says is due, as `scilake run` does. */
  readonly run: boolean;
}

/** Everything that `apply` will do, as a value: built by a pure function, printed, saved, then carried out. */
export interface Plan {
  /** Hash of all that follows. */
  readonly id: string;
  readonly options: PlanOptions;
  readonly environment: string;
  /** The environment that it was compared with; undefined when there is none yet. */
  readonly basedOn?: string;
  readonly lakeSnapshot: number;
  readonly changes: readonly Change[];
  readonly sourceChanges: readonly SourceChange[];
  /** Intervals to be built, by model, merged. */
  readonly missing: Readonly<Record<string, readonly Interval[]>>;
  readonly steps: readonly Step[];
  /** What the environment will be once all steps are done. */
  readonly target: Environment;
  /** Snapshots of all models of the target, in topological order. */
  readonly snapshots: readonly Snapshot[];
  readonly warnings: readonly Diagnostic[];
}
