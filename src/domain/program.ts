import type { ModelCode } from './code.js';
import type { Result } from './diagnostic.js';
import type { Interval } from './interval.js';
import type { ModelKind } from './kind.js';
import type { Model } from './model.js';
import type { Threshold } from './threshold.js';

/** An audit on one table, ready to run. */
export interface AuditQuery {
  readonly name: string;
  readonly sql: string;
  /** From how many rows on it blocks; undefined: never. */
  readonly errorIf: Threshold | undefined;
  /** From how many rows on it warns, where it does not block. */
  readonly warnIf: Threshold;
  readonly location: Model['location'];
}

/** The body of a model written in TypeScript, with the variables that it sees. */
export interface ProgramCode {
  readonly run: ModelCode['run'];
  readonly variables: ReadonlyMap<string, string>;
}

/** The SQL of one model: everything that building it needs, with the author's text as it was written and its variables filled in. */
export interface ModelProgram {
  readonly kind: ModelKind;
  readonly location: Model['location'];
  /** A model written in TypeScript, which has no query of its own. */
  readonly code?: ProgramCode;
  /** A SELECT that gives the table's columns in their order and stored types; names resolve in the run catalog. */
  query(interval: Interval): Result<string>;
  /** The query as its author wrote it, variables filled in. @throws Error for a model without one */
  written(interval: Interval): Result<string>;
  /**
   * The statements around the query, or those that run once an environment's view is moved.
   *
   * @param thisModel quoted name of the physical table, or of the view, which `@this_model` stands for
   */
  statements(stage: 'before' | 'after' | 'moved', interval: Interval, thisModel: string): Result<readonly string[]>;
  /** @param thisModel quoted name of the physical table or view */
  audits(thisModel: string, interval: Interval): Result<readonly AuditQuery[]>;
  /** The query with every table name replaced, for an object that outlives the run. @param tableOf SQL for a logical name's key */
  standalone(tableOf: (key: string) => string | undefined): Result<string>;
}
