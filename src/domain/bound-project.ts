import type { Column } from './column.js';
import type { ElementSchema } from './convert.js';
import type { Diagnostic } from './diagnostic.js';
import type { Audit, Model, Source } from './model.js';
import type { Project } from './project.js';
import type { PlaceFacts } from './provenance.js';
import type { Lineage } from './query-print.js';
import type { References } from './references.js';

/** A model as the engine understands it. */
export interface BoundModel {
  readonly model: Model;
  /** Models, source tables and external tables that it or its audits read, or that it declares, by key, sorted; itself when it reads itself. */
  readonly parents: readonly string[];
  readonly lineage: Lineage;
  /** Columns of its table, after declared types and the type guard. */
  readonly columns: readonly Column[];
  /** Where its query, with variables of `bindingInterval` filled in, names tables; undefined when DuckDB does not say. */
  readonly references: References | undefined;
  /** By lower-case column name: declared, or written as comments behind the projections. */
  readonly columnDescriptions: Readonly<Record<string, string>>;
  /** Hash of a seed's file, empty for other kinds. */
  readonly contentHash: string;
  /** Absolute path of the file that a seed's rows are read from. */
  readonly seedFile?: string;
}

/** An audit that stands alone. */
export interface BoundAudit {
  readonly audit: Audit;
  /** Models, source tables and external tables, by key, sorted. */
  readonly reads: readonly string[];
}

/** A source as its raw file is found now. */
export interface BoundSource {
  readonly source: Source;
  /** Absolute path of the raw file, or of the folder of a set. */
  readonly path: string;
  /** Of all its files. */
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly format: string;
  readonly version: string;
  /** Its tables, as its contract lets them in. */
  readonly elements: readonly ElementSchema[];
  /** As the raw file has them, where its contract leaves something out. */
  readonly found?: readonly ElementSchema[];
  /** The version that its address stands for at present, where that moves on. */
  readonly resolved?: string;
  /** What its place says of the files. */
  readonly facts?: PlaceFacts;
  /** What its one file is known by, where it was fetched. */
  readonly fileUrl?: string;
}

/** What of a project is left as it is, because sources could not be had or read. */
export interface LeftOut {
  /** Names of sources. */
  readonly sources: readonly string[];
  /** Models that read them, or what was made from them. */
  readonly models: readonly { readonly model: string; readonly because: string }[];
  /** What is wrong with the sources. */
  readonly errors: readonly Diagnostic[];
}

/** A project whose SQL has been bound: what planning works on. */
export interface BoundProject {
  readonly project: Project;
  /** In topological order. */
  readonly models: readonly BoundModel[];
  readonly sources: readonly BoundSource[];
  /** Audits that stand alone. */
  readonly audits: readonly BoundAudit[];
  /** Absent where everything could be read. */
  readonly left?: LeftOut;
}
