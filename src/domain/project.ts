import type { Materialization, Signal } from './code.js';
import type { Fragment } from './fragment.js';
import type { JsonValue } from './kind.js';
import type { JinjaRenderer, MacroFunction } from './macro.js';
import type { Audit, Model, Source, SqlText } from './model.js';

/** `scilake.yaml`, validated, with defaults filled in. */
export interface ProjectConfig {
  readonly name: string;
  readonly modelDefaults: ModelDefaults;
  /**
   * Catalog file of the lake, or the address of a PostgreSQL database and the schema for its tables there; and the data
   * folder. Paths are relative to the project folder.
   */
  readonly lake: { readonly catalog: string; readonly schema: string; readonly data: string };
  /** Folder of the unit tests of models. */
  readonly tests: string;
  readonly defaultTargetEnvironment: string;
  /** Name of the gateway whose variables count; `@gateway`. */
  readonly gateway: string;
  /** Variables of the project, hidden by those of the gateway. */
  readonly variables: Readonly<Record<string, JsonValue>>;
  /** How raw files are converted; nothing in it changes what comes out. */
  readonly convert: ConvertSettings;
  readonly ingest: IngestSettings;
  readonly metadata: MetadataSettings;
  /** DuckDB settings for the process that builds models. */
  readonly settings: Readonly<Record<string, string>>;
  /** Statements before and after every plan that is applied, and every run. */
  readonly beforeAll: readonly SqlText[];
  readonly afterAll: readonly SqlText[];
  readonly audits: AuditSettings;
  readonly linter: LinterConfig;
  /** DuckDB files beside the lake, whose tables models may read. */
  readonly catalogs: readonly AttachedCatalog[];
}

/** A DuckDB file that a gateway's connection names. It is only ever read. */
export interface AttachedCatalog {
  /** As queries write it in front of a schema. */
  readonly name: string;
  /** Relative to the project folder, or absolute. */
  readonly path: string;
  /** Its tables may be named without the catalog. */
  readonly isDefault: boolean;
}

/** Under which name a file is attached: that of the default catalog stays free for the project's own tables. */
export function attachedName({ name, isDefault }: AttachedCatalog): string {
  return isDefault ? `scilake_${name}` : name;
}

export interface AuditSettings {
  /** How many of the rows that break an audit are kept in the lake. */
  readonly storeRows: number;
}

export interface LinterConfig {
  readonly enabled: boolean;
  /** Names of rules whose findings are errors, lower case; `all` for every rule. */
  readonly rules: readonly string[];
  readonly warnRules: readonly string[];
  readonly ignoredRules: readonly string[];
}

/** Where provenance is kept, and what git hears of it. */
export interface MetadataSettings {
  /** The file that git tracks, relative to the project folder. */
  readonly file: string;
  readonly git: 'commit' | 'stage' | 'leave';
}

export interface ConvertSettings {
  /** Memory for sorting one matrix; the formats' own default when left out. */
  readonly sortMemoryMb?: number;
  /** Memory of all conversions together; half of the machine's when left out. */
  readonly memoryMb?: number;
  /** Files that are converted at once; as many as memory and processors allow when left out. */
  readonly atOnce?: number;
}

/** How much may be downloaded at a time. */
export interface IngestSettings {
  /** Downloads at once, of all sources together; 4 when left out. */
  readonly atOnce?: number;
  /** Of all downloads together, MB (10^6 bytes) per second; as fast as it goes when left out. */
  readonly bandwidthMb?: number;
}

export interface ModelDefaults {
  /** May stand in front of a model's schema, and means nothing there. */
  readonly catalog?: string;
  readonly dialect: string;
  readonly start?: string;
  readonly cron: string;
  readonly kind?: string;
  readonly owner: string;
  /** Header properties as fragments, by name: for models that do not give them themselves. */
  readonly properties: Readonly<Record<string, Fragment>>;
  readonly preStatements: readonly SqlText[];
  readonly postStatements: readonly SqlText[];
  readonly onVirtualUpdate: readonly SqlText[];
}

/** Macros that every model of a project sees. */
export interface ProjectMacros {
  /** Exported by TypeScript files of `macros/`, by lower-case name. */
  readonly functions: ReadonlyMap<string, MacroFunction>;
  /** `@DEF(…)` statements of SQL files of `macros/`. */
  readonly definitions: readonly SqlText[];
  /** With the project's own Jinja macros; undefined in a project without Jinja. */
  readonly jinja?: JinjaRenderer;
}

/** Functions that a project has written for its models, by lower-case name. */
export interface ProjectFunctions {
  readonly materializations: ReadonlyMap<string, { readonly run: Materialization; readonly hash: string }>;
  readonly signals: ReadonlyMap<string, Signal>;
}

/** A project as its files say it: parsed, not yet bound to an engine. */
export interface Project {
  readonly config: ProjectConfig;
  readonly models: readonly Model[];
  readonly sources: readonly Source[];
  /** By lower-case name. */
  readonly audits: ReadonlyMap<string, Audit>;
  readonly macros: ProjectMacros;
  readonly functions: ProjectFunctions;
  /** The default catalog, where texts write it in front of a schema. */
  readonly catalog?: string;
}
