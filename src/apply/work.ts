import type { CommitNote, LakeSession } from '../catalog/lake-session.js';
import type { RunCatalog } from '../catalog/run-catalog.js';
import type { Converter, ConverterOf } from '../convert/converter.js';
import type { BoundProject } from '../domain/bound-project.js';
import type { Conversion } from '../domain/convert.js';
import type { Result } from '../domain/diagnostic.js';
import type { Emit, StepOutcome } from '../domain/event.js';
import type { Plan } from '../domain/plan.js';
import type { AuditQuery, ModelProgram } from '../domain/program.js';
import type { Dataset, LakeState } from '../domain/snapshot.js';
import type { DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import type { GitHead } from '../effects/git.js';

export interface ApplyEffects {
  readonly files: Files;
  readonly duckdb: DuckDb;
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsedMs: () => number;
  readonly emit: Emit;
  readonly projectFolder: string;
  readonly cacheFolder: string;
  /** Where converted files wait to be registered. */
  readonly stagingFolder: string;
  readonly author: string;
  readonly converter: ConverterOf;
}

/** An audit that stands alone, ready to run. */
export interface StandaloneQuery {
  readonly query: Result<AuditQuery>;
  readonly reads: readonly string[];
  /** Hash of its definition. */
  readonly definition: string;
}

export interface ApplyRequest {
  readonly plan: Plan;
  readonly project: BoundProject;
  readonly programs: ReadonlyMap<string, ModelProgram>;
  readonly state: LakeState;
  /** Audits that stand alone, by name. */
  readonly standalone: ReadonlyMap<string, StandaloneQuery>;
  readonly session: LakeSession;
  /** The project's statements around all steps. */
  readonly hooks: { readonly before: readonly string[]; readonly after: readonly string[] };
  /** The commit that the project's files are of; undefined outside a repository. */
  readonly head: GitHead | undefined;
  readonly startedAt: Date;
}

/** What the steps of one apply share. */
export interface Work extends Omit<ApplyRequest, 'plan'> {
  /** What is still meant to become: early cut-off points models back at the tables that they have. */
  plan: Plan;
  readonly effects: ApplyEffects;
  readonly runCatalog: RunCatalog;
  readonly datasets: Map<string, Dataset>;
  /** Under way, or converted and not yet registered, by source. */
  readonly conversions: Map<string, Promise<Conversion>>;
  /** Made when the first source has to be converted. */
  converter: Promise<Converter> | undefined;
  /** The source whose step is running: others convert beside it without a word. */
  reported: string | undefined;
  /** Models whose table or view this run has made. */
  readonly created: Set<string>;
  /** How the steps so far ended. */
  readonly outcomes: StepOutcome[];
  /** Versions (`builtKey`) that hold rows already. */
  readonly filled: Set<string>;
  note(message: string, key: string): CommitNote;
  progress(done: number, total: number, unit: 'bytes' | 'rows' | 'elements', element?: string): void;
}
