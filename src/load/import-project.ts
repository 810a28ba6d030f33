import * as path from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import type { TextFile } from '../domain/location.js';
import type { Model, SqlText } from '../domain/model.js';
import type { Project } from '../domain/project.js';
import type { Files } from '../effects/files.js';
import { CONFIG_FILE } from '../parse/config.js';
import { withVariables } from '../parse/sqlmesh-config.js';
import { tokenize } from '../parse/tokenizer.js';
import { parseUnitTests } from '../parse/unit-test-file.js';
import { type LoadEffects, loadProject } from './load-project.js';
import { readProject } from './read-project.js';
import { configFile } from './sqlmesh-files.js';

/** What becomes of one file of a SQLMesh project. */
export interface ImportedFile {
  /** Relative to the project that is imported. */
  readonly path: string;
  readonly outcome: 'carries over' | 'changes' | 'does not carry over';
  readonly notes: readonly string[];
  /** What a Scilake project holds in its place; undefined where it holds nothing. */
  readonly written: { readonly path: string; readonly text: string | 'copy' } | undefined;
}

/**
 * Reads a SQLMesh project and says of each file what becomes of it. Nothing is written, not even to a cache.
 *
 * @param outFolder where the imported project would stand: paths in its settings start there
 */
export async function importProject(effects: LoadEffects, outFolder: string): Promise<Result<readonly ImportedFile[]>> {
  const { projectFolder } = effects;
  const config = configFile(projectFolder, effects.files);
  const names = effects.files.list(projectFolder).filter((name) => isPart(name) || name === config);
  if (names.length === 0)
    return fail({
      code: 'SL0137',
      severity: 'error',
      message: `${projectFolder} is no SQLMesh project: it has neither config.yaml nor models`,
      hint: 'give the folder that holds config.yaml',
    });
  const untouched: LoadEffects = { ...effects, files: { ...effects.files, writeCache: () => undefined } };
  const { project, diagnostics } = await readProject(untouched);
  const loaded = await loadProject(untouched, 'all');
  const context: ImportContext = {
    effects,
    project,
    outFolder,
    diagnostics: [...diagnostics, ...(loaded.ok ? loaded.warnings : loaded.errors)],
  };
  return succeed(names.flatMap((name) => importedFile(name, name === config, context)));
}

interface ImportContext {
  readonly effects: LoadEffects;
  readonly project: Project;
  readonly outFolder: string;
  readonly diagnostics: readonly Diagnostic[];
}

const folders = [
  'models',
  'audits',
  'macros',
  'seeds',
  'tests',
  'external_models',
  'signals',
  'materializations',
  'linter',
  'metrics',
];

/** Whether SQLMesh would read a file. */
function isPart(name: string): boolean {
  const [folder = ''] = name.split('/');
  const isConfig = /^(?:config|sqlmesh)\.(?:ya?ml|py)$/.test(name);
  return isConfig || name === 'external_models.yaml' || (folders.includes(folder) && name.includes('/'));
}

function importedFile(name: string, isConfig: boolean, context: ImportContext): readonly ImportedFile[] {
  const { effects, project } = context;
  const file = (): TextFile => ({ path: name, text: effects.files.readText(path.join(effects.projectFolder, name)) });
  const found = context.diagnostics.filter((diagnostic) => diagnostic.location?.file === name);
  const notes = [...new Set(found.map(noteOf))];
  const copied = { path: name, text: 'copy' } as const;
  if (isConfig) {
    const text = settingsText(file(), context);
    return [
      {
        path: name,
        outcome: 'changes',
        notes: [`becomes ${CONFIG_FILE}`, ...notes],
        written: { path: CONFIG_FILE, text },
      },
    ];
  }
  if (name.endsWith('.py')) {
    const isEmpty = !notes.length && name.endsWith('__init__.py');
    const why = notes.length > 0 ? notes : ['Python is not run'];
    return isEmpty ? [] : [{ path: name, outcome: 'does not carry over', notes: why, written: undefined }];
  }
  if (name.startsWith('metrics/'))
    return [{ path: name, outcome: 'does not carry over', notes: ['there are no metrics'], written: undefined }];
  if (/^(?:config|sqlmesh)\./.test(name)) return [];
  const problems = name.startsWith('tests/') && /\.ya?ml$/.test(name) ? testProblems(file()) : [];
  const models = project.models.filter((model) => model.file.path === name);
  const foreign = models.find((model) => model.dialect !== undefined);
  const passive = [...new Set(models.flatMap((model) => Object.keys(model.otherProperties)))];
  const all = [
    ...notes,
    ...problems,
    ...(foreign === undefined ? [] : [`translated from ${foreign.dialect}; compare its results`]),
    ...(passive.length === 0 ? [] : [`kept, without effect: ${passive.join(', ')}`]),
  ];
  const isWrong = problems.length > 0 || found.some((diagnostic) => diagnostic.severity === 'error');
  const outcome = isWrong ? 'does not carry over' : foreign === undefined ? 'carries over' : 'changes';
  const text = foreign === undefined || isWrong ? 'copy' : translatedFile(file(), models);
  return [{ path: name, outcome, notes: all, written: { ...copied, text } }];
}

