import * as path from 'node:path';
import type { AppliedPlan } from '../../apply/apply-plan.js';
import { type Diagnostic, DiagnosticError } from '../../domain/diagnostic.js';
import { canonicalJson } from '../../domain/digest.js';
import { isRecord } from '../../domain/json.js';
import { PROD } from '../../domain/names.js';
import type { Plan } from '../../domain/plan.js';
import { apply } from '../../workflow.js';
import {
  type CommandContext,
  type CommandDefinition,
  exitCodes,
  flagOption,
  type Shell,
  textOption,
  UsageError,
} from '../command.js';
import { drawPlan } from '../draw-plan.js';
import { appliedJson, planJson } from '../plan-json.js';
import { exitCodeOf, reportErrors, showJson } from '../report.js';
import { leftJson, reportLeft } from '../report-left.js';
import { retryMoved } from '../retry-moved.js';
import { styleOf } from '../style.js';
import { type MadePlan, makePlan } from './make-plan.js';
import { configurePlanOptions } from './plan-options.js';

/** `scilake apply [ENV]`: plans, asks, and carries the plan out. */
export const applyCommand: CommandDefinition = {
  configure(command) {
    configurePlanOptions(command);
    command.option('--plan <file>', 'apply this saved plan, if nothing has changed since');
  },
  async run(context, positionals, options) {
    const saved = textOption(options, 'plan');
    if (saved !== undefined && positionals.length > 0) throw new UsageError('--plan names its environment itself');
    const isAnswered = context.options.yes || flagOption(options, 'autoApply') || options.prompts === false;
    const answered = { ...context, options: { ...context.options, yes: isAnswered } };
    const applyOnce = async (): Promise<number> => {
      const made =
        saved === undefined ? await makePlan(context, positionals, options) : await makeSavedPlan(context, saved);
      if (typeof made === 'number') return made;
      if (!flagOption(options, 'explain')) return applyMade(answered, made);
      const style = styleOf(context.shell.hasColor);
      context.shell.out(drawPlan(made.plan, { style, before: made.before, withDiff: false, withSteps: true }));
      return reportLeft(context, made.project.left);
    };
    return saved === undefined ? retryMoved(answered, applyOnce) : applyOnce();
  },
};

/** Shows the plan, asks, carries it out and sums up. @returns the exit code */
export async function applyMade(context: CommandContext, { plan, project, before }: MadePlan): Promise<number> {
  const { shell, options, workspace } = context;
  const style = styleOf(shell.hasColor);
  if (!options.json) shell.err(drawPlan(plan, { style, before, withDiff: true, withSteps: false }));
  if (plan.steps.length > 0 && !options.yes && !(await shell.confirm(`Apply this plan to ${plan.environment}?`))) {
    shell.err('Nothing was done.\n');
    return exitCodes.done;
  }
  const applied = await apply(workspace, project, plan);
  if (options.json) showJson(shell, { ...appliedJson(plan.environment, applied), ...leftJson(project.left) });
  else if (applied.status !== 'nothing to do') shell.err(summary(plan, applied, shell));
  const left = reportLeft(context, project.left);
  if (applied.status !== 'failed') return left;
  return exitCodeOf(
    applied.outcomes.flatMap((outcome) =>
      outcome.status === 'failed' && outcome.error !== undefined ? [outcome.error] : [],
    ),
  );
}

/**
 * Plans again as the saved plan was planned, and compares: a plan is applied only if it would be made again, word for
 * word. A lake that moved is exit code 3, changed files are the project's error.
 */
async function makeSavedPlan(context: CommandContext, file: string): Promise<MadePlan | number> {
  const saved = readSaved(context, file);
  const wanted = saved.options;
  const remade = await makePlan(
    { ...context, options: { ...context.options, executionTime: String(saved.executionTime) } },
    [String(saved.environment)],
    // They ran when the plan was made; files that have changed since make another plan.
    { ...wanted, skipTests: true, skipLinter: true },
  );
  if (typeof remade === 'number') return remade;
  if (remade.plan.lakeSnapshot !== saved.lakeSnapshot) {
    return reportErrors(context, [
      {
        code: 'SL0709',
        severity: 'error',
        message: `the lake has moved since ${file} was made: it was at snapshot ${String(saved.lakeSnapshot)}, it is at ${remade.plan.lakeSnapshot}`,
        hint: 'make a new plan',
      },
    ]);
  }
  const difference = firstDifference(saved.document, remade.plan);
  if (difference === undefined) return remade;
  return reportErrors(context, [
    {
      code: 'SL0406',
      severity: 'error',
      message: `the project is not what it was when ${file} was made: ${difference} differs`,
      hint: 'make a new plan',
    },
  ]);
}

