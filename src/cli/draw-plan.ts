import { createTwoFilesPatch } from 'diff';
import { type Interval, isoInstant } from '../domain/interval.js';
import type { Change, Plan } from '../domain/plan.js';
import type { Snapshot } from '../domain/snapshot.js';
import { type Step, subjectOf } from '../domain/step.js';
import type { Style } from './style.js';

const MAX_DIFF_LINES = 40;

export interface PlanDrawing {
  readonly style: Style;
  /** Snapshots that the environment has now, by model, for the text diff. */
  readonly before: ReadonlyMap<string, Snapshot>;
  readonly withDiff: boolean;
  /** Every step on a line of its own, in the order in which they run. */
  readonly withSteps: boolean;
}

/** A plan as people read it: what changes and why, what is built, what moves. */
export function drawPlan(plan: Plan, drawing: PlanDrawing): string {
  const { style } = drawing;
  if (plan.steps.length === 0 && plan.changes.length === 0)
    return `${style.green('Nothing to do')}: ${plan.environment} is what the project says.\n`;
  const on =
    plan.basedOn === undefined
      ? 'a new lake'
      : plan.basedOn === plan.environment
        ? `snapshot ${plan.lakeSnapshot}`
        : `based on ${plan.basedOn}`;
  const lines = [`${style.bold(`Plan ${plan.id} for ${plan.environment}`)} (${on})`, ''];
  for (const source of plan.sourceChanges) {
    lines.push(`  ${sign(source.type, style)} source ${style.bold(source.source)}  ${style.dim(source.reason)}`);
    for (const change of source.schema) lines.push(`      ${style.dim(change)}`);
    for (const change of source.discarded) lines.push(`      ${style.dim(`${change}  (left out by the contract)`)}`);
  }
  if (plan.sourceChanges.length > 0) lines.push('');
  for (const change of plan.changes) {
    lines.push(drawChange(change, style));
    if (drawing.withDiff && change.type === 'modified') lines.push(...drawDiff(change, plan, drawing));
  }
  if (plan.changes.length > 0) lines.push('');
  lines.push(...drawSteps(plan, style));
  if (drawing.withSteps && plan.steps.length > 0)
    lines.push('', style.bold('Steps'), ...plan.steps.map((step, at) => `  ${at + 1}. ${describeStep(step)}`));
  return `${lines.join('\n')}\n`;
}

function drawChange(change: Change, style: Style): string {
  const notes = [
    change.reason,
    ...(change.reused ? ['keeps its table'] : []),
    ...(change.forwardOnly ? ['from now on only'] : []),
  ];
  const because = change.because.length > 0 ? style.dim(` ← ${change.because.join(', ')}`) : '';
  return `  ${sign(change.type, style)} ${style.bold(change.model)}${because}  ${category(change, style)}  ${style.dim(notes.join('; '))}`;
}

/** What became of something, in one character. */
export function sign(type: Change['type'], style: Style): string {
  switch (type) {
    case 'added':
      return style.green('+');
    case 'removed':
      return style.red('-');
    case 'modified':
      return style.yellow('~');
    case 'indirect':
      return style.dim('·');
    default:
      return type satisfies never;
  }
}

function category(change: Change, style: Style): string {
  if (change.type === 'added' || change.type === 'removed') return change.type;
  switch (change.category) {
    case 'breaking':
      return style.red('breaking');
    case 'undetermined':
      return style.red('undetermined');
    case 'non-breaking':
      return style.yellow('non-breaking');
    case 'metadata':
      return style.dim('metadata');
    default:
      return change.category satisfies never;
  }
}

function drawDiff(change: Change, plan: Plan, { before, style }: PlanDrawing): readonly string[] {
  const was = before.get(change.model);
  const is = plan.snapshots.find((snapshot) => snapshot.key === change.model);
  if (was === undefined || is === undefined || was.text === is.text) return [];
  const patch = createTwoFilesPatch(was.file, is.file, was.text, is.text, '', '', { context: 1 })
    .split('\n')
    .slice(4)
    .filter((line) => line !== '' && !line.startsWith('\\'));
  const shown = patch
    .slice(0, MAX_DIFF_LINES)
    .map(
      (line) =>
        `      ${line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : style.dim(line)}`,
    );
  return patch.length > MAX_DIFF_LINES
    ? [...shown, style.dim(`      … ${patch.length - MAX_DIFF_LINES} more lines`)]
    : shown;
}

