import * as path from 'node:path';
import { parseEnv } from 'node:util';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import type { TextFile } from '../domain/location.js';
import type { Audit, Model, Source } from '../domain/model.js';
import type { Project, ProjectConfig } from '../domain/project.js';
import type { Files } from '../effects/files.js';
import { type CodeModule, loadCode } from '../effects/project-code.js';
import { parseAuditFile } from '../parse/audit-file.js';
import { builtInAudits } from '../parse/built-in-audits.js';
import { CONFIG_FILE, defaultConfig, parseConfig } from '../parse/config.js';
import { parseExternalModels } from '../parse/external-models.js';
import { jinjaBlocks } from '../parse/jinja-blocks.js';
import { isJinjaMacroFile, parseMacroFile } from '../parse/macro-file.js';
import { configVariables, scopeOf, withDefinitions } from '../parse/macros/index.js';
import { parseModelFile } from '../parse/model-file.js';
import { parseSourceFile } from '../parse/source-file.js';
import { withVariables } from '../parse/sqlmesh-config.js';
import { checkAuditCalls } from './check-audit-calls.js';
import { loadJinja } from './jinja.js';
import { codeModels, projectFunctions, unknownSignals, withMaterializations } from './project-code.js';
import { macroFunctions } from './project-macros.js';
import { configFile, pythonFiles } from './sqlmesh-files.js';
import { translateModels } from './translate-models.js';

