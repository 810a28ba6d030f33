import * as path from 'node:path';
import { readManifest } from '../../catalog/state-tables.js';
import {
  type Exported,
  type ExportRequest,
  exportAnnData,
  exportFolder,
  parseManifest,
  tablesOf,
} from '../../convert/index.js';
import { type Diagnostic, fail, type Result } from '../../domain/diagnostic.js';
import { environmentName, PROD, qualified } from '../../domain/names.js';
import type { ProjectConfig } from '../../domain/project.js';
import { parseConfigOnly } from '../../load/read-project.js';
import { withEnvironment } from '../../workflow.js';
import {
  type CommandContext,
  type CommandDefinition,
  countOption,
  exitCodes,
  textOption,
  UsageError,
} from '../command.js';
import { reportErrors, showJson } from '../report.js';

/** `scilake anndata export FROM OUT`: the way back to h5ad, from a converted folder, a source or a model. */
export const anndata: CommandDefinition = {
  configure(command) {
    command
      .argument('<action>', 'export')
      .argument('<from>', 'a folder that scilake convert made, a source, or a model (schema.table)')
      .argument('<out>', 'the h5ad file to make; must not be there yet')
      .option('--env <environment>', 'environment to read (default: prod)')
      .option('--obs <table>', 'cells of a model that is a matrix: schema.table with cell_idx')
      .option('--var <table>', 'genes of a model that is a matrix: schema.table with gene_idx')
      .option('--compression <method>', 'gzip (default) or none')
      .option('--sort-memory <megabytes>', 'memory for sorting a matrix (default: 1024)');
  },
  async run(context, [action = '', from = '', out = ''], options) {
    if (action !== 'export') throw new UsageError(`scilake anndata can export, not ${action}`);
    const { shell, workspace } = context;
    const compression = textOption(options, 'compression') ?? 'gzip';
    if (compression !== 'gzip' && compression !== 'none')
      throw new UsageError(`--compression is gzip or none, not ${compression}`);
    const sortMemoryMb = countOption(options, 'sortMemory', 1);
    const request: ExportRequest = {
      out: path.resolve(shell.workingFolder, out),
      displayName: from,
      compression,
      ...(sortMemoryMb === undefined ? {} : { sortMemoryMb }),
    };
    const folder = path.resolve(shell.workingFolder, from);
    const { files } = workspace.outside;
    const isFolder = files.facts(folder)?.isDirectory === true;
    const hasManifest = isFolder && files.facts(path.join(folder, 'manifest.json')) !== undefined;
    let exported: Result<Exported>;
    if (hasManifest || (isFolder && /[\\/]/.test(from)))
      exported = await exportFolder(folder, request, workspace.outside);
    else {
      const config = parseConfigOnly({ ...workspace.outside, projectFolder: workspace.projectFolder });
      exported = config.ok
        ? await exportFromLake(context, config.value, { from, request, options })
        : { ok: false, errors: config.errors };
    }
    if (!exported.ok) return reportErrors(context, exported.errors);
    const { elements, warnings } = exported.value;
    if (context.options.json) showJson(shell, { file: request.out, elements, warnings });
    else shell.out(`${out}: ${elements.join(', ')}\n`);
    if (!context.options.json) for (const warning of warnings) shell.err(`warning: ${warning}\n`);
    return exitCodes.done;
  },
};

interface LakeExport {
  readonly from: string;
  readonly request: ExportRequest;
  readonly options: Readonly<Record<string, unknown>>;
}

function exportFromLake(
  { workspace }: CommandContext,
  config: ProjectConfig,
  { from, request, options }: LakeExport,
): Promise<Result<Exported>> {
  const name = environmentName(textOption(options, 'env') ?? PROD);
  const effects = workspace.outside;
  return withEnvironment(workspace, config, name, async (database, { environment, state }) => {
    const source = from.toLowerCase();
    const version = environment.sources[source];
    if (version !== undefined) {
      const text = await readManifest(database, source, version);
      const manifest = text === undefined ? undefined : parseManifest(text);
      if (manifest === undefined) {
        const format = state.datasets.get(`${source}@${version}`)?.format ?? 'unknown';
        return fail(noManifest(from, format, text !== undefined));
      }
      const tables = {
        manifest,
        database,
        relation: ({ table }: { readonly table: string }) => qualified(source, table.toLowerCase()),
      };
      return exportAnnData(tables, request, effects);
    }
    const known = new Set([
      ...Object.keys(environment.models),
      ...Object.entries(environment.sources).flatMap(([schema, of]) =>
        (state.datasets.get(`${schema}@${of}`)?.elements ?? []).map(({ table }) => `${schema}.${table.toLowerCase()}`),
      ),
    ]);
    const tables: Record<string, string> = {};
    for (const [role, table] of [
      ['from', from],
      ['obs', textOption(options, 'obs')],
      ['vars', textOption(options, 'var')],
    ] as const) {
      if (table === undefined) continue;
      const key = table.toLowerCase();
      if (!known.has(key)) return fail(noTable(table, name));
      tables[role] = qualified(...key.split('.'));
    }
    const { from: relation = '', ...others } = tables;
    const chosen = await tablesOf({ displayName: from, relation, ...others }, database);
    return chosen.ok ? exportAnnData(chosen.value, request, effects) : chosen;
  });
}

function noManifest(source: string, format: string, isOther: boolean): Diagnostic {
  return {
    code: 'SL0660',
    severity: 'error',
    message: isOther
      ? `source "${source}" is a ${format} file without cells and genes`
      : `the lake holds no manifest of source "${source}": it was registered by an older Scilake`,
    hint: isOther
      ? 'export a model that has the shape of a matrix: cell_idx, gene_idx and value'
      : 'convert its file with scilake convert, and export that folder',
  };
}

function noTable(table: string, environment: string): Diagnostic {
  return {
    code: 'SL0660',
    severity: 'error',
    message: `there is no folder with a manifest, no source and no table "${table}" in ${environment}`,
    hint: 'scilake graph lists sources and models; a table is written as schema.table',
  };
}
