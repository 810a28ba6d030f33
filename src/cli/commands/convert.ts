import * as path from 'node:path';
import type { ConversionRequest, Converter } from '../../convert/converter.js';
import type { Conversion } from '../../domain/convert.js';
import type { Diagnostic, Result } from '../../domain/diagnostic.js';
import {
  type CommandContext,
  type CommandDefinition,
  collect,
  countOption,
  exitCodes,
  type Shell,
  textOption,
  textOptions,
  UsageError,
} from '../command.js';
import { drawTable } from '../draw-table.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake convert FILE… --out OUT`: raw files to parquet, outside any project. */
export const convert: CommandDefinition = {
  configure(command) {
    command
      .argument('<files...>', 'raw files, or folders of files that belong together')
      .requiredOption(
        '--out <folder>',
        'folder to make; must not be there yet; of several files each gets one inside it',
      )
      .option('--format <format>', 'h5ad, csv …; recognised when left out')
      .option('--option <name=value>', 'an option of the format; may be repeated', collect)
      .option('--memory <megabytes>', 'memory of all conversions together (default: half of the machine)')
      .option('--at-once <files>', 'files at once (default: as many as memory and processors allow)');
  },
  async run(context, files, options) {
    const { shell, workspace } = context;
    const out = path.resolve(shell.workingFolder, textOption(options, 'out') ?? '');
    const format = textOption(options, 'format');
    const request = {
      ...(format === undefined ? {} : { format }),
      options: Object.fromEntries(textOptions(options, 'option').map(pair)),
    };
    const memoryMb = countOption(options, 'memory', 64);
    const atOnce = countOption(options, 'atOnce', 1);
    const converter = await workspace.outside.converter({
      ...(memoryMb === undefined ? {} : { memoryMb }),
      ...(atOnce === undefined ? {} : { atOnce }),
    });
    const targets = targetsOf(files, out);
    const progress = progressLine(shell, context.options.json);
    const results = await Promise.all(
      targets.map(async ({ file, folder }) => ({
        file,
        folder,
        result: await convertOne(
          converter,
          {
            ...request,
            file: path.resolve(shell.workingFolder, file),
            displayName: file,
            out: folder,
          },
          progress,
        ),
      })),
    );
    progress.clear();
    const [only] = results;
    if (results.length === 1 && only !== undefined) return showOne(context, only.result);
    return showAll(context, results);
  },
};

interface Target {
  readonly file: string;
  readonly folder: string;
}

/** One file becomes the folder itself, several become folders inside it, named after them. */
function targetsOf(files: readonly string[], out: string): readonly Target[] {
  const [only] = files;
  if (files.length === 1 && only !== undefined) return [{ file: only, folder: out }];
  const names = files.map((file) => path.basename(path.resolve(file)));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UsageError(`two files are called ${twice}: convert them into folders of their own`);
  return files.map((file, i) => ({ file, folder: path.join(out, names[i] ?? '') }));
}

function convertOne(
  converter: Converter,
  request: ConversionRequest,
  progress: ProgressLine,
): Promise<Result<Conversion>> {
  return converter.convert(request, (done, total, unit, element) =>
    progress.show(`${request.displayName}${element === undefined ? '' : ` ${element}`}`, done, total, unit),
  );
}

interface ProgressLine {
  show(what: string, done: number, total: number, unit: string): void;
  clear(): void;
}

/** A moving line in a terminal, nothing elsewhere. */
function progressLine(shell: Shell, isQuiet: boolean): ProgressLine {
  if (!shell.isTerminal || isQuiet) return { show() {}, clear() {} };
  return {
    show(what, done, total, unit) {
      const share = total > 0 ? `${Math.min(100, Math.round((100 * done) / total))} %` : `${done.toLocaleString('en')}`;
      shell.err(
        `\r\u001b[K${`${what}  ${share} of ${total.toLocaleString('en')} ${unit}`.slice(0, shell.columns - 1)}`,
      );
    },
    clear: () => shell.err('\r\u001b[K'),
  };
}

function showOne(context: CommandContext, converted: Result<Conversion>): number {
  if (!converted.ok) return reportErrors(context, converted.errors);
  const { shell } = context;
  if (context.options.json) showJson(shell, described(converted.value));
  else draw(shell, converted.value);
  return exitCodes.done;
}

function showAll(
  context: CommandContext,
  results: readonly (Target & { readonly result: Result<Conversion> })[],
): number {
  const { shell } = context;
  const errors = results.flatMap(({ result }): readonly Diagnostic[] => (result.ok ? [] : result.errors));
  if (context.options.json) {
    showJson(shell, {
      files: results.map(({ file, folder, result }) => ({
        file,
        out: folder,
        ...(result.ok ? described(result.value) : { errors: result.errors }),
      })),
    });
    return errors.length > 0 ? exitCodes.errors : exitCodes.done;
  }
  for (const { file, result } of results) {
    if (!result.ok) continue;
    shell.out(`${file}\n`);
    draw(shell, result.value);
  }
  return errors.length > 0 ? reportErrors(context, errors) : exitCodes.done;
}

function described({ format, elements, warnings }: Conversion): object {
  return {
    format,
    elements: elements.map(({ path: element, file, kind, rows, columns }) => ({
      path: element,
      file,
      kind,
      rows,
      columns,
    })),
    warnings,
  };
}

function draw(shell: Shell, { elements, warnings }: Conversion): void {
  const rows = elements.map((element) => [element.path, element.file, element.rows, element.columns.length]);
  shell.out(
    drawTable(['element', 'file', 'rows', 'columns'], rows, { width: shell.columns, style: styleOf(shell.hasColor) }),
  );
  for (const warning of warnings) shell.err(`warning: ${warning}\n`);
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--option takes name=value, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