/** What could be read of a project, with all that is wrong in the rest. */
export interface ReadProject {
  readonly project: Project;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ReadEffects {
  readonly projectFolder: string;
  readonly files: Files;
  readonly cacheFolder: string;
  /** Variables of the process: `SCILAKE__A__B` sets `a.b`. */
  readonly environment?: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of the process over those of the project's `.env`. */
function environmentOf(projectFolder: string, files: Files, environment: Environment = {}): Environment {
  const file = path.join(projectFolder, '.env');
  return files.facts(file) === undefined ? environment : { ...parseEnv(files.readText(file)), ...environment };
}

/** Reads and parses every file of a project. Files that are wrong are left out of it, so that the others can still be looked at. */
export async function readProject({
  projectFolder,
  files,
  cacheFolder,
  environment,
}: ReadEffects): Promise<ReadProject> {
  const diagnostics: Diagnostic[] = [];
  const collect = <T>(result: Result<T>): readonly T[] => {
    if (result.ok) {
      diagnostics.push(...result.warnings);
      return [result.value];
    }
    diagnostics.push(...result.errors);
    return [];
  };
  const read = (relative: string): TextFile => ({
    path: relative,
    text: files.readText(path.join(projectFolder, relative)),
  });
  const below = (folder: string, ending: string): readonly TextFile[] =>
    files
      .list(path.join(projectFolder, folder))
      .filter((name) => name.endsWith(ending))
      .map((name) => read(`${folder}/${name}`));
  const exists = (name: string): boolean => files.facts(path.join(projectFolder, name)) !== undefined;
  const config =
    collect(parseConfigOnly({ projectFolder, files, ...(environment && { environment }) }))[0] ?? defaultConfig;
  diagnostics.push(...pythonFiles(projectFolder, files));
  const sources = below('sources', '.sql').flatMap((file) => collect(parseSourceFile(file)).flat());
  const externals = [
    'external_models.yaml',
    ...files
      .list(path.join(projectFolder, 'external_models'))
      .filter((n) => /\.ya?ml$/.test(n))
      .map((n) => `external_models/${n}`),
  ]
    .filter(exists)
    .flatMap((name) => collect(parseExternalModels(read(name), config.modelDefaults)).flat());
  const macroFiles = below('macros', '.sql');
  const macroDefinitions = macroFiles
    .filter((file) => !isJinjaMacroFile(file))
    .flatMap((file) => collect(parseMacroFile(file)).flat());
  const modelFiles = below('models', '.sql');
  const auditFiles = below('audits', '.sql');
  const jinja = [...modelFiles, ...auditFiles].some((file) => jinjaBlocks(file).length > 0)
    ? await loadJinja(macroFiles.filter(isJinjaMacroFile).map((file) => file.text))
    : undefined;
  const code = async (folder: string): Promise<readonly CodeModule[]> => {
    const names = files.list(path.join(projectFolder, folder)).filter(isCode);
    const loaded = await loadCode(
      projectFolder,
      names.map((name) => `${folder}/${name}`),
      { files, cacheFolder },
    );
    diagnostics.push(...loaded.errors);
    return loaded.modules;
  };
  const modules = await code('macros');
  const ownFunctions = projectFunctions({
    materializations: await code('materializations'),
    signals: await code('signals'),
  });
  const { functions, errors: functionErrors } = macroFunctions(modules);
  diagnostics.push(...functionErrors);
  const { scope: headerScope, errors: definitionErrors } = withDefinitions(
    { ...scopeOf(configVariables(config.variables)), functions },
    macroDefinitions,
  );
  diagnostics.push(...definitionErrors);
  const written = [
    ...externals,
    ...collect(
      withMaterializations(
        [
          ...modelFiles.flatMap((file) => collect(parseModelFile(file, config.modelDefaults, headerScope)).flat()),
          ...collect(codeModels(await code('models'), config.modelDefaults)).flat(),
        ],
        ownFunctions.materializations,
      ),
    ).flat(),
  ];
  const translated = await translateModels(written);
  diagnostics.push(...translated.diagnostics);
  const { models } = translated;
  diagnostics.push(...unknownSignals(models, ownFunctions.signals));
  const audits = auditFiles.flatMap((file) => collect(parseAuditFile(file)).flat());
  diagnostics.push(...duplicates(models, sources, audits));
  const project: Project = {
    config,
    models,
    sources,
    audits: new Map([...builtInAudits, ...audits].map((audit) => [audit.name, audit])),
    macros: { functions, definitions: macroDefinitions, ...(jinja === undefined ? {} : { jinja }) },
    functions: ownFunctions,
  };
  diagnostics.push(...checkAuditCalls(project));
  return { project, diagnostics };
}

/** What is loaded as code. Declarations and tests beside it are not. */
function isCode(name: string): boolean {
  return /\.(?:ts|mts|js|mjs)$/.test(name) && !/\.(?:d|test|spec)\.m?ts$/.test(name);
}

function duplicates(
  models: readonly Model[],
  sources: readonly Source[],
  audits: readonly Audit[],
): readonly Diagnostic[] {
  const named = [
    ...models.map((model) => ({ kind: 'model', name: model.key, location: model.location })),
    ...sources.map((source) => ({ kind: 'source', name: source.name, location: source.location })),
    ...audits.map((audit) => ({ kind: 'audit', name: audit.name, location: audit.location })),
  ];
  const first = new Map<string, (typeof named)[number]>();
  const found: Diagnostic[] = [];
  for (const one of named) {
    const key = `${one.kind} ${one.name}`;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, one);
    else {
      found.push({
        code: 'SL0303',
        severity: 'error',
        message: `there are two ${one.kind}s named ${one.name}`,
        location: one.location,
        hint: 'rename one of them',
        related: [{ message: 'the first is here', location: earlier.location }],
      });
    }
  }
  const schemas = new Map(sources.map((source) => [source.name, source]));
  for (const model of models) {
    const source = schemas.get(model.name.schema);
    if (source === undefined || model.kind.storage === 'outside') continue;
    found.push({
      code: 'SL0303',
      severity: 'error',
      message: `the schema of model ${model.key} belongs to source "${source.name}"`,
      location: model.location,
      hint: 'put the model into another schema, for example staging',
      related: [{ message: 'the source is here', location: source.location }],
    });
  }
  return found;
}

/** Reads the settings alone (`scilake.yaml`, or SQLMesh's where there is none), for commands that need no models. */
export function parseConfigOnly({
  projectFolder,
  files,
  environment,
}: Omit<ReadEffects, 'cacheFolder'>): Result<ProjectConfig> {
  const name = configFile(projectFolder, files);
  if (name === undefined) return succeed(defaultConfig);
  const variables = environmentOf(projectFolder, files, environment);
  const text = files.readText(path.join(projectFolder, name));
  return parseConfig({ path: name, text: name === CONFIG_FILE ? text : withVariables(text, variables) }, variables);
}
