import * as path from 'node:path';
import { type Diagnostic, DiagnosticError } from '../../domain/diagnostic.js';
import { PROD } from '../../domain/names.js';
import { didYouMean } from '../../domain/near-miss.js';
import type { Provenance } from '../../domain/provenance.js';
import type { Environment, LakeState, Snapshot } from '../../domain/snapshot.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { recordedState } from '../../workflow.js';
import { type CommandDefinition, exitCodes, textOption, UsageError } from '../command.js';
import { exportProvenance } from '../export-provenance.js';
import { provenanceOf } from '../provenance-of.js';
import { readProvenance } from '../read-provenance.js';
import { reportErrors, showJson } from '../report.js';
import { styleOf } from '../style.js';
import { version } from '../version.js';

/** `scilake provenance MODEL[.COLUMN]`: files, checksums, accessions, DOIs, licenses, tools, commit and plan behind what is built. */
export const provenance: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'schema.table or schema.table.column')
      .option('--env <name>', 'environment (default: prod)')
      .option(
        '--out <folder>',
        'write the table with its descriptions: PROV, RO-Crate, OpenLineage, Croissant, DataCite, CITATION.cff, in a bag',
      );
  },
  async run(context, [name = ''], options) {
    const { workspace, shell } = context;
    const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
    if (!config.ok) return reportErrors(context, config.errors);
    const state = await recordedState(workspace, config.value);
    const environment = environmentOf(textOption(options, 'env') ?? PROD, state);
    const chosen = choose(name.toLowerCase(), environment, state);
    const contents = readProvenance(workspace, config.value);
    const found = provenanceOf({ ...chosen, environment, state, contents });
    const out = textOption(options, 'out');
    if (out !== undefined) {
      if (found.column !== undefined) throw new UsageError('--out takes a model, not a column');
      const folder = path.resolve(shell.workingFolder, out);
      const names = await exportProvenance(
        { provenance: found, config: config.value, out: folder, scilakeVersion: version },
        workspace,
      );
      if (context.options.json) showJson(shell, { folder, files: names });
      else shell.out(`${out}\n${names.map((one) => `  ${one}\n`).join('')}`);
      return exitCodes.done;
    }
    if (context.options.json) showJson(shell, { ...found, column: found.column ?? null });
    else shell.out(drawProvenance(found, styleOf(shell.hasColor)));
    return exitCodes.done;
  },
};

function environmentOf(name: string, state: LakeState): Environment {
  const environment = state.environments.get(name);
  if (environment !== undefined) return environment;
  const known = [...state.environments.keys()];
  throw problem(
    'SL0710',
    `there is no environment "${name}" in the lake`,
    known.length === 0 ? 'scilake apply makes the lake and prod' : `there are ${known.join(', ')}`,
  );
}

function choose(
  name: string,
  environment: Environment,
  state: LakeState,
): { readonly snapshot: Snapshot; readonly column: string | undefined } {
  const snapshotOf = (key: string): Snapshot | undefined =>
    state.snapshots.get(environment.models[key]?.fingerprint ?? '');
  const whole = snapshotOf(name);
  if (whole !== undefined) return { snapshot: whole, column: undefined };
  const at = name.lastIndexOf('.');
  const [model, column] = [name.slice(0, Math.max(0, at)), name.slice(at + 1)];
  const snapshot = snapshotOf(model);
  if (snapshot === undefined) {
    const near = didYouMean(name, Object.keys(environment.models));
    throw problem('SL0403', `there is no model "${name}" in ${environment.name}`, near ?? 'scilake graph lists them');
  }
  const own = snapshot.columns.find((one) => one.name.toLowerCase() === column);
  if (own !== undefined) return { snapshot, column: own.name };
  const names = snapshot.columns.map((one) => one.name);
  throw problem(
    'SL0403',
    `${model} has no column "${column}"`,
    didYouMean(column, names) ?? `it has ${names.join(', ')}`,
  );
}

function problem(code: Diagnostic['code'], message: string, hint: string): DiagnosticError {
  return new DiagnosticError([{ code, severity: 'error', message, hint }]);
}

/** Files of a set that the text names. */
const SHOWN_FILES = 5;

function drawProvenance(found: Provenance, style: ReturnType<typeof styleOf>): string {
  const lines: string[] = [];
  const fact = (label: string, value: string | number | null, indent = '  '): void => {
    if (value !== '' && value !== null) lines.push(`${indent}${style.dim(label.padEnd(10))} ${value}`);
  };
  const name = found.column === undefined ? found.model : `${found.model}.${found.column}`;
  lines.push(`${style.bold(name)} in ${found.environment}, plan ${found.plan}`);
  for (const { license, text, sources } of found.licenses)
    fact('license', `${license || `${text || 'none given'} (unknown)`}, by ${sources.join(', ')}`);
  lines.push('');
  for (const one of found.sources) {
    lines.push(`${style.bold(one.source)}  ${one.uri}`);
    fact('from', one.finalUrl === one.url ? '' : one.finalUrl);
    fact('sha256', one.sha256);
    fact('declared', one.checksumDeclared === `sha256:${one.sha256}` ? 'the same' : one.checksumDeclared);
    fact('size', one.sizeBytes === null ? null : `${one.sizeBytes.toLocaleString('en')} bytes, ${one.format}`);
    fact('fetched', one.fetchedAt);
    fact('accession', one.accession);
    fact(
      'doi',
      one.doi === one.conceptDoi || one.conceptDoi === '' ? one.doi : `${one.doi}, a version of ${one.conceptDoi}`,
    );
    fact('version', one.resolved);
    fact('title', one.title);
    fact('license', one.license === one.licenseText ? one.license : `${one.license} (${one.licenseText})`);
    fact('citation', one.citation);
    if (one.files.length > 0) fact('files', one.files.length.toLocaleString('en'));
    for (const file of one.files.slice(0, SHOWN_FILES)) lines.push(`    ${file.sha256.slice(0, 16)}…  ${file.name}`);
    if (one.files.length > SHOWN_FILES)
      lines.push(style.dim(`    and ${one.files.length - SHOWN_FILES} more: --json lists all`));
    fact('values', one.values.join(', '));
    fact('rows', one.rows.join(', '));
    fact('run', one.run);
    lines.push('');
  }
  if (found.sources.length === 0) lines.push('It comes from no source.', '');
  for (const one of found.models) {
    lines.push(`${style.bold(one.model)}  ${one.kind}, ${one.file}`);
    fact('version', one.version);
    fact('rows', one.rows === null ? null : one.rows.toLocaleString('en'));
    fact('run', one.run);
  }
  lines.push('');
  for (const one of found.runs) {
    lines.push(`${style.bold(`run ${one.run}`)}  by ${one.author}, ${one.startedAt}`);
    fact('plan', one.plan);
    fact('commit', one.gitCommit === '' ? 'none' : `${one.gitCommit}${one.isGitDirty ? ' and changes beside it' : ''}`);
    fact('lake', `snapshot ${one.snapshotBefore} to ${one.snapshotAfter}`);
    fact('tools', one.tools.replace(/[{}"]/g, '').replace(/:/g, ' ').replace(/,/g, ', '));
  }
  return `${lines.join('\n').replace(/\n+$/, '')}\n`;
}
