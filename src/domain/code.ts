import type { Column } from './column.js';
import type { Interval } from './interval.js';

/** A row that a model written in TypeScript gives, by column name. */
export type CodeRow = Readonly<Record<string, unknown>>;

/** What a model written in TypeScript is told when it is built. */
export interface ModelCodeContext {
  /** Bounds of the interval, the end exclusive. */
  readonly start: Date;
  readonly end: Date;
  readonly executionTime: Date;
  /** Runs a query over the models and sources of the project, by their names. 64-bit integers and decimals come as text. */
  query(sql: string): Promise<readonly CodeRow[]>;
  /** A variable of the configuration, as SQL text. */
  variable(name: string): string | undefined;
}

/** SQL to be run, or rows. */
export type ModelCodeResult = string | Iterable<CodeRow> | AsyncIterable<CodeRow>;

/** The body of a model written in TypeScript. */
export interface ModelCode {
  /** Hash of its bundle. */
  readonly hash: string;
  run(context: ModelCodeContext): Promise<ModelCodeResult>;
}

/** What a materialization written in TypeScript fills a table from. */
export interface MaterializationRequest {
  /** The physical table, quoted and qualified. */
  readonly target: string;
  /** Name of a temporary table that is free, quoted. */
  readonly staging: string;
  readonly columns: readonly Column[];
  /** A SELECT that gives these columns. */
  readonly query: string;
  readonly start: Date;
  readonly end: Date;
  readonly isEmpty: boolean;
  readonly properties: Readonly<Record<string, string>>;
}

/** Gives the statements, in their order; they run in one transaction. */
export type Materialization = (request: MaterializationRequest) => string | readonly string[];

/** Says which of the intervals are ready: all, none, or some. */
export type Signal = (
  intervals: readonly Interval[],
  given: Readonly<Record<string, string>>,
) => boolean | readonly Interval[] | Promise<boolean | readonly Interval[]>;

/** A signal that a model waits for, with its arguments as SQL text. */
export interface SignalCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
}
