import { environmentName } from '../../domain/names.js';
import type { PlanOptions } from '../../domain/plan.js';
import type { RollbackPlan } from '../../domain/rollback.js';
import { planBack, rollback } from '../../history.js';
import { parseConfigOnly } from '../../load/read-project.js';
import {
  type CommandContext,
  type CommandDefinition,
  exitCodes,
  flagOption,
  textOption,
  UsageError,
} from '../command.js';
import { drawPlan } from '../draw-plan.js';
import { readMoment } from '../moment.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { readPlanOptions } from './plan-options.js';

/** `scilake rollback ENV --to PLAN|SNAPSHOT|TIME`: shows what it would do, asks, and does it in one transaction. */
export const rollbackCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('<environment>', 'the environment that is put back')
      .requiredOption('--to <moment>', 'a plan, a DuckLake snapshot, or a time')
      .option('--dry-run', 'only show what it would do');
  },
  async run(context, [name = ''], options) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const to = textOption(options, 'to');
    if (to === undefined) throw new UsageError('rollback needs --to');
    const planOptions: PlanOptions = await readPlanOptions(context, config.value, [environmentName(name)], {});
    const planned = await planBack(workspace, config.value, { to: readMoment(to, context), options: planOptions });
    if (!planned.ok) return reportErrors(context, planned.errors);
    const wanted = planned.value;
    if (!context.options.json) shell.err(draw(wanted, context));
    if (flagOption(options, 'dryRun')) {
      if (context.options.json) showJson(shell, json(wanted, 'planned'));
      return exitCodes.done;
    }
    if (!context.options.yes && !(await shell.confirm(`Put ${wanted.plan.environment} back?`))) {
      shell.err('Nothing was done.\n');
      return exitCodes.done;
    }
    const done = await rollback(workspace, config.value, wanted);
    if (context.options.json) showJson(shell, { ...json(wanted, 'rolled back'), ...done });
    else {
      const copied = done.rowCount === 0 ? '' : ` ${done.rowCount.toLocaleString('en')} rows were copied.`;
      shell.err(
        `${wanted.plan.environment} is what it was at #${wanted.backTo}, in snapshot ${done.lakeSnapshot}.${copied} The project's files are as they were: plan shows how they differ.\n`,
      );
    }
    return exitCodes.done;
  },
};

function draw({ plan, backTo, snapshotId }: RollbackPlan, { shell }: CommandContext): string {
  const style = styleOf(shell.hasColor);
  const title = `${style.bold(`Rollback of ${plan.environment} to #${backTo}`)} (snapshot ${snapshotId})`;
  const drawn = drawPlan(plan, { style, before: new Map(), withDiff: false, withSteps: false });
  return `${title}\n${drawn.slice(drawn.indexOf('\n') + 1)}`;
}

function json({ plan, backTo, snapshotId, tables }: RollbackPlan, status: string): Readonly<Record<string, unknown>> {
  return {
    environment: plan.environment,
    status,
    plan: plan.id,
    backTo,
    snapshot: snapshotId,
    changes: plan.changes,
    sources: plan.sourceChanges,
    copied: tables.map(({ snapshot }) => snapshot.key),
  };
}
