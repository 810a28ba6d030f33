import * as path from 'node:path';
import { type CommandDefinition, flagOption, textOption } from '../command.js';
import { drawPlan } from '../draw-plan.js';
import { planJson } from '../plan-json.js';
import { showJson } from '../report.js';
import { leftJson, reportLeft } from '../report-left.js';
import { styleOf } from '../style.js';
import { applyMade } from './apply.js';
import { makePlan } from './make-plan.js';
import { configurePlanOptions } from './plan-options.js';

/** `scilake plan [ENV]`: what apply would do. Writes nothing but the file of `-o`. */
export const planCommand: CommandDefinition = {
  configure(command) {
    configurePlanOptions(command);
    command
      .option('-o, --output <file>', 'save the plan, for apply --plan')
      .option('--no-diff', 'leave the text of changes out');
  },
  async run(context, positionals, options) {
    const made = await makePlan(context, positionals, options);
    if (typeof made === 'number') return made;
    if (flagOption(options, 'autoApply'))
      return applyMade({ ...context, options: { ...context.options, yes: true } }, made);
    const { plan, before } = made;
    const output = textOption(options, 'output');
    if (output !== undefined)
      context.shell.outside.files.writeText(
        path.resolve(context.shell.workingFolder, output),
        `${JSON.stringify(planJson(plan), null, 2)}\n`,
      );
    const { left } = made.project;
    if (context.options.json) showJson(context.shell, { ...planJson(plan), ...leftJson(left) });
    else {
      context.shell.out(
        drawPlan(plan, {
          style: styleOf(context.shell.hasColor),
          before,
          withDiff: options.diff !== false,
          withSteps: flagOption(options, 'explain'),
        }),
      );
      if (plan.steps.length > 0)
        context.shell.out(
          `\nApply it with: scilake apply${plan.environment === 'prod' ? '' : ` ${plan.environment}`}\n`,
        );
    }
    return reportLeft(context, left);
  },
};
