import * as path from 'node:path';
import { type Diagnostic, type Result, succeed } from '../domain/diagnostic.js';
import type { TextFile } from '../domain/location.js';
import type { Audit, Model, Source } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Project, ProjectConfig } from '../domain/project.js';
import type { Files } from '../effects/files.js';
import { parseAuditFile } from '../parse/audit-file.js';
import { builtInAudits } from '../parse/built-in-audits.js';
import { defaultConfig, parseConfig } from '../parse/config.js';
import { parseExternalModels } from '../parse/external-models.js';
import { parseModelFile } from '../parse/model-file.js';
import { parseSourceFile } from '../parse/source-file.js';

export const CONFIG_FILE = 'scilake.yaml';

/** What could be read of a project, with all that is wrong in the rest. */
export interface ReadProject {
  readonly project: Project;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads and parses every file of a project. Files that are wrong are left out of it, so that the others can still be looked at. */
export function readProject(projectFolder: string, files: Files): ReadProject {
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
  const config = exists(CONFIG_FILE) ? (collect(parseConfig(read(CONFIG_FILE)))[0] ?? defaultConfig) : defaultConfig;
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
  const models = [
    ...externals,
    ...below('models', '.sql').flatMap((file) => collect(parseModelFile(file, config.modelDefaults)).flat()),
  ];
  const audits = below('audits', '.sql').flatMap((file) => collect(parseAuditFile(file)).flat());
  diagnostics.push(...duplicates(models, sources, audits));
  const project: Project = {
    config,
    models,
    sources,
    audits: new Map([...builtInAudits, ...audits].map((audit) => [audit.name, audit])),
  };
  diagnostics.push(...unknownAudits(project));
  return { project, diagnostics };
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

function unknownAudits(project: Project): readonly Diagnostic[] {
  return project.models.flatMap((model) => {
    const inline = new Set(model.inlineAudits.map((audit) => audit.name));
    return model.audits
      .filter((call) => !inline.has(call.name) && !project.audits.has(call.name))
      .map(
        (call): Diagnostic => ({
          code: 'SL0804',
          severity: 'error',
          message: `there is no audit "${call.name}"`,
          location: call.location,
          hint: nearAudit(call.name, [...project.audits.keys(), ...inline]),
        }),
      );
  });
}

function nearAudit(name: string, known: readonly string[]): string {
  const near = didYouMean(name, known);
  return near ?? `known are ${known.join(', ')}`;
}

/** Reads `scilake.yaml` alone, for commands that need no models. */
export function parseConfigOnly(projectFolder: string, files: Files): Result<ProjectConfig> {
  const file = path.join(projectFolder, CONFIG_FILE);
  if (files.facts(file) === undefined) return succeed(defaultConfig);
  return parseConfig({ path: CONFIG_FILE, text: files.readText(file) });
}
