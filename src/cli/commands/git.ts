import * as path from 'node:path';
import { messageOf } from '../../domain/diagnostic.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { writeCanonical } from '../../metadata/canonical.js';
import { type Contents, readContentsOf } from '../../metadata/contents.js';
import { mergeContents } from '../../metadata/merge.js';
import { contentsText } from '../../metadata/text.js';
import { type CommandContext, type CommandDefinition, exitCodes, UsageError } from '../command.js';
import { reportErrors } from '../report.js';

/** `scilake git setup | textconv FILE | merge-driver BASE OURS THEIRS`: how git shows and merges the provenance file. */
export const gitCommand: CommandDefinition = {
  configure(command) {
    command
      .argument('<action>', 'setup: tell git of this; textconv, merge-driver: what git calls')
      .argument('[files...]', 'as git gives them');
  },
  async run(context, [action = '', ...names]) {
    const given = names.map((name) => path.resolve(context.shell.workingFolder, name));
    if (action === 'setup' && given.length === 0) return setUp(context);
    const [first, second, third] = given;
    if (action === 'textconv' && first !== undefined) return showText(first, context);
    if (action === 'merge-driver' && first !== undefined && second !== undefined && third !== undefined)
      return merge({ base: first, ours: second, theirs: third }, context);
    throw new UsageError('scilake git takes setup, textconv FILE or merge-driver BASE OURS THEIRS');
  },
};

/** Git reads attributes from the project and settings from the clone: both are needed. */
async function setUp(context: CommandContext): Promise<number> {
  const { workspace, shell } = context;
  const { outside, projectFolder } = workspace;
  const config = parseConfigOnly({ ...outside, projectFolder });
  if (!config.ok) return reportErrors(context, config.errors);
  const { file } = config.value.metadata;
  const attributes = path.join(projectFolder, '.gitattributes');
  const line = `${file} diff=scilake merge=scilake -text`;
  const before = outside.files.facts(attributes) === undefined ? '' : outside.files.readText(attributes);
  if (!before.split('\n').includes(line)) {
    const separator = before === '' || before.endsWith('\n') ? '' : '\n';
    outside.files.writeText(attributes, `${before}${separator}${line}\n`);
    shell.err(`.gitattributes: ${line}\n`);
  }
  for (const [name, value] of [
    ['diff.scilake.textconv', 'npx scilake git textconv'],
    ['diff.scilake.cachetextconv', 'true'],
    ['merge.scilake.name', 'Scilake provenance, row by row'],
    ['merge.scilake.driver', 'npx scilake git merge-driver %O %A %B'],
  ] as const) {
    try {
      await outside.git.set(projectFolder, name, value);
    } catch (thrown) {
      return reportErrors(context, [
        {
          code: 'SL0903',
          severity: 'error',
          message: `git does not take the setting ${name}: ${messageOf(thrown)}`,
          hint: 'run it inside a git repository',
        },
      ]);
    }
  }
  shell.err(`git shows and merges ${file} by its rows now\n`);
  return exitCodes.done;
}

function showText(file: string, { shell, workspace }: CommandContext): number {
  shell.out(contentsText(read(file, workspace)));
  return exitCodes.done;
}

function merge(
  sides: { readonly base: string; readonly ours: string; readonly theirs: string },
  { shell, workspace }: CommandContext,
): number {
  const [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map((file) => read(file, workspace));
  const { contents, conflicts } = mergeContents(base ?? new Map(), ours ?? new Map(), theirs ?? new Map());
  writeCanonical(sides.ours, contents, workspace.outside);
  for (const one of conflicts)
    shell.err(`${one.table} ${one.key}: ${one.column} is ${one.ours} here and ${one.theirs} there\n`);
  return conflicts.length === 0 ? exitCodes.done : exitCodes.errors;
}

/** An empty file is what git gives for one that was not there. */
function read(file: string, { outside }: CommandContext['workspace']): Contents {
  const facts = outside.files.facts(file);
  if (facts === undefined || facts.sizeBytes === 0) return new Map();
  return readContentsOf(file, outside.openSqlite);
}
