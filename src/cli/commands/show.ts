import { type Promotion, rowsWritten } from '../../domain/history.js';
import { history } from '../../history.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { type CommandContext, type CommandDefinition, exitCodes } from '../command.js';
import { drawPromotion, promotionJson } from '../draw-history.js';
import { describeStep } from '../draw-plan.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake show PLAN`: one plan as it was applied. */
export const show: CommandDefinition = {
  configure(command) {
    command.argument('<plan>', 'a plan, by the beginning of its id');
  },
  async run(context, [start = '']) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const all = await history(workspace, config.value);
    const found = all.filter(({ planId }) => planId.startsWith(start.toLowerCase()));
    const plans = [...new Set(found.map(({ planId }) => planId))];
    if (plans.length !== 1) {
      const message =
        plans.length === 0
          ? `no plan ${start} has moved an environment`
          : `several plans begin with ${start}: ${plans.join(', ')}`;
      return reportErrors(context, [{ code: 'SL0422', severity: 'error', message, hint: 'scilake log lists them' }]);
    }
    if (context.options.json) showJson(shell, { promotions: found.map(json) });
    else for (const promotion of found) draw(promotion, context);
    return exitCodes.done;
  },
};

function json(promotion: Promotion): Readonly<Record<string, unknown>> {
  const steps = promotion.record?.steps.map(({ step, status, rows, elapsedMs }) => ({
    ...step,
    status,
    rows: rows ?? null,
    ms: elapsedMs,
  }));
  return { ...promotionJson(promotion), startedAt: promotion.record?.startedAt ?? '', steps: steps ?? [] };
}

function draw(promotion: Promotion, { shell }: CommandContext): void {
  const style = styleOf(shell.hasColor);
  shell.out(drawPromotion(promotion, style));
  const steps = promotion.record?.steps ?? [];
  if (steps.length > 0) shell.out(`\n${style.bold('Steps')}\n`);
  for (const [at, { step, status, rows, elapsedMs }] of steps.entries()) {
    const facts = [
      ...(status === 'done' ? [] : [status]),
      ...(rows === undefined ? [] : [`${rows.toLocaleString('en')} rows`]),
      `${(elapsedMs / 1000).toFixed(2)} s`,
    ];
    shell.out(`  ${at + 1}. ${describeStep(step)}  ${style.dim(facts.join(', '))}\n`);
  }
  const models = Object.keys(promotion.target.models).length;
  shell.out(
    style.dim(
      `\n${promotion.environment} has ${models} models since; ${rowsWritten(promotion).toLocaleString('en')} rows were written.\n`,
    ),
  );
}
