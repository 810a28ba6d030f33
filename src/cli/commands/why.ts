import type { Plan } from '../../domain/plan.js';
import { type CommandContext, type CommandDefinition, exitCodes } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { unknownModel } from './load-model.js';
import { makePlan } from './make-plan.js';
import { configurePlanOptions } from './plan-options.js';

/** `scilake why MODEL [ENV]`: why a plan would build a model again, or why it would not. */
export const why: CommandDefinition = {
  configure(command) {
    command.argument('<model>', 'schema.table');
    configurePlanOptions(command);
  },
  async run(context, [name = '', ...environment], options) {
    const made = await makePlan(context, environment, { ...options, skipTests: true, skipLinter: true });
    if (typeof made === 'number') return made;
    const key = name.toLowerCase();
    const { plan, project } = made;
    if (
      !plan.snapshots.some((snapshot) => snapshot.key === key) &&
      !plan.changes.some((change) => change.model === key)
    ) {
      return reportErrors(context, unknownModel(name, project).errors);
    }
    const answer = explain(plan, key);
    if (context.options.json) showJson(context.shell, answer);
    else show(context, answer);
    return exitCodes.done;
  },
};

interface Answer {
  readonly model: string;
  readonly isBuilt: boolean;
  readonly reason: string;
  readonly because: readonly string[];
  /** What each changed model upstream does. */
  readonly upstream: readonly { readonly model: string; readonly reason: string }[];
  readonly volatile: readonly string[];
}

function explain(plan: Plan, key: string): Answer {
  const change = plan.changes.find((candidate) => candidate.model === key);
  const snapshot = plan.snapshots.find((candidate) => candidate.key === key);
  const isBuilt = plan.steps.some((step) => step.type === 'backfill' && step.model === key);
  const parents = new Set(snapshot?.parents ?? []);
  const upstream = [
    ...plan.sourceChanges
      .filter((source) => [...parents].some((parent) => parent.startsWith(`${source.source}.`)))
      .map(({ source, reason }) => ({ model: source, reason })),
    ...plan.changes
      .filter((candidate) => parents.has(candidate.model) && candidate.model !== key)
      .map(({ model, reason }) => ({ model, reason })),
  ];
  const due = isBuilt ? 'intervals are missing' : 'nothing that it is made of differs from what the environment has';
  return {
    model: key,
    isBuilt,
    reason: change?.reason ?? due,
    because: change?.because ?? [],
    upstream,
    volatile: snapshot?.lineage.known === true ? snapshot.lineage.print.volatile : [],
  };
}

function show({ shell }: CommandContext, answer: Answer): void {
  const style = styleOf(shell.hasColor);
  shell.out(
    `${style.bold(answer.model)} ${answer.isBuilt ? style.yellow('would be built') : style.green('would not be built')}: ${answer.reason}\n`,
  );
  for (const { model, reason } of answer.upstream) shell.out(`  ${style.dim('reads')} ${model}: ${reason}\n`);
  if (answer.volatile.length > 0)
    shell.out(`  ${style.yellow('each build gives other values:')} it calls ${answer.volatile.join(', ')}\n`);
}
