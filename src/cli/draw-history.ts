import { elapsedMs, type Promotion, rowsWritten } from '../domain/history.js';
import type { Change } from '../domain/plan.js';
import { sign } from './draw-plan.js';
import type { Style } from './style.js';

/** A promotion as people read it: one line of who and when, and one for each change. */
export function drawPromotion(promotion: Promotion, style: Style): string {
  const { record, changes, sourceChanges } = promotion;
  const parts = [
    promotion.at.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
    ...(record === undefined ? [] : [record.author]),
    ...(record === undefined || record.gitCommit === '' ? [] : [commitText(record.gitCommit, record.isGitDirty)]),
    promotion.snapshotId === undefined ? 'snapshot expired' : `snapshot ${promotion.snapshotId}`,
  ];
  const what = promotion.type === 'rollback' ? `rollback to #${promotion.backTo ?? '?'}` : 'plan';
  const number = promotion.type === 'rows' ? '' : ` #${promotion.sequence}`;
  const title = `${style.bold(`${promotion.environment}${number}`)}  ${what} ${promotion.planId}`;
  const lines = [
    `${title}  ${style.dim(parts.join('  '))}`,
    ...sourceChanges.map(
      (change) => `  ${sign(change.type, style)} source ${change.source}  ${style.dim(change.reason)}`,
    ),
    ...changes.map((change) => `  ${sign(change.type, style)} ${change.model}  ${style.dim(changeText(change))}`),
  ];
  const rows = rowsWritten(promotion);
  const ms = elapsedMs(promotion);
  if (rows > 0 || ms > 0) lines.push(style.dim(`    ${rows.toLocaleString('en')} rows in ${(ms / 1000).toFixed(1)} s`));
  return `${lines.join('\n')}\n`;
}

function changeText({ category, reason }: Change): string {
  return category === 'undetermined' ? reason : `${category}; ${reason}`;
}

/** A commit by its first digits; a star where files differed from it. */
export function commitText(commit: string, isDirty: boolean): string {
  return `${commit.slice(0, 8)}${isDirty ? '*' : ''}`;
}

/** A promotion as JSON. */
export function promotionJson(promotion: Promotion): Readonly<Record<string, unknown>> {
  const { record } = promotion;
  return {
    environment: promotion.environment,
    sequence: promotion.sequence,
    plan: promotion.planId,
    type: promotion.type,
    ...(promotion.backTo === undefined ? {} : { backTo: promotion.backTo }),
    at: promotion.at,
    snapshot: promotion.snapshotId ?? null,
    author: record?.author ?? '',
    gitCommit: record?.gitCommit ?? '',
    isGitDirty: record?.isGitDirty ?? false,
    changes: promotion.changes,
    sources: promotion.sourceChanges,
    rows: rowsWritten(promotion),
    ms: elapsedMs(promotion),
  };
}