function drawSteps(plan: Plan, style: Style): readonly string[] {
  if (plan.steps.length === 0) {
    const missing = Object.keys(plan.missing).length;
    return [missing > 0 ? 'Nothing will be built: backfill is skipped.' : 'Nothing has to be built.'];
  }
  const lines: string[] = [];
  const sources = plan.steps.flatMap((step) => (step.type === 'convert' ? [step.source] : []));
  if (sources.length > 0) lines.push(`${style.bold('Convert')}  ${sources.join(', ')}`);
  const views = plan.steps.flatMap((step) =>
    step.type === 'create' &&
    plan.snapshots.some((snapshot) => snapshot.key === step.model && snapshot.storage === 'view')
      ? [step.model]
      : [],
  );
  if (views.length > 0) lines.push(`${style.bold('Views')}    ${views.join(', ')}`);
  const built = new Map<string, Interval[]>();
  for (const step of plan.steps) {
    if (step.type === 'backfill' && !views.includes(step.model))
      built.set(step.model, [...(built.get(step.model) ?? []), step.interval]);
  }
  if (built.size > 0) lines.push(style.bold('Build'));
  for (const [model, intervals] of built) lines.push(`  ${model}  ${style.dim(drawIntervals(intervals))}`);
  for (const step of plan.steps) {
    const line = step.type === 'record' && views.includes(step.model) ? undefined : lineOf(step, style);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

function lineOf(step: Step, style: Style): string | undefined {
  switch (step.type) {
    case 'alter':
      return [
        `${style.bold('Alter')}    ${step.model}`,
        ...(step.adds.length > 0 ? [`adds ${step.adds.join(', ')}`] : []),
        ...(step.fields.length > 0 ? [`adds ${step.fields.map((field) => field.path.join('.')).join(', ')}`] : []),
        ...(step.renames.length > 0
          ? [`renames ${step.renames.map((one) => `${one.from} to ${one.to}`).join(', ')}`]
          : []),
        ...(step.drops.length > 0 ? [`drops ${step.drops.join(', ')}`] : []),
      ].join(' ');
    case 'audit':
      return `${style.bold('Audit')}    ${step.model}`;
    case 'standalone':
      return `${style.bold('Audit')}    ${step.audit}`;
    case 'record':
      return `${style.bold('Record')}   ${step.model} ${style.dim(drawIntervals([step.interval]))}`;
    case 'forget':
      return `${style.bold('Forget')}   ${step.model} of ${step.environment} ${style.dim(drawIntervals([step.interval]))}`;
    case 'promote':
      return `${style.bold('Promote')}  ${step.models.length} ${step.models.length === 1 ? 'view' : 'views'} of ${step.environment}`;
    case 'demote':
      return `${style.bold('Remove')}   ${step.models.join(', ')} from ${step.environment}`;
    default:
      return undefined;
  }
}

const verbs: Readonly<Record<Step['type'], string>> = {
  fetch: 'fetch',
  convert: 'convert',
  register: 'register',
  create: 'create',
  alter: 'alter',
  backfill: 'build',
  record: 'record',
  forget: 'forget',
  standalone: 'run',
  audit: 'audit',
  promote: 'promote',
  demote: 'remove',
};

/** A step in few words: `build s.events 2024-01-01 to 2024-01-09`. */
export function describeStep(step: Step): string {
  const subject = subjectOf(step) ?? ('environment' in step ? step.environment : '');
  return `${verbs[step.type]} ${'interval' in step ? `${subject} ${drawIntervals([step.interval])}` : subject}`;
}

/** `2024-01-01 to 2024-01-09`: days inclusive where the ends are days, instants otherwise. */
export function drawIntervals(intervals: readonly Interval[]): string {
  const first = intervals[0];
  const last = intervals.at(-1);
  if (first === undefined || last === undefined) return '';
  const areDays = first.start % 86_400_000 === 0 && last.end % 86_400_000 === 0;
  const from = areDays ? isoInstant(first.start).slice(0, 10) : isoInstant(first.start);
  const to = areDays ? isoInstant(last.end - 86_400_000).slice(0, 10) : isoInstant(last.end);
  const range = from === to ? from : `${from} to ${to}`;
  return intervals.length > 1 ? `${range}, ${intervals.length} batches` : range;
}