function noteOf({ message, hint, location }: Diagnostic): string {
  const place =
    location === undefined || (location.line === 1 && location.column === 1) ? '' : `line ${location.line}: `;
  return `${place}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function testProblems(file: TextFile): readonly string[] {
  const tests = parseUnitTests(file);
  return tests.ok ? [] : tests.errors.map(noteOf);
}

/** The file with the translations in place of what was translated; as it is where one text stands for several models. */
function translatedFile(file: TextFile, models: readonly Model[]): string | 'copy' {
  const [model] = models;
  // What blueprints and variables filled in does not stand at its place in the file.
  if (model === undefined || models.length !== 1 || model.file.text !== file.text) return 'copy';
  const statements: readonly (SqlText | undefined)[] = [
    model.query,
    ...model.preStatements,
    ...model.postStatements,
    ...model.onVirtualUpdate,
  ];
  const edits = statements.flatMap((sql) =>
    sql?.isTranslated === true && sql.file.path === file.path ? [{ ...sql.span, text: sql.text }] : [],
  );
  const dialect = dialectValue(file.text);
  if (dialect !== undefined) edits.push({ ...dialect, text: 'duckdb' });
  let text = '';
  let from = 0;
  for (const edit of edits.sort((a, b) => a.start - b.start)) {
    text += file.text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return text + file.text.slice(from);
}

/** Where the header gives its dialect. */
function dialectValue(text: string): { readonly start: number; readonly end: number } | undefined {
  const { tokens } = tokenize(text);
  const at = tokens.findIndex(
    (token, index) => token.text.toLowerCase() === 'dialect' && /^[(,]$/.test(tokens[index - 1]?.text ?? ''),
  );
  const value = tokens[at + 1];
  return at < 0 || value === undefined ? undefined : { start: value.start, end: value.end };
}

/** Settings that mean the same in both. */
const sharedSettings = [
  'model_defaults',
  'variables',
  'before_all',
  'after_all',
  'default_target_environment',
  'linter',
];

/** `scilake.yaml` with what carries over. Files of the connection are named from where the project will stand. */
function settingsText(file: TextFile, { effects, project, outFolder }: ImportContext): string {
  const values: unknown = parseDocument(withVariables(file.text, effects.environment ?? {})).toJS();
  const given = isRecord(values) ? values : {};
  const { config } = project;
  const kept = Object.fromEntries(sharedSettings.flatMap((name) => (name in given ? [[name, given[name]]] : [])));
  const defaults = isRecord(kept.model_defaults) ? kept.model_defaults : {};
  const gateways = isRecord(given.gateways) ? given.gateways : {};
  const gateway = gateways[config.gateway];
  const variables = isRecord(gateway) && isRecord(gateway.variables) ? { variables: gateway.variables } : {};
  const catalogs = Object.fromEntries(
    config.catalogs.map((one) => [
      one.name,
      path.relative(outFolder, path.resolve(effects.projectFolder, one.path)).split(path.sep).join('/'),
    ]),
  );
  const connection = config.catalogs.length === 0 ? {} : { connection: { type: 'duckdb', catalogs } };
  const hasGateway = 'connection' in connection || 'variables' in variables;
  const name = config.name === 'scilake' ? path.basename(effects.projectFolder) : config.name;
  return stringify({
    name,
    ...kept,
    model_defaults: { ...defaults, dialect: 'duckdb' },
    ...(hasGateway ? { gateways: { [config.gateway]: { ...connection, ...variables } } } : {}),
  });
}

/** Writes an imported project into a folder of its own, which must be empty. */
export function writeImported(
  imported: readonly ImportedFile[],
  { files, from, to }: { readonly files: Files; readonly from: string; readonly to: string },
): Result<readonly string[]> {
  if (files.entries(to).length > 0)
    return fail({
      code: 'SL0137',
      severity: 'error',
      message: `${to} is not empty`,
      hint: 'give a folder that does not exist yet: nothing is overwritten',
    });
  const written: string[] = [];
  for (const file of imported) {
    if (file.written === undefined) continue;
    const target = path.join(to, file.written.path);
    files.makeFolder(path.dirname(target));
    if (file.written.text === 'copy') files.copy(path.join(from, file.path), target);
    else files.writeText(target, file.written.text);
    written.push(file.written.path);
  }
  if (!written.includes(CONFIG_FILE)) {
    files.writeText(path.join(to, CONFIG_FILE), stringify({ name: path.basename(from) }));
    written.push(CONFIG_FILE);
  }
  files.writeText(path.join(to, '.gitignore'), '.scilake/\n');
  return succeed(written);
}
