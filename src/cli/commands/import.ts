import * as path from 'node:path';
import { type ImportedFile, importProject, writeImported } from '../../load/import-project.js';
import { type CommandDefinition, exitCodes, textOption } from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { type Style, styleOf } from '../style.js';

/** `scilake import PATH`: what becomes of a SQLMesh project, file by file; `--out` writes it as one of Scilake. */
export const importCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('<path>', 'folder of a SQLMesh project')
      .option('--out <folder>', 'write a Scilake project there; the folder must be empty');
  },
  async run(context, [given = ''], options) {
    const { workspace, shell } = context;
    const { outside } = workspace;
    const from = path.resolve(shell.workingFolder, given);
    const out = textOption(options, 'out');
    const to = out === undefined ? from : path.resolve(shell.workingFolder, out);
    const effects = { ...outside, projectFolder: from, cacheFolder: path.join(from, '.scilake', 'cache') };
    const imported = await importProject(effects, to);
    if (!imported.ok) return reportErrors(context, imported.errors);
    const written = out === undefined ? undefined : writeImported(imported.value, { files: outside.files, from, to });
    if (written?.ok === false) return reportErrors(context, written.errors);
    if (context.options.json) {
      showJson(shell, {
        files: imported.value.map(({ path: file, outcome, notes }) => ({ path: file, outcome, notes })),
        written: written?.value ?? [],
      });
      return exitCodes.done;
    }
    shell.out(drawn(imported.value, styleOf(shell.hasColor)));
    if (written === undefined)
      shell.out(
        `Nothing was written. scilake import ${given} --out FOLDER writes a project of it; it also runs where it is.\n`,
      );
    else shell.out(`${written.value.length} files written. Look at it: scilake plan -p ${out}\n`);
    return exitCodes.done;
  },
};

function drawn(files: readonly ImportedFile[], style: Style): string {
  const width = Math.max(...files.map((file) => file.path.length));
  const words = {
    'carries over': style.green('carries over'),
    changes: style.yellow('changes'),
    'does not carry over': style.red('does not carry over'),
  };
  const lines = files.flatMap((file) => [
    `${file.path.padEnd(width)}  ${words[file.outcome]}`,
    ...file.notes.map((note) => `    ${style.dim(note)}`),
  ]);
  const count = (outcome: ImportedFile['outcome']): string =>
    `${files.filter((file) => file.outcome === outcome).length} ${outcome === 'changes' ? 'change' : outcome.replace('carries', 'carry').replace('does', 'do')}`;
  return `${lines.join('\n')}\n\n${count('carries over')}, ${count('changes')}, ${count('does not carry over')}\n`;
}
