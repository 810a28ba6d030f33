import * as path from 'node:path';
import { Namer } from '../convert/names.js';
import type { BoundSource } from '../domain/bound-project.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { TextFile } from '../domain/location.js';
import type { Source } from '../domain/model.js';
import { STATE_SCHEMA } from '../domain/names.js';
import type { Project } from '../domain/project.js';
import { spdxOf } from '../domain/spdx.js';
import { contradictions } from '../ingest/contradictions.js';
import { declaredAddress, identityOf, isFixed, pageOf, titleOf } from '../ingest/web-address.js';
import { parseSourceFile } from '../parse/source-file.js';
import { type SourceDeclaration, writeSource } from '../parse/write-source.js';
import { bindSources } from './bind-sources.js';
import { type LoadEffects, sourceEffects } from './load-project.js';
import { readProject } from './read-project.js';
import { endOf, schemaName } from './source-name.js';

const FOLDER = 'sources';
/** Schemas that a lake has for itself. */
const reserved = ['main', 'temp', 'system', 'information_schema', 'pg_catalog', STATE_SCHEMA];

export interface AddRequest {
  /** As sources write it, or as it stands in a browser; a path is meant from the working folder. */
  readonly address: string;
  /** Absolute. */
  readonly workingFolder: string;
  readonly name?: string;
  readonly format?: string;
  readonly license?: string;
  readonly doi?: string;
  /** Which addresses get the checksum of what came: those of fixed bytes, or any. */
  readonly checksum: 'where fixed' | 'always';
}

/** A declaration that is not written yet, and what it means. */
export interface NewSource {
  /** Relative to the project. */
  readonly file: string;
  readonly text: string;
  /** With the declaration as it reads from the text. */
  readonly bound: BoundSource;
}

/**
 * Looks at what an address means, as a plan would (it is fetched and inspected), and makes a declaration of it with what the
 * place says. Nothing of the project is written.
 */
export async function newSource(request: AddRequest, effects: LoadEffects): Promise<Result<NewSource>> {
  const { project, diagnostics } = await readProject(effects);
  // Only beside sources that can be read it can be said that a new one is new.
  const broken = diagnostics.filter(
    ({ severity, location }) => severity === 'error' && location?.file.startsWith(`${FOLDER}/`) === true,
  );
  if (broken.length > 0) return fail(...broken);
  const declared = path.join(effects.projectFolder, FOLDER);
  const uri = declaredAddress(request.address, { given: request.workingFolder, declared });
  const same = sameAddress(uri, project.sources, effects);
  if (same !== undefined) return fail(same);
  const own = sourceEffects(project, effects);
  const { format } = request;
  const end = endOf(uri);
  const provisional = draft({ name: nameOr(request.name, end.name), uri, format });
  if (!provisional.ok) return provisional;
  const taken = request.name === undefined ? undefined : takenName(provisional.value, project, effects);
  if (taken !== undefined) return fail(taken);
  const title =
    request.name === undefined && end.type === 'place' ? await titleOf(provisional.value, own) : succeed('');
  if (!title.ok) return withoutPlaces(title.errors, provisional.value);
  const name = request.name ?? freeName(schemaName(title.value) || nameOr(undefined, end.name), project, effects);
  const source = draft({ name, uri, format });
  if (!source.ok) return source;
  const found = await bindSources([source.value], own);
  const [bound] = found.sources;
  if (bound === undefined) return withoutPlaces(found.diagnostics, source.value);
  const declaration = declarationOf(bound, request);
  const text = writeSource(declaration);
  const read = draft(declaration);
  if (!read.ok) return read;
  const wrong = lostIn(read.value, declaration);
  if (wrong !== undefined) return fail(wrong);
  const warnings = [
    ...found.diagnostics,
    ...contradictions(read.value, bound.facts),
    ...(read.value.license === '' ? [noLicense(read.value)] : []),
  ];
  const value = { file: fileOf(name), text, bound: { ...bound, source: read.value } };
  return succeed(value, placeless(warnings, read.value));
}

/** Writes a declaration, unless a file of its name has come meanwhile. */
export function writeNewSource({ file, text }: NewSource, { files, projectFolder }: LoadEffects): Result<string> {
  const target = path.join(projectFolder, file);
  if (files.facts(target) !== undefined) return fail(fileIsThere(file));
  files.writeText(target, text);
  return succeed(file);
}

function fileOf(name: string): string {
  return `${FOLDER}/${name.toLowerCase()}.sql`;
}

function nameOr(name: string | undefined, text: string): string {
  return name ?? (schemaName(text) || 'data');
}

/** A declaration as its own text reads. */
function draft(declaration: SourceDeclaration): Result<Source> {
  const file: TextFile = { path: fileOf(declaration.name), text: writeSource(declaration) };
  const parsed = parseSourceFile(file);
  const [source] = parsed.ok ? parsed.value : [];
  if (source !== undefined) return succeed(source);
  const errors = parsed.ok ? [] : parsed.errors;
  return fail(...errors.map(({ location: _, ...error }) => error));
}

