import type { ApiDeclaration } from './api/declaration.js';
import type { ModelCode, SignalCall } from './code.js';
import type { Column } from './column.js';
import type { Contract } from './contract.js';
import type { Cron } from './cron.js';
import type { SourceLocation } from './diagnostic.js';
import type { Freshness } from './freshness.js';
import type { IntervalUnit } from './interval.js';
import type { JsonValue, ModelKind } from './kind.js';
import type { Span, TextFile } from './location.js';
import type { TableName } from './names.js';

/** One SQL statement of a file, by its place. */
export interface SqlText {
  readonly file: TextFile;
  readonly span: Span;
  /** The statement without its semicolon; a Jinja block with its marks. */
  readonly text: string;
  /** The template of a Jinja block, which is rendered before macros are. */
  readonly jinja?: string;
  /** The text is not its author's, but a translation of it: places in it mean the statement. */
  readonly isTranslated?: boolean;
}

/** An audit that a model asks for, with its arguments as SQL text. */
export interface AuditCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, AuditArgument>>;
  readonly location: SourceLocation;
}

/** A list (`columns := (a, b)`) or a single piece of SQL (`threshold := 10`). */
export type AuditArgument = string | readonly string[];

/** A query that must return no rows. */
export interface Audit {
  readonly name: string;
  /** Default arguments. */
  readonly defaults: Readonly<Record<string, AuditArgument>>;
  /** A blocking audit that finds rows keeps them from becoming visible. */
  readonly blocking: boolean;
  readonly skip: boolean;
  readonly description: string;
  /** Set for an audit that belongs to no model. */
  readonly standalone?: StandaloneAudit;
  /** `@DEF(…)` statements in front of its query. */
  readonly definitions: readonly SqlText[];
  readonly query: SqlText;
  readonly location: SourceLocation;
}

/** An audit that is a node of the graph by itself: it runs once what it reads is built, and when its cron is due. */
export interface StandaloneAudit {
  readonly cron: Cron;
  /** Beyond what its query shows. */
  readonly dependsOn: readonly DeclaredName[];
}

/** A table that the project wants: its query and how its rows come to be. */
export interface Model {
  readonly name: TableName;
  /** `tableKey(name)`. */
  readonly key: string;
  readonly location: SourceLocation;
  readonly file: TextFile;
  readonly kind: ModelKind;
  /** SQL dialect of its statements, where they are not written in DuckDB's. */
  readonly dialect?: string;
  /** An EXTERNAL table in an attached DuckDB file: the name under which that is attached. In the lake when left out. */
  readonly catalog?: string;
  /** Undefined for seeds, external models and those written in TypeScript. */
  readonly query?: SqlText;
  /** A model written in TypeScript. */
  readonly code?: ModelCode;
  /** What its intervals wait for. */
  readonly signals: readonly SignalCall[];
  readonly preStatements: readonly SqlText[];
  readonly postStatements: readonly SqlText[];
  readonly onVirtualUpdate: readonly SqlText[];
  /** `@DEF(…)` statements of the file, in their order. */
  readonly definitions: readonly SqlText[];
  /** Variables of the blueprint that this model was made from, as SQL, by lower-case name. */
  readonly blueprint: Readonly<Record<string, string>>;
  readonly cron: Cron;
  readonly intervalUnit: IntervalUnit;
  /** As written; resolved against the time of the plan. */
  readonly start?: string;
  readonly end?: string;
  readonly allowPartials: boolean;
  /** Empty unless declared; the promise is checked against the query. */
  readonly declaredColumns: readonly Column[];
  readonly columnDescriptions: Readonly<Record<string, string>>;
  /** Old names of columns by their new ones, lower case: a table that is kept renames them. */
  readonly renamedColumns: Readonly<Record<string, string>>;
  readonly grains: readonly (readonly string[])[];
  readonly audits: readonly AuditCall[];
  /** Audits written in the model's own file. */
  readonly inlineAudits: readonly Audit[];
  /** Declared parents beyond those that the query shows. */
  readonly dependsOn: readonly DeclaredName[];
  /** Declared sources; undefined when the header does not say, and then not checked. */
  readonly declaredSources?: readonly DeclaredName[];
  /** SQL expressions. */
  readonly partitionedBy: readonly string[];
  readonly clusteredBy: readonly string[];
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  /** Changed by hand to force a rebuild. */
  readonly stamp?: string;
  /** Header properties that only other engines or later stages read; they count as metadata. */
  readonly otherProperties: Readonly<Record<string, JsonValue>>;
}

export interface DeclaredName {
  readonly key: string;
  readonly location: SourceLocation;
}

/** Raw data that the project declares: where it is, and under which terms. */
export interface Source {
  /** Becomes a schema, with one table per element of the file. */
  readonly name: string;
  readonly location: SourceLocation;
  readonly file: TextFile;
  readonly uri: string;
  readonly uriLocation: SourceLocation;
  readonly format?: string;
  readonly formatOptions: Readonly<Record<string, string>>;
  /** `sha256:` and 64 hex digits, or `md5:` and 32; checked before anything is converted. */
  readonly checksum?: string;
  readonly checksumLocation?: SourceLocation;
  readonly doi: string;
  readonly accession: string;
  readonly license: string;
  readonly citation: string;
  readonly homepage: string;
  readonly description: string;
  /** What happens when its tables, columns or types change. */
  readonly contract: Contract;
  /** How old it may be; undefined: any age will do. */
  readonly freshness?: Freshness;
  /** Set where its address is an interface that answers page by page. */
  readonly api?: ApiDeclaration;
  /** How long what came the last time is taken without asking. */
  readonly refresh: Refresh;
  /** How long a program may run that brings it, ms; undefined: as long as it takes. */
  readonly timeoutMs?: number;
}

/** The version that was taken of a source whose address moves on. */
export interface Pin {
  readonly resolved: string;
  /** When it was known to be that one: ISO, UTC. */
  readonly at: string;
}

/** What provenance says was taken of a source last; undefined where nothing was. */
export type PinOf = (source: Pick<Source, 'name' | 'uri'>) => Pin | undefined;

/** How long what came the last time is taken without asking: not at all, for ever, or for so many ms. */
export type Refresh = 'always' | 'never' | { readonly afterMs: number };
