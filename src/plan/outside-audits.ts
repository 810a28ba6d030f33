import { auditRunKey } from '../domain/audit-result.js';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import { cronFloor } from '../domain/cron.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { isRecord, items } from '../domain/json.js';
import type { Audit } from '../domain/model.js';
import type { PlanOptions } from '../domain/plan.js';
import type { LakeState } from '../domain/snapshot.js';
import type { Step } from '../domain/step.js';
import { modelDefinition } from './definition.js';

/** Hash of all that decides what the audits of a model find; undefined where all of them are skipped. */
function auditsDefinition(bound: BoundModel, audits: ReadonlyMap<string, Audit>): string | undefined {
  const attached = modelDefinition(bound, audits).audits ?? [];
  if (items(attached).every((audit) => isRecord(audit) && audit.skip === true)) return undefined;
  return digest(canonicalJson(attached)).slice(0, 10);
}

/**
 * The tables of somebody else that have to be audited, before anything is built from them: those that these steps read,
 * directly or through views, those whose audits the environment has not seen in this form, and in a run those whose cron is
 * due.
 */
export function outsideAuditSteps(
  { project, models }: BoundProject,
  steps: readonly Step[],
  { state, options }: { readonly state: LakeState; readonly options: PlanOptions },
): readonly Step[] {
  const audited = models.filter(({ model }) => model.kind.storage === 'outside' && model.audits.length > 0);
  if (audited.length === 0) return [];
  const read = readKeys(models, new Set(steps.flatMap((step) => (step.type === 'backfill' ? [step.model] : []))));
  return audited.flatMap((bound): readonly Step[] => {
    const { model } = bound;
    const last = state.auditRuns?.get(auditRunKey(options.environment, model.key));
    const definition = auditsDefinition(bound, project.audits);
    if (definition === undefined) return [];
    const isNew = last?.definition !== definition;
    const isDue =
      options.run &&
      last !== undefined &&
      (options.ignoreCron || cronFloor(model.cron, options.executionTime) > last.executionTime);
    return read.has(model.key) || isNew || isDue ? [{ type: 'audit', model: model.key, version: '', definition }] : [];
  });
}

/** What these models read, with what the views among that read. */
function readKeys(models: readonly BoundModel[], built: ReadonlySet<string>): ReadonlySet<string> {
  const read = new Set<string>();
  // Children first: a view that is read has said so before it is looked at.
  for (const { model, parents } of models.toReversed()) {
    const passesOn = model.kind.storage === 'view' || model.kind.storage === 'inline';
    if (built.has(model.key) || (passesOn && read.has(model.key))) for (const parent of parents) read.add(parent);
  }
  return read;
}
