import * as path from 'node:path';
import { convertFile } from '../../convert/index.js';
import { type CommandDefinition, collect, exitCodes, textOption, textOptions, UsageError } from '../command.js';
import { drawTable } from '../draw-table.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';

/** `scilake convert FILE --out OUT`: a raw file to parquet, outside any project. */
export const convert: CommandDefinition = {
  configure(command) {
    command
      .argument('<file>', 'the raw file')
      .requiredOption('--out <folder>', 'folder to make; must not be there yet')
      .option('--format <format>', 'h5ad, csv …; recognised when left out')
      .option('--option <name=value>', 'an option of the format; may be repeated', collect);
  },
  async run(context, [file = ''], options) {
    const { shell, workspace } = context;
    const out = path.resolve(shell.workingFolder, textOption(options, 'out') ?? '');
    const format = textOption(options, 'format');
    const converted = await convertFile(
      {
        file: path.resolve(shell.workingFolder, file),
        displayName: file,
        out,
        ...(format === undefined ? {} : { format }),
        options: Object.fromEntries(textOptions(options, 'option').map(pair)),
      },
      { duckdb: workspace.outside.duckdb, files: workspace.outside.files },
    );
    if (!converted.ok) return reportErrors(context, converted.errors);
    const { elements, warnings } = converted.value;
    if (context.options.json) {
      showJson(shell, {
        format: converted.value.format,
        elements: elements.map(({ path: element, file: parquet, kind, rows, columns }) => ({
          path: element,
          file: parquet,
          kind,
          rows,
          columns,
        })),
        warnings,
      });
      return exitCodes.done;
    }
    const rows = elements.map((element) => [element.path, element.file, element.rows, element.columns.length]);
    shell.out(
      drawTable(['element', 'file', 'rows', 'columns'], rows, { width: shell.columns, style: styleOf(shell.hasColor) }),
    );
    for (const warning of warnings) shell.err(`warning: ${warning}\n`);
    return exitCodes.done;
  },
};

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--option takes name=value, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
