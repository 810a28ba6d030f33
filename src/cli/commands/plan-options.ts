import type { Command } from 'commander';
import { environmentName } from '../../domain/names.js';
import type { PlanOptions } from '../../domain/plan.js';
import type { ProjectConfig } from '../../domain/project.js';
import { parseInstant } from '../../domain/time.js';
import { type CommandContext, collect, flagOption, textOption, textOptions, UsageError } from '../command.js';

/** Adds the options that plan and apply share. */
export function configurePlanOptions(command: Command): void {
  command
    .argument('[environment]', 'prod when left out')
    .option('--start <time>', 'build from here on (not prod, unless restating)')
    .option('--end <time>', 'build up to here')
    .option(
      '--select-model <selector>',
      'take only these models from the files; * + tag: as in SQLMesh; may be repeated',
      collect,
    )
    .option('--restate-model <selector>', 'build these and what reads them again; may be repeated', collect)
    .option('--forward-only', 'keep tables; changes apply to what is built from now on')
    .option('--skip-backfill', 'move views without building')
    .option('--empty-backfill', 'record intervals as built without building')
    .option('--no-gaps', 'refuse to lose intervals that are built now')
    .option('--include-unmodified', 'give the environment views of all models')
    .option('--run', 'build what cron says is due as well');
}

/** The options as a value; the time is fixed here, once. */
export function readPlanOptions(
  context: CommandContext,
  config: ProjectConfig,
  positionals: readonly string[],
  options: Readonly<Record<string, unknown>>,
): PlanOptions {
  if (positionals.length > 1) throw new UsageError(`one environment at a time, not ${positionals.join(', ')}`);
  const { executionTime, isExecutionTimeGiven } = executionTimeOf(context);
  const start = textOption(options, 'start');
  const end = textOption(options, 'end');
  if (flagOption(options, 'skipBackfill') && flagOption(options, 'emptyBackfill'))
    throw new UsageError('--skip-backfill and --empty-backfill exclude each other');
  return {
    environment: environmentName(positionals[0] ?? config.defaultTargetEnvironment),
    executionTime,
    isExecutionTimeGiven,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    selectModels: textOptions(options, 'selectModel'),
    restateModels: textOptions(options, 'restateModel'),
    forwardOnly: flagOption(options, 'forwardOnly'),
    backfill: flagOption(options, 'skipBackfill') ? 'skip' : flagOption(options, 'emptyBackfill') ? 'empty' : 'normal',
    // commander reads --no-gaps as the negation of --gaps, which is true unless given.
    noGaps: options.gaps === false,
    includeUnmodified: flagOption(options, 'includeUnmodified'),
    run: flagOption(options, 'run'),
  };
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
