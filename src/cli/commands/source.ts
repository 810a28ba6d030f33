import type { Column } from '../../domain/column.js';
import { spdxOf } from '../../domain/spdx.js';
import { type NewSource, newSource, writeNewSource } from '../../load/add-source.js';
import { ownFolder } from '../../workflow.js';
import { type CommandDefinition, exitCodes, flagOption, textOption, UsageError } from '../command.js';
import { reportErrors, reportWarnings, showJson } from '../report.js';
import { sizeText } from '../size-text.js';

/** Columns of a table that are shown; `--json` has them all. */
const SHOWN = 12;

/** `scilake source add URI`: looks at what an address means, and writes the declaration of a source for it. */
export const source: CommandDefinition = {
  configure(command) {
    command
      .argument('<action>', 'add')
      .argument('<uri>', 'an address of a source, the web page of a record or dataset, or a path')
      .option('--name <name>', 'name of the source, and of its schema (default: by the address or the title)')
      .option('--format <format>', 'csv, h5ad …; recognised when left out')
      .option('--license <license>', 'in place of what the place says')
      .option('--doi <doi>', 'in place of what the place says')
      .option('--pin', 'declare the checksum of what is there now, whatever the address')
      .option('--dry-run', 'show the declaration, write nothing');
  },
  async run(context, [action, uri = ''], options) {
    if (action !== 'add') throw new UsageError(`scilake source takes add, not ${action ?? 'nothing'}`);
    if (uri.trim() === '') throw new UsageError('scilake source add takes an address');
    const { workspace, shell } = context;
    const effects = {
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      cacheFolder: ownFolder(workspace, 'cache'),
    };
    const [name, format, license, doi] = ['name', 'format', 'license', 'doi'].map((one) => textOption(options, one));
    const request = {
      address: uri,
      workingFolder: shell.workingFolder,
      ...(name === undefined ? {} : { name }),
      ...(format === undefined ? {} : { format }),
      ...(license === undefined ? {} : { license }),
      ...(doi === undefined ? {} : { doi }),
      checksum: flagOption(options, 'pin') ? 'always' : 'where fixed',
    } as const;
    const found = await newSource(request, effects);
    if (!found.ok) return reportErrors(context, found.errors);
    reportWarnings(context, found.warnings);
    const isDry = flagOption(options, 'dryRun');
    if (!isDry) {
      const written = writeNewSource(found.value, effects);
      if (!written.ok) return reportErrors(context, written.errors);
    }
    const { file, text } = found.value;
    if (context.options.json) showJson(shell, { ...described(found.value), written: !isDry });
    else if (isDry) {
      shell.err(summary(found.value));
      shell.out(text);
    } else shell.out(`${summary(found.value)}\nWrote ${file}. Next:  scilake plan\n`);
    return exitCodes.done;
  },
};

function described({ file, text, bound }: NewSource): object {
  const { source: declared, format, sizeBytes, sha256, resolved = '', elements } = bound;
  return {
    source: declared.name,
    file,
    uri: declared.uri,
    resolved,
    format,
    sizeBytes,
    sha256,
    license: spdxOf(declared.license) ?? '',
    licenseText: declared.license,
    doi: declared.doi,
    accession: declared.accession,
    tables: elements.map(({ table, kind, columns }) => ({ table: `${declared.name}.${table}`, kind, columns })),
    text,
  };
}

function summary({ bound }: NewSource): string {
  const { source: declared, format, sizeBytes, resolved, elements } = bound;
  const width = Math.max(...elements.map(({ table }) => table.length), 0) + declared.name.length + 1;
  return [
    `${declared.name}  ${declared.uri}${resolved === undefined ? '' : ` (${resolved})`}`,
    `  ${sizeText(sizeBytes)}, ${format}, license ${declared.license || 'not known'}`,
    ...elements.map(({ table, columns }) => `  ${`${declared.name}.${table}`.padEnd(width)}  ${columnsText(columns)}`),
    '',
  ].join('\n');
}

function columnsText(columns: readonly Column[]): string {
  const shown = columns.slice(0, SHOWN).map(({ name, type }) => `${name} ${type}`);
  const left = columns.length - shown.length;
  return [...shown, ...(left > 0 ? [`… ${left.toLocaleString('en')} more`] : [])].join(', ');
}
