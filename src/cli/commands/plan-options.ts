import { type Command, Option } from 'commander';
import { gitReferences, SelectorError } from '../../dag/selector.js';
import { messageOf } from '../../domain/diagnostic.js';
import { environmentName } from '../../domain/names.js';
import type { PlanOptions } from '../../domain/plan.js';
import type { ProjectConfig } from '../../domain/project.js';
import { parseInstant } from '../../domain/time.js';
import {
  type CommandContext,
  collect,
  countOption,
  flagOption,
  textOption,
  textOptions,
  UsageError,
} from '../command.js';

/** Adds the options that plan and apply share. */
export function configurePlanOptions(command: Command): void {
  command
    .argument('[environment]', 'prod when left out')
    .option('-s, --start <time>', 'build from here on (not prod, unless restating)')
    .option('-e, --end <time>', 'build up to here')
    .option('--min-intervals <number>', 'with --start: at least so many intervals of each model')
    .option(
      '--select-model <selector>',
      'take only these models from the files: * + tag: path: git: state:modified ^ & | ( ); may be repeated',
      collect,
    )
    .option('--backfill-model <selector>', 'build only these and what they read; may be repeated', collect)
    .option('-r, --restate-model <selector>', 'build these and what reads them again; may be repeated', collect)
    .option('--forward-only', 'keep tables; changes apply to what is built from now on')
    .option('--effective-from <time>', 'with --forward-only: make the rows of prod from then on again')
    .option('--allow-destructive-model <selector>', 'let these lose columns; may be repeated', collect)
    .option('--allow-additive-model <selector>', 'let these gain columns; may be repeated', collect)
    .option('--create-from <environment>', 'what a new environment starts from; prod when left out')
    .option('--ignore-cron', 'build every complete interval, whatever cron says')
    .option('--skip-backfill', 'move views without building')
    .addOption(new Option('--dry-run').implies({ skipBackfill: true }).hideHelp())
    // What these ask for is what always happens here.
    .addOption(new Option('--test-changed-only').hideHelp())
    .addOption(new Option('--enable-preview').hideHelp())
    .addOption(new Option('--no-prompts').hideHelp())
    .addOption(new Option('--auto-apply').hideHelp())
    .option('--empty-backfill', 'record intervals as built without building')
    .option('--no-gaps', 'refuse to lose intervals that are built now')
    .option('--include-unmodified', 'give the environment views of all models')
    .option('--skip-tests', 'do not run the unit tests of models first')
    .option('--skip-linter', 'do not hold models against the rules of the linter first')
    .option('--run', 'build what cron says is due as well')
    .option('--explain', 'list every step, and apply nothing');
}

/** The options as a value; the time is fixed here, once. */
export async function readPlanOptions(
  context: CommandContext,
  config: ProjectConfig,
  positionals: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<PlanOptions> {
  if (positionals.length > 1) throw new UsageError(`one environment at a time, not ${positionals.join(', ')}`);
  const { executionTime, isExecutionTimeGiven } = executionTimeOf(context);
  const start = textOption(options, 'start');
  const end = textOption(options, 'end');
  const effectiveFrom = textOption(options, 'effectiveFrom');
  const createFrom = textOption(options, 'createFrom');
  const minIntervals = countOption(options, 'minIntervals', 1);
  const selectModels = textOptions(options, 'selectModel');
  const restateModels = textOptions(options, 'restateModel');
  const backfillModels = textOptions(options, 'backfillModel');
  if (flagOption(options, 'skipBackfill') && flagOption(options, 'emptyBackfill'))
    throw new UsageError('--skip-backfill and --empty-backfill exclude each other');
  return {
    environment: environmentName(positionals[0] ?? config.defaultTargetEnvironment),
    executionTime,
    isExecutionTimeGiven,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    selectModels,
    restateModels,
    backfillModels,
    ...(options.autoUpstream === false ? { withoutUpstream: true } : {}),
    ...(minIntervals === undefined ? {} : { minIntervals }),
    allowDestructiveModels: textOptions(options, 'allowDestructiveModel'),
    allowAdditiveModels: textOptions(options, 'allowAdditiveModel'),
    gitChanges: await gitChanges(context, [...selectModels, ...restateModels, ...backfillModels]),
    forwardOnly: flagOption(options, 'forwardOnly'),
    ...(effectiveFrom === undefined ? {} : { effectiveFrom }),
    ...(createFrom === undefined ? {} : { createFrom: environmentName(createFrom) }),
    ignoreCron: flagOption(options, 'ignoreCron'),
    backfill: flagOption(options, 'skipBackfill') ? 'skip' : flagOption(options, 'emptyBackfill') ? 'empty' : 'normal',
    // commander reads --no-gaps as the negation of --gaps, which is true unless given.
    noGaps: options.gaps === false,
    includeUnmodified: flagOption(options, 'includeUnmodified'),
    run: flagOption(options, 'run'),
  };
}

/** What `git:` in selectors stands for. @throws UsageError outside a repository, or for what git does not know */
async function gitChanges(
  { workspace }: CommandContext,
  selectors: readonly string[],
): Promise<PlanOptions['gitChanges']> {
  const changes: Record<string, readonly string[]> = {};
  // A selector that cannot be read is reported with the plan.
  const references = selectors.flatMap((selector) => {
    try {
      return gitReferences([selector]);
    } catch (thrown) {
      if (thrown instanceof SelectorError) return [];
      throw thrown;
    }
  });
  for (const reference of references) {
    try {
      const changed = await workspace.outside.git.changedSince(workspace.projectFolder, reference);
      if (changed === undefined) throw new Error('the project is in no git repository');
      changes[reference] = changed;
    } catch (thrown) {
      throw new UsageError(`git:${reference}: ${messageOf(thrown)}`);
    }
  }
  return changes;
}

/** The time that everything of one call happens at: given, from SCILAKE_EXECUTION_TIME, or now. */
export function executionTimeOf({ shell, options }: CommandContext): {
  readonly executionTime: number;
  readonly isExecutionTimeGiven: boolean;
} {
  const now = shell.outside.now().getTime();
  const text = options.executionTime ?? shell.environment.SCILAKE_EXECUTION_TIME;
  if (text === undefined || text === '') return { executionTime: now, isExecutionTimeGiven: false };
  const parsed = parseInstant(text, now);
  if (parsed === undefined) throw new UsageError(`"${text}" is no time; write "2024-01-10 12:00:00"`);
  return { executionTime: parsed.instant, isExecutionTimeGiven: true };
}
