import type { Column } from './column.js';
import type { Interval } from './interval.js';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** What to do when a forward-only change would lose or add columns of the table in place. */
export type OnSchemaChange = 'error' | 'warn' | 'allow' | 'ignore';

/**
 * How the rows of a model come to be: one object per model, made by the kind's own file in `kinds/`. Nothing else in the
 * house asks for a kind's name to decide something.
 */
export interface ModelKind {
  /** As the header names it: `FULL`, `INCREMENTAL_BY_TIME_RANGE`. */
  readonly name: string;
  /** Properties that change rows: a difference is breaking, because readers see other rows. */
  readonly rowProperties: JsonObject;
  /** Properties that change nothing that a reader sees. */
  readonly metadataProperties: JsonObject;
  /** `table`: rows of its own; `view`: its query over its parents; `inline`: no object, its text serves inside its readers; `outside`: a table that somebody else keeps. */
  readonly storage: 'table' | 'view' | 'inline' | 'outside';
  /** `intervals`: rows of one interval can be made without the others; `whole`: all rows are made again; `once`: loaded once per version. */
  readonly history: 'intervals' | 'whole' | 'once';
  /** Units before each missing interval that are built again. */
  readonly lookback: number;
  /** Intervals that one statement may build; undefined: all at once. */
  readonly batchSize?: number;
  /** A change keeps the table and applies to what is built from then on. */
  readonly forwardOnly: boolean;
  /** False where a restatement would lose rows that cannot be made again. */
  readonly restatable: boolean;
  /** `run` restates its last intervals (all of them when left out) whenever this cron has ticked. */
  readonly autoRestatement?: { readonly cron: string; readonly intervals?: number };
  readonly onDestructiveChange: OnSchemaChange;
  readonly onAdditiveChange: OnSchemaChange;
  /** The column that says to which interval a row belongs. */
  readonly timeColumn?: string;
  /** A restatement makes all rows again, whatever range is asked for: nothing knows which rows belong to which interval. */
  readonly restatesWhole?: true;
  /** It cannot do without `partitioned_by`. */
  readonly needsPartitions?: true;
  /** Columns that the fill adds to those of the query. */
  readonly addedColumns?: readonly Column[];
  /** For CUSTOM: the function of the project that gives the statements of `fill`. */
  readonly materialization?: { readonly name: string; readonly properties: Readonly<Record<string, string>> };
  /** Its fill gets what changed in its parent since it was read last, in place of the whole. */
  readonly readsChanges?: true;
  /** Its fill loads into the temporary table first. */
  readonly usesStaging?: true;
  /** The SQL that puts the rows of one interval into the table. */
  fill(request: FillRequest): readonly FillStatement[];
  /** For `once`: the file, relative to the model's own, that holds the rows. */
  readonly seed?: SeedFile;
}

export interface SeedFile {
  readonly path: string;
  /** Options of DuckDB's CSV reader, by its own names. */
  readonly csvOptions: Readonly<Record<string, string | readonly string[]>>;
  /** What DuckDB's reader has no option for: the file is then rewritten before it is read. */
  readonly layout?: {
    readonly skipsBlanks: boolean;
    /** One character that ends a line. */
    readonly lineEnd?: string;
    /** Texts that stand for a missing value, by lower-case column. */
    readonly nulls: Readonly<Record<string, readonly string[]>>;
  };
}

export interface FillRequest {
  /** The physical table, quoted and qualified. */
  readonly target: string;
  /** A temporary table's name that is free, quoted; whoever runs the statements drops it afterwards. */
  readonly staging: string;
  /** Columns of the table, after the type guard. */
  readonly columns: readonly Column[];
  /** A SELECT that gives these columns in this order; macros are rendered, names resolve in the run catalog. */
  readonly query: string;
  readonly interval: Interval;
  /** True when the table has no rows yet: what is to be replaced need not be deleted first. */
  readonly isEmpty: boolean;
  /** Expressions over the table's columns, as the header gives them. */
  readonly partitionedBy: readonly string[];
  /** For a kind that reads changes: tables with what the query gives of rows that are gone, and of rows that have come. */
  readonly changes?: { readonly removed: string; readonly added: string };
  /** ms UTC: when the plan says that it runs. */
  readonly executionTime: number;
}

/** One statement of a fill, in order, within one transaction. */
export type FillStatement =
  | { readonly type: 'write'; readonly sql: string; readonly countsRows: boolean }
  /** A query that must give no rows; `message` says what it means when it does. */
  | {
      readonly type: 'check';
      readonly sql: string;
      readonly code: `SL${string}`;
      readonly message: string;
      readonly hint: string;
    };