function declarationOf({ source, facts = {}, resolved, sha256 }: BoundSource, request: AddRequest): SourceDeclaration {
  const { name, uri } = source;
  const license = request.license ?? facts.license ?? '';
  const hasChecksum = request.checksum === 'always' || isFixed(uri, resolved);
  // What moves on is declared by what does not; provenance has the DOI and the citation of the version that was taken.
  const doi = resolved === undefined ? facts.doi : (facts.conceptDoi ?? facts.doi);
  const isOfVersion = resolved !== undefined && facts.citation?.toLowerCase().includes(resolved.toLowerCase());
  return {
    name,
    uri,
    format: source.format,
    doi: oneLine(request.doi ?? doi),
    accession: oneLine(facts.accession),
    license: oneLine(spdxOf(license) ?? license),
    checksum: hasChecksum ? `sha256:${sha256}` : '',
    description: oneLine(facts.title),
    citation: isOfVersion ? '' : oneLine(facts.citation),
    homepage: pageOf(uri),
  };
}

/** What an archive says, without line breaks and what no file should hold. */
function oneLine(text = ''): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** An error where the text would not read as what was meant. */
function lostIn(read: Source, wanted: SourceDeclaration): Diagnostic | undefined {
  const keys = ['name', 'uri', 'format', 'doi', 'accession', 'license', 'checksum', 'description', 'citation'] as const;
  const lost = [...keys, 'homepage' as const].find((key) => (read[key] ?? '') !== (wanted[key] ?? ''));
  if (lost === undefined) return undefined;
  return {
    code: 'SL0519',
    severity: 'error',
    message: `source "${wanted.name}": its ${lost} cannot be written down: it would read as ${read[lost] ?? 'nothing'}`,
    hint: 'nothing was written; declare the source by hand',
  };
}

function sameAddress(uri: string, sources: readonly Source[], { projectFolder }: LoadEffects): Diagnostic | undefined {
  const wanted = identityOf(uri, path.join(projectFolder, FOLDER));
  const same = sources.find(
    (source) =>
      source.api === undefined &&
      identityOf(source.uri, path.join(projectFolder, path.dirname(source.file.path))) === wanted,
  );
  if (same === undefined) return undefined;
  return {
    code: 'SL0518',
    severity: 'error',
    message: `source "${same.name}" has this address already`,
    location: same.uriLocation,
    hint: `read its tables as ${same.name}.…, or change its declaration`,
  };
}

/** An error where a name that was asked for is another's. */
function takenName(
  { name }: Source,
  { sources, models }: Project,
  { files, projectFolder }: LoadEffects,
): Diagnostic | undefined {
  const problem = { code: 'SL0303', severity: 'error', hint: 'give it another: --name' } as const;
  const source = sources.find((one) => one.name === name);
  if (source !== undefined)
    return { ...problem, message: `there is a source named ${name} already`, location: source.location };
  const model = models.find((one) => one.name.schema === name && one.kind.storage !== 'outside');
  if (model !== undefined)
    return { ...problem, message: `${name} is the schema of model ${model.key}`, location: model.location };
  if (reserved.includes(name)) return { ...problem, message: `${name} is a schema of the lake's own` };
  return files.facts(path.join(projectFolder, fileOf(name))) === undefined ? undefined : fileIsThere(fileOf(name));
}

function fileIsThere(file: string): Diagnostic {
  return {
    code: 'SL0303',
    severity: 'error',
    message: `${file} is there already`,
    location: { file, line: 1, column: 1, length: 1, text: '' },
    hint: 'give the source another name: --name',
  };
}

function freeName(wanted: string, { sources, models }: Project, { files, projectFolder }: LoadEffects): string {
  const taken = [
    ...reserved,
    ...sources.map((source) => source.name),
    ...models.map((model) => model.name.schema),
    ...files.list(path.join(projectFolder, FOLDER)).map((name) => name.replace(/\.sql$/, '')),
  ];
  return new Namer(taken).name(wanted);
}

function noLicense({ name }: Source): Diagnostic {
  return {
    code: 'SL0520',
    severity: 'warning',
    message: `source "${name}": nobody says under which license it is`,
    hint: 'look it up, and give it: --license, or the line in the file',
  };
}

/** Places in a file that is not written yet would lead nowhere. */
function placeless(diagnostics: readonly Diagnostic[], { file }: Source): readonly Diagnostic[] {
  return diagnostics.map(({ location, ...rest }) =>
    location === undefined || location.file === file.path ? rest : { location, ...rest },
  );
}

function withoutPlaces(errors: readonly Diagnostic[], source: Source): Result<never> {
  return { ok: false, errors: placeless(errors, source) };
}
