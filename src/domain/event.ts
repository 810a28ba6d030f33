import type { Diagnostic } from './diagnostic.js';
import type { Step } from './step.js';

/** What happens while a plan is made or applied: one union for the CLI, the TUI and logs. */
export type Event =
  | { readonly type: 'loading'; readonly what: 'project' | 'lake' | 'extension' | 'source'; readonly detail: string }
  /** Bytes of a source arrive; of a set its files so far. `total` is undefined where the place does not say. */
  | {
      readonly type: 'fetching';
      readonly source: string;
      readonly done: number;
      readonly total: number | undefined;
      readonly fileCount: number;
    }
  /** All that was new of a source is here. */
  | { readonly type: 'fetched'; readonly source: string; readonly bytes: number; readonly fileCount: number }
  | { readonly type: 'step-started'; readonly index: number; readonly count: number; readonly step: Step }
  | {
      readonly type: 'step-progress';
      readonly index: number;
      readonly done: number;
      readonly total: number;
      readonly unit: 'bytes' | 'rows' | 'elements';
      /** The table of a raw file that is being written. */
      readonly element?: string;
    }
  | { readonly type: 'step-finished'; readonly index: number; readonly count: number; readonly outcome: StepOutcome }
  | { readonly type: 'diagnostic'; readonly diagnostic: Diagnostic };

/** How one step of a plan ended. `rows` is the number of rows written, or for an audit the number of rows that broke it. */
export interface StepOutcome {
  readonly step: Step;
  /** `unchanged`: not done, because all that changed upstream came out equal (early cut-off). */
  readonly status: 'done' | 'failed' | 'skipped' | 'unchanged';
  readonly rows?: number;
  readonly elapsedMs: number;
  readonly error?: Diagnostic;
  /** What else was wrong: all audits of a load run. */
  readonly moreErrors?: readonly Diagnostic[];
}

export type Emit = (event: Event) => void;
