import { runUnitTests, type TestOutcome } from '../../check/run-unit-tests.js';
import { differencesOf, readUnitTests } from '../../check/test-project.js';
import { didYouMean } from '../../domain/near-miss.js';
import type { UnitTest } from '../../domain/unit-test.js';
import { load } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, textOption, UsageError } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { executionTimeOf } from './plan-options.js';

/** `scilake test [TEST…]`: the unit tests of models. Needs no lake. */
export const test: CommandDefinition = {
  configure(command) {
    command
      .argument('[test...]', 'file, file::name, or the file of a model; all when left out')
      .option('-k, --name <pattern>', 'only tests whose name holds this; * stands for anything');
  },
  async run(context, positionals, options) {
    const { workspace } = context;
    const loaded = await load(workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const effects = {
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      executionTime: executionTimeOf(context).executionTime,
    };
    const parsed = readUnitTests(loaded.value, effects);
    if (!parsed.ok) return reportErrors(context, parsed.errors);
    const modelFiles = new Map(loaded.value.models.map(({ model }) => [model.file.path, model.key]));
    const chosen = choose(parsed.value, positionals, modelFiles);
    const pattern = patternOf(textOption(options, 'name') ?? '');
    const outcomes = await runUnitTests(
      chosen.filter((candidate) => pattern.test(candidate.name)),
      loaded.value,
      effects,
    );
    show(context, outcomes);
    return outcomes.every((outcome) => outcome.status === 'passed') ? exitCodes.done : exitCodes.errors;
  },
};

/** @throws UsageError for what names no test */
function choose(
  tests: readonly UnitTest[],
  wanted: readonly string[],
  modelFiles: ReadonlyMap<string, string>,
): readonly UnitTest[] {
  if (wanted.length === 0) return tests;
  const chosen = wanted.flatMap((one) => {
    const plain = one.replace(/^\.\//, '').replaceAll('\\', '/');
    const [file = '', name] = plain.split('::');
    const model = modelFiles.get(file);
    const found = tests.filter(
      (candidate) =>
        (candidate.location.file === file || candidate.model === model) &&
        (name === undefined || candidate.name === name),
    );
    if (found.length > 0) return found;
    const near = didYouMean(plain, [
      ...tests.flatMap(({ location, name: its }) => [location.file, `${location.file}::${its}`]),
    ]);
    throw new UsageError(`there is no test "${one}"${near === undefined ? '' : `; ${near}`}`);
  });
  return [...new Set(chosen)];
}

function patternOf(text: string): RegExp {
  return new RegExp(text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'));
}

function show({ shell, options }: CommandContext, outcomes: readonly TestOutcome[]): void {
  if (options.json) {
    showJson(
      shell,
      outcomes.map(({ test: { name, model, location }, ...rest }) => ({
        name,
        model,
        file: location.file,
        line: location.line,
        ...rest,
        elapsedMs: Math.round(rest.elapsedMs),
      })),
    );
    return;
  }
  const style = styleOf(shell.hasColor);
  for (const outcome of outcomes) {
    const { test: unit } = outcome;
    const mark = outcome.status === 'passed' ? style.green('✓') : style.red('✗');
    shell.out(`${mark} ${unit.model}  ${unit.name}\n`);
    if (outcome.status === 'passed') continue;
    shell.out(`  ${style.dim(`${unit.location.file}:${unit.location.line}`)}\n`);
    if (outcome.status === 'error') shell.out(`  ${outcome.message}\n`);
    else for (const line of outcome.parts.flatMap(differencesOf)) shell.out(`  ${colored(line, style)}\n`);
  }
  const failed = outcomes.filter((outcome) => outcome.status !== 'passed').length;
  shell.out(`${outcomes.length - failed} passed, ${failed} failed\n`);
}

function colored(line: string, style: ReturnType<typeof styleOf>): string {
  const [what = '', ...rest] = line.split(': ');
  const isExpected = what.endsWith('expected, not given');
  const isGiven = what.endsWith('given, not expected');
  const head = isExpected ? style.green(what) : isGiven ? style.red(what) : style.yellow(what);
  return rest.length === 0 ? line : `${head}: ${rest.join(': ')}`;
}
