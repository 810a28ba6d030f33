import type { SourceLocation } from './diagnostic.js';
import type { JsonValue } from './kind.js';

export type TestRow = Readonly<Record<string, JsonValue>>;

/** Rows, or a query that gives them. */
export type TestRows =
  | { readonly type: 'rows'; readonly rows: readonly TestRow[] }
  | { readonly type: 'query'; readonly sql: string };

/** A test of one model's query: given these tables, it gives these rows. Data of the lake plays no part. */
export interface UnitTest {
  readonly name: string;
  readonly location: SourceLocation;
  /** `schema.table`. */
  readonly model: string;
  readonly description: string;
  /** By upstream table. Tables that are not named are empty. */
  readonly inputs: Readonly<Record<string, TestRows>>;
  readonly expected: TestRows;
  /** Compare only the columns that the expected rows name. */
  readonly isPartial: boolean;
  /** `start`, `end`, `execution_time`, and variables of the configuration. */
  readonly variables: Readonly<Record<string, string | number | boolean>>;
}
