import * as path from 'node:path';
import { formatProject, formattableFiles } from '../../load/format-project.js';
import { ownFolder } from '../../workflow.js';
import { type CommandContext, type CommandDefinition, exitCodes, flagOption, UsageError } from '../command.js';
import { drawDiagnostic } from '../draw-diagnostic.js';
import { showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake format [FILE…]`: lays out header blocks and SQL; nothing is written whose meaning would change. */
export const format: CommandDefinition = {
  configure(command) {
    command
      .argument('[files...]', 'SQL files of models, audits and sources; all of them when left out')
      .option('--check', 'write nothing; exit code 1 when a file is not laid out');
  },
  async run(context, wanted, options) {
    const { workspace, shell } = context;
    const { outside, projectFolder } = workspace;
    const effects = { ...outside, projectFolder, cacheFolder: ownFolder(workspace, 'cache') };
    const names = wanted.length === 0 ? formattableFiles(effects) : wanted.map((name) => inProject(context, name));
    const isCheck = flagOption(options, 'check');
    const formatted = await formatProject(effects, names);
    const changed = formatted.filter((file) => file.before !== file.after);
    if (!isCheck) for (const file of changed) outside.files.writeText(path.join(projectFolder, file.path), file.after);
    const diagnostics = formatted.flatMap((file) => file.diagnostics);
    const style = styleOf(shell.hasColor);
    for (const diagnostic of diagnostics) shell.err(`${drawDiagnostic(diagnostic, style)}\n`);
    const hasErrors = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
    if (context.options.json)
      showJson(shell, {
        checked: formatted.length,
        changed: changed.map((file) => file.path),
        written: !isCheck,
        diagnostics,
      });
    else {
      for (const file of changed) shell.out(`${isCheck ? 'would change' : 'changed'}  ${file.path}\n`);
      shell.out(
        `${counted(formatted.length, 'file')} looked at, ${changed.length} ${isCheck ? 'to change' : 'changed'}\n`,
      );
    }
    return hasErrors || (isCheck && changed.length > 0) ? exitCodes.errors : exitCodes.done;
  },
};

function inProject({ workspace, shell }: CommandContext, name: string): string {
  const { projectFolder, outside } = workspace;
  const absolute = [path.resolve(shell.workingFolder, name), path.resolve(projectFolder, name)].find(
    (candidate) => outside.files.facts(candidate)?.isDirectory === false,
  );
  if (absolute === undefined) throw new UsageError(`there is no file ${name}`);
  const relative = path.relative(projectFolder, absolute).split(path.sep).join('/');
  if (relative.startsWith('../')) throw new UsageError(`${name} is outside the project ${projectFolder}`);
  return relative;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
