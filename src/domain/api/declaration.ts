import type { SourceLocation } from '../diagnostic.js';
import type { Auth } from './auth.js';
import type { CursorValue } from './cursor-value.js';
import type { JsonPath } from './json-path.js';
import type { Paginator } from './paginator.js';

/** An interface that answers with JSON, page by page: what a source asks it for. */
export interface ApiDeclaration {
  readonly location: SourceLocation;
  /** Where the list of records is; undefined: the answer is that list, or has one only. */
  readonly records?: JsonPath;
  /** In their order; a name may stand several times. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly paginator: Paginator;
  readonly auth?: Auth;
  readonly authLocation: SourceLocation;
  readonly incremental?: Incremental;
  /** More pages than these are an error. */
  readonly maxPages?: number;
  /** Equal where the same records are asked for: all but credentials, the lag and the limit of pages. */
  readonly key: string;
}

/** Asks for what is new only, by a value that grows. */
export interface Incremental {
  readonly cursor: JsonPath;
  /** The parameter that says from where on; undefined: the interface is asked for everything, and old records are left out here. */
  readonly param?: string;
  /** From where on the first time. */
  readonly initial?: CursorValue;
  /** How far back it is asked again: a time span, or a number for cursors that are numbers. */
  readonly lag?: string;
  /** What becomes of a record without the cursor. */
  readonly onMissing: 'raise' | 'include' | 'exclude';
  readonly location: SourceLocation;
}
