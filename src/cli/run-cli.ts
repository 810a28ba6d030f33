import * as path from 'node:path';
import { Command, CommanderError } from 'commander';
import { DiagnosticError } from '../domain/diagnostic.js';
import { didYouMean } from '../domain/near-miss.js';
import {
  type CommandDefinition,
  type CommandEntry,
  type CommonOptions,
  exitCodes,
  flagOption,
  type Shell,
  textOption,
  UsageError,
} from './command.js';
import { commands } from './commands/index.js';
import { progressLines } from './progress.js';
import { reportErrors } from './report.js';
import { version } from './version.js';

/** Reads the command line, runs one command, and turns whatever happens into an exit code. Errors of ours are thrown on. */
export async function runCli(argv: readonly string[], shell: Shell): Promise<number> {
  const wanted = commandWord(argv);
  const entry = commands.find((candidate) => candidate.name === wanted || candidate.aliases?.includes(wanted ?? ''));
  if (wanted !== undefined && entry === undefined) {
    const near = didYouMean(
      wanted,
      commands.map((candidate) => candidate.name),
    );
    shell.err(
      `there is no command "${wanted}"${near === undefined ? '' : `; ${near}`}\nscilake --help lists them all\n`,
    );
    return exitCodes.usage;
  }
  const program = rootCommand(shell);
  let exitCode: number = exitCodes.done;
  for (const candidate of commands) {
    const command = program.command(candidate.name).description(candidate.summary);
    if (candidate.aliases !== undefined) command.aliases([...candidate.aliases]);
    if (candidate !== entry) continue;
    const definition = await candidate.load();
    definition.configure(command);
    addCommonOptions(command);
    command.action(async (...given: unknown[]) => {
      exitCode = await runCommand(definition, candidate, { shell, command, given });
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 || thrown.code === 'commander.help' ? exitCodes.done : exitCodes.usage;
    throw thrown;
  }
}

/** The first word that is no option and no value of one. */
function commandWord(argv: readonly string[]): string | undefined {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '-p' || word === '--project' || word === '--execution-time' || word === '--wait') at++;
    else if (word === 'help') return argv[at + 1];
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

function rootCommand(shell: Shell): Command {
  const program = new Command('scilake')
    .description(
      'Provenance and reproducible workflows for scientific data: SQL models with plan and apply on DuckDB and DuckLake',
    )
    .version(version)
    .showHelpAfterError('scilake --help shows what there is')
    .exitOverride()
    .configureOutput({ writeOut: shell.out, writeErr: shell.err, getOutHelpWidth: () => shell.columns });
  program.action(() => program.help());
  addCommonOptions(program);
  return program;
}

function addCommonOptions(command: Command): void {
  command
    .option('-p, --project <folder>', 'folder of the project (default: this one)')
    .option('--json', 'one JSON document on standard output, nothing else there')
    .option('-y, --yes', 'answer prompts with yes')
    .option('--execution-time <time>', 'fix the time, UTC (or SCILAKE_EXECUTION_TIME)')
    .option('--wait <time>', 'wait so long for a lake that somebody else holds: 30s, 10m, 1h');
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds; undefined where the text is no time. */
function waitOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return 0;
  const [, count, unit = 's'] = /^(\d+)\s*([smh])?$/i.exec(text.trim()) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS_MS[unit.toLowerCase()] ?? 0);
}

interface Invocation {
  readonly shell: Shell;
  readonly command: Command;
  /** As commander hands them over: positionals, options, the command. */
  readonly given: readonly unknown[];
}

async function runCommand(
  definition: CommandDefinition,
  entry: CommandEntry,
  { shell, command, given }: Invocation,
): Promise<number> {
  // Options may stand before the command's name as well as after it.
  const values: Readonly<Record<string, unknown>> = { ...command.parent?.opts(), ...command.opts() };
  const waitMs = waitOf(textOption(values, 'wait') ?? shell.environment.SCILAKE_WAIT);
  const options: CommonOptions = {
    project: path.resolve(shell.workingFolder, textOption(values, 'project') ?? '.'),
    json: flagOption(values, 'json'),
    yes: flagOption(values, 'yes'),
    waitMs: waitMs ?? 0,
    ...(textOption(values, 'executionTime') === undefined
      ? {}
      : { executionTime: textOption(values, 'executionTime') ?? '' }),
  };
  const positionals = given
    .slice(0, -2)
    .flatMap((value) => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]));
  try {
    if (waitMs === undefined) throw new UsageError('--wait takes a time such as 30s, 10m or 1h');
    const { openWorkspace } = await import('../workspace.js');
    const emit = progressLines(shell, options.json ? 'quiet' : 'lines');
    const workspace = openWorkspace(options.project, {
      ...shell.outside,
      environment: shell.environment,
      emit,
      waitMs: options.waitMs,
    });
    return await definition.run({ shell, options, workspace }, positionals, values);
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return reportErrors({ shell, options }, thrown.diagnostics);
    if (thrown instanceof Error && thrown.name === 'LakeMissingError') {
      const hint = 'scilake apply makes it';
      return reportErrors({ shell, options }, [
        { code: 'SL0710', severity: 'error', message: 'there is no lake yet', hint },
      ]);
    }
    if (thrown instanceof UsageError) {
      shell.err(`${thrown.message}\nscilake ${entry.name} --help shows its use\n`);
      return exitCodes.usage;
    }
    throw thrown;
  }
}
