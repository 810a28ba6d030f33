import type { AppliedPlan } from '../apply/apply-plan.js';
import { type Interval, isoInstant } from '../domain/interval.js';
import type { Plan, PlanOptions } from '../domain/plan.js';
import type { Step } from '../domain/step.js';

/** The JSON document of `scilake plan --json`: what other programs may rely on. */
export function planJson(plan: Plan): object {
  return {
    id: plan.id,
    environment: plan.environment,
    basedOn: plan.basedOn ?? null,
    lakeSnapshot: plan.lakeSnapshot,
    executionTime: isoInstant(plan.options.executionTime),
    changes: plan.changes,
    sources: plan.sourceChanges,
    missing: Object.fromEntries(Object.entries(plan.missing).map(([model, intervals]) => [model, intervals.map(pair)])),
    steps: plan.steps.map(stepJson),
    warnings: plan.warnings,
    // As `apply --plan` reads them back.
    options: savedOptions(plan.options),
  };
}

/** The JSON document of `scilake apply --json`. */
export function appliedJson(environment: string, applied: AppliedPlan): object {
  const named = (status: 'failed' | 'skipped'): readonly object[] =>
    applied.outcomes
      .filter((outcome) => outcome.status === status)
      .map((outcome) => ({ ...stepJson(outcome.step), error: outcome.error }));
  return {
    environment,
    lakeSnapshot: applied.lakeSnapshot,
    status: applied.status,
    steps: applied.outcomes.map(({ step, status, rows, elapsedMs, error, moreErrors }) => ({
      ...stepJson(step),
      status,
      rows: rows ?? null,
      ms: Math.round(elapsedMs),
      error: error ?? null,
      ...(moreErrors === undefined ? {} : { moreErrors }),
    })),
    failed: named('failed'),
    skipped: named('skipped'),
  };
}

function stepJson(step: Step): object {
  return 'interval' in step ? { ...step, interval: pair(step.interval) } : step;
}

function pair(interval: Interval): readonly [string, string] {
  return [isoInstant(interval.start), isoInstant(interval.end)];
}

/** Options by the names that the command line gives them. */
function savedOptions(options: PlanOptions): object {
  return {
    ...(options.start === undefined ? {} : { start: options.start }),
    ...(options.end === undefined ? {} : { end: options.end }),
    selectModel: options.selectModels,
    restateModel: options.restateModels,
    backfillModel: options.backfillModels,
    ...(options.withoutUpstream === undefined ? {} : { autoUpstream: !options.withoutUpstream }),
    ...(options.minIntervals === undefined ? {} : { minIntervals: String(options.minIntervals) }),
    allowDestructiveModel: options.allowDestructiveModels,
    allowAdditiveModel: options.allowAdditiveModels,
    forwardOnly: options.forwardOnly,
    ...(options.effectiveFrom === undefined ? {} : { effectiveFrom: options.effectiveFrom }),
    ...(options.createFrom === undefined ? {} : { createFrom: options.createFrom }),
    ignoreCron: options.ignoreCron,
    skipBackfill: options.backfill === 'skip',
    emptyBackfill: options.backfill === 'empty',
    gaps: !options.noGaps,
    includeUnmodified: options.includeUnmodified,
    run: options.run,
  };
}
