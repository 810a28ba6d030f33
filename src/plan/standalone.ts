import { auditRunKey } from '../domain/audit-result.js';
import type { BoundProject } from '../domain/bound-project.js';
import { cronFloor } from '../domain/cron.js';
import { canonicalJson, digest } from '../domain/digest.js';
import type { Audit } from '../domain/model.js';
import type { PlanOptions } from '../domain/plan.js';
import type { LakeState } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';

/** Hash of all that decides what an audit that stands alone finds. */
export function auditDefinition(audit: Audit): string {
  const texts = [...audit.definitions, audit.query].map((statement) => statement.text);
  return digest(canonicalJson({ texts, defaults: audit.defaults, blocking: audit.blocking })).slice(0, 10);
}

/**
 * The audits that stand alone and have to run: those that read something which these steps make or move, those that the
 * environment has not seen in this form, and in a run those whose cron is due.
 */
export function standaloneSteps(
  { audits }: Pick<BoundProject, 'audits'>,
  steps: readonly Step[],
  { state, options }: { readonly state: LakeState; readonly options: PlanOptions },
): readonly Step[] {
  const touched = new Set(
    steps.flatMap((step): readonly string[] => {
      if (step.type === 'promote') return step.models;
      if (step.type === 'register') return [step.source];
      return 'model' in step ? [step.model] : [];
    }),
  );
  return audits.flatMap(({ audit, reads }): readonly Step[] => {
    const last = state.auditRuns?.get(auditRunKey(options.environment, audit.name));
    const isTouched = reads.some((key) => touched.has(key) || touched.has(key.split('.')[0] ?? ''));
    const isNew = last?.definition !== auditDefinition(audit);
    const cron = audit.standalone?.cron;
    const isDue =
      options.run &&
      cron !== undefined &&
      last !== undefined &&
      (options.ignoreCron || cronFloor(cron, options.executionTime) > last.executionTime);
    return isTouched || isNew || isDue ? [{ type: 'standalone', audit: audit.name }] : [];
  });
}
