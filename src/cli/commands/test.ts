import * as path from 'node:path';
import { runUnitTests, type TestOutcome } from '../../check/run-unit-tests.js';
import { gather } from '../../domain/diagnostic.js';
import { parseUnitTests } from '../../parse/unit-test-file.js';
import { load } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, textOption } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { executionTimeOf } from './plan-options.js';

/** `scilake test`: the unit tests of models. Needs no lake. */
export const test: CommandDefinition = {
  configure(command) {
    command.option('-k, --name <part>', 'only tests whose name holds this');
  },
  async run(context, _positionals, options) {
    const { workspace } = context;
    const { files } = workspace.outside;
    const loaded = await load(workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const folder = loaded.value.project.config.tests;
    const names = files.list(path.join(workspace.projectFolder, folder)).filter((name) => /\.ya?ml$/.test(name));
    const parsed = gather(
      names.map((name) =>
        parseUnitTests({
          path: `${folder}/${name}`,
          text: files.readText(path.join(workspace.projectFolder, folder, name)),
        }),
      ),
    );
    if (!parsed.ok) return reportErrors(context, parsed.errors);
    const part = textOption(options, 'name') ?? '';
    const tests = parsed.value.flat().filter((candidate) => candidate.name.includes(part));
    const outcomes = await runUnitTests(tests, loaded.value, {
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      executionTime: executionTimeOf(context).executionTime,
    });
    show(context, outcomes);
    return outcomes.every((outcome) => outcome.status === 'passed') ? exitCodes.done : exitCodes.errors;
  },
};

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
    else {
      for (const row of outcome.missing) shell.out(`  ${style.green('expected, not given:')} ${row}\n`);
      for (const row of outcome.unexpected) shell.out(`  ${style.red('given, not expected:')} ${row}\n`);
    }
  }
  const failed = outcomes.filter((outcome) => outcome.status !== 'passed').length;
  shell.out(`${outcomes.length - failed} passed, ${failed} failed\n`);
}
