import type { Audit, Model, Source } from './model.js';

/** `scilake.yaml`, validated, with defaults filled in. */
export interface ProjectConfig {
  readonly name: string;
  readonly modelDefaults: ModelDefaults;
  /** Catalog file and data folder of the lake, relative to the project folder. */
  readonly lake: { readonly catalog: string; readonly data: string };
  /** Folder of the unit tests of models. */
  readonly tests: string;
  readonly defaultTargetEnvironment: string;
  readonly variables: Readonly<Record<string, string | number | boolean>>;
  /** How raw files are converted; nothing in it changes what comes out. */
  readonly convert: ConvertSettings;
  /** DuckDB settings for the process that builds models. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface ConvertSettings {
  /** Memory for sorting one matrix; the formats' own default when left out. */
  readonly sortMemoryMb?: number;
  /** Memory of all conversions together; half of the machine's when left out. */
  readonly memoryMb?: number;
  /** Files that are converted at once; as many as memory and processors allow when left out. */
  readonly atOnce?: number;
}

export interface ModelDefaults {
  readonly dialect: string;
  readonly start?: string;
  readonly cron: string;
  readonly kind?: string;
  readonly owner: string;
}

/** A project as its files say it: parsed, not yet bound to an engine. */
export interface Project {
  readonly config: ProjectConfig;
  readonly models: readonly Model[];
  readonly sources: readonly Source[];
  /** By lower-case name. */
  readonly audits: ReadonlyMap<string, Audit>;
}
