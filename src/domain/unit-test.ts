import type { SourceLocation } from './diagnostic.js';
import type { JsonObject, JsonValue } from './kind.js';

export type TestRow = Readonly<Record<string, JsonValue>>;

/** How rows are written where they are text. */
export const rowFormats = ['yaml', 'csv'] as const;
export type RowFormat = (typeof rowFormats)[number];

/** Rows, a query that gives them, or a file of the project that holds them. */
export type TestRows =
  | { readonly type: 'rows'; readonly rows: readonly TestRow[] }
  | { readonly type: 'query'; readonly sql: string }
  | { readonly type: 'stored'; readonly path: string; readonly format: RowFormat };

/** A table that a test gives. */
export interface TestInput {
  readonly rows: TestRows;
  /** Types of columns, where they are not those of the project. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface ExpectedRows {
  readonly rows: TestRows;
  /** Compare only the columns that the expected rows name. */
  readonly isPartial: boolean;
}

/** A test of one model's query: given these tables, it gives these rows. Data of the lake plays no part. */
export interface UnitTest {
  readonly name: string;
  readonly location: SourceLocation;
  /** `schema.table`. */
  readonly model: string;
  readonly description: string;
  /** By upstream table. Tables that are not named are empty. */
  readonly inputs: Readonly<Record<string, TestInput>>;
  /** Of the whole query; undefined where only CTEs are compared. */
  readonly expected: ExpectedRows | undefined;
  /** By the CTE's name as written. */
  readonly ctes: Readonly<Record<string, ExpectedRows>>;
  /** `start`, `end`, `execution_time`, and variables of the configuration. */
  readonly variables: JsonObject;
}