interface SavedPlan {
  readonly document: Readonly<Record<string, unknown>>;
  readonly environment: unknown;
  readonly executionTime: unknown;
  readonly lakeSnapshot: unknown;
  readonly options: Readonly<Record<string, unknown>>;
}

function readSaved({ shell }: CommandContext, file: string): SavedPlan {
  const target = path.resolve(shell.workingFolder, file);
  const unreadable = (why: string): DiagnosticError => {
    const diagnostic: Diagnostic = {
      code: 'SL0407',
      severity: 'error',
      message: `${file} is no saved plan: ${why}`,
      hint: 'make one with scilake plan -o plan.json',
    };
    return new DiagnosticError([diagnostic]);
  };
  if (shell.outside.files.facts(target) === undefined) throw unreadable('there is no such file');
  let document: unknown;
  try {
    document = JSON.parse(shell.outside.files.readText(target));
  } catch {
    throw unreadable('it is not JSON');
  }
  if (!isRecord(document) || !isRecord(document.options) || !('steps' in document))
    throw unreadable('it has no steps or options');
  return {
    document,
    environment: document.environment,
    executionTime: document.executionTime,
    lakeSnapshot: document.lakeSnapshot,
    options: document.options,
  };
}

function firstDifference(saved: Readonly<Record<string, unknown>>, plan: Plan): string | undefined {
  const now: unknown = JSON.parse(JSON.stringify(planJson(plan)));
  if (!isRecord(now)) return 'everything';
  return ['changes', 'sources', 'missing', 'steps', 'id'].find(
    (part) =>
      canonicalJson(JSON.parse(JSON.stringify(saved[part] ?? null))) !==
      canonicalJson(JSON.parse(JSON.stringify(now[part] ?? null))),
  );
}

function summary(plan: Plan, applied: AppliedPlan, shell: Shell): string {
  const style = styleOf(shell.hasColor);
  const done = applied.outcomes.filter((outcome) => outcome.status === 'done');
  const built = new Set(done.flatMap(({ step }) => (step.type === 'backfill' ? [step.model] : [])));
  const rows = done.reduce((sum, outcome) => sum + (outcome.step.type === 'backfill' ? (outcome.rows ?? 0) : 0), 0);
  const seconds = applied.outcomes.reduce((sum, outcome) => sum + outcome.elapsedMs, 0) / 1000;
  if (applied.status === 'failed') {
    const failed = applied.outcomes.filter((outcome) => outcome.status === 'failed').length;
    const skippedCount = applied.outcomes.filter((outcome) => outcome.status === 'skipped').length;
    return `\n${style.red('Not applied')}: ${failed} ${failed === 1 ? 'step' : 'steps'} failed, ${skippedCount} skipped. ${plan.environment} is as it was; what was built is kept for the next try.\n`;
  }
  const snapshot = `DuckLake snapshot ${applied.lakeSnapshot}`;
  return `\n${style.green('Applied')} plan ${plan.id} to ${plan.environment} in ${seconds.toFixed(1)} s: ${built.size} ${built.size === 1 ? 'model' : 'models'} built, ${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}, ${snapshot}.\n${nextCommand(plan)}`;
}

function nextCommand(plan: Plan): string {
  const last = plan.snapshots.findLast((snapshot) => plan.target.models[snapshot.key]?.hasView);
  if (last === undefined) return '';
  const { name } = last;
  const environment = plan.environment === PROD ? '' : ` --env ${plan.environment}`;
  return `Look at it:  npx scilake query${environment} "FROM ${name.schema}.${name.table} LIMIT 10"\n`;
}
