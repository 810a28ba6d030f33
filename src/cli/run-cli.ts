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
    if (word === '-p' || word === '--project' || word === '--execution-time') at++;
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
    .option('--execution-time <time>', 'fix the time, UTC (or SCILAKE_EXECUTION_TIME)');
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
  const options: CommonOptions = {
    project: path.resolve(shell.workingFolder, textOption(values, 'project') ?? '.'),
    json: flagOption(values, 'json'),
    yes: flagOption(values, 'yes'),
    ...(textOption(values, 'executionTime') === undefined
      ? {}
      : { executionTime: textOption(values, 'executionTime') ?? '' }),
  };
  const positionals = given
    .slice(0, -2)
    .flatMap((value) => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]));
  try {
    const { openWorkspace } = await import('../workspace.js');
    const emit = progressLines(shell, options.json ? 'quiet' : 'lines');
    const workspace = openWorkspace(options.project, { ...shell.outside, environment: shell.environment, emit });
    return await definition.run({ shell, options, workspace }, positionals, values);
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return reportErrors({ shell, options }, thrown.diagnostics);
    if (thrown instanceof UsageError) {
      shell.err(`${thrown.message}\nscilake ${entry.name} --help shows its use\n`);
      return exitCodes.usage;
    }
    throw thrown;
  }
}
