import type { StepOutcome } from './event.js';
import type { Change, SourceChange } from './plan.js';
import type { Environment } from './snapshot.js';

/** Who carried out a plan, from what, and how its steps ended. */
export interface PlanRecord {
  readonly author: string;
  /** Empty outside a repository. */
  readonly gitCommit: string;
  readonly isGitDirty: boolean;
  /** ISO, UTC. */
  readonly startedAt: string;
  readonly steps: readonly StepRecord[];
}

/** A step as it ended, without what went wrong: a plan that failed moves no environment and is in no history. */
export interface StepRecord extends Pick<StepOutcome, 'step' | 'status' | 'elapsedMs'> {
  readonly rows?: number;
}

/** One plan that was carried out in an environment, or one rollback. */
export interface Promotion {
  readonly environment: string;
  /** Counts the promotions of the environment, from 1: that which this is, or the last one before. */
  readonly sequence: number;
  readonly planId: string;
  /** `rows`: a plan that built rows and moved nothing. */
  readonly type: 'plan' | 'rows' | 'rollback';
  /** ISO, UTC. */
  readonly at: string;
  /** DuckLake's snapshot that it is; undefined where that has expired. */
  readonly snapshotId: number | undefined;
  /** Undefined for promotions that an older version recorded. */
  readonly record: PlanRecord | undefined;
  readonly changes: readonly Change[];
  readonly sourceChanges: readonly SourceChange[];
  /** Of a rollback: which promotion the environment was put back to. */
  readonly backTo?: number;
  /** What the environment points at since then. */
  readonly target: Environment;
}

/** Rows that the steps of a promotion wrote. */
export function rowsWritten({ record }: Pick<Promotion, 'record'>): number {
  return (record?.steps ?? []).reduce(
    (sum, { step, rows }) => sum + (step.type === 'backfill' || step.type === 'register' ? (rows ?? 0) : 0),
    0,
  );
}

/** Milliseconds that its steps took. */
export function elapsedMs({ record }: Pick<Promotion, 'record'>): number {
  return (record?.steps ?? []).reduce((sum, step) => sum + step.elapsedMs, 0);
}

/** Whether a promotion touched a model: its definition, the table behind it, or rows of it. */
export function touches(promotion: Promotion, before: Promotion | undefined, model: string): boolean {
  const [now, was] = [promotion.target.models[model], before?.target.models[model]];
  if (now?.fingerprint !== was?.fingerprint || now?.version !== was?.version) return true;
  return (promotion.record?.steps ?? []).some(
    ({ step, status }) => step.type === 'backfill' && step.model === model && status === 'done',
  );
}

/** A version of a model in an environment, and the promotion that brought it. */
export interface BlamedVersion {
  readonly promotion: Promotion;
  /** Undefined where the promotion took the model away. */
  readonly version: string | undefined;
  readonly fingerprint: string | undefined;
  readonly reason: string;
}

/**
 * Which promotion made which version of a model.
 *
 * @param promotions  of one environment, oldest first
 * @returns           oldest first; promotions that only filled rows are not among them
 */
export function blame(promotions: readonly Promotion[], model: string): readonly BlamedVersion[] {
  return promotions.flatMap((promotion, at): readonly BlamedVersion[] => {
    const was = promotions[at - 1]?.target.models[model];
    const now = promotion.target.models[model];
    if (now?.version === was?.version && now?.fingerprint === was?.fingerprint) return [];
    const change = promotion.changes.find((candidate) => candidate.model === model);
    const reason =
      promotion.type === 'rollback'
        ? `put back to promotion ${promotion.backTo ?? '?'}`
        : (change?.reason ?? (was === undefined ? 'first version' : now === undefined ? 'removed' : ''));
    return [{ promotion, version: now?.version, fingerprint: now?.fingerprint, reason }];
  });
}
