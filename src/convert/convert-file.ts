import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Conversion, ElementSchema } from '../domain/convert.js';
import { DiagnosticError, fail, type Result, succeed } from '../domain/diagnostic.js';
import { canonicalJson, digest } from '../domain/digest.js';
import { didYouMean } from '../domain/near-miss.js';
import type { FileFacts } from '../effects/files.js';
import { compressionOf, contentHead, storedHead } from './compression/index.js';
import {
  type Candidate,
  type ConvertEffects,
  type ConvertRequest,
  convertError,
  type Format,
  type FormatEffects,
  type FormatOption,
  type MemberRoute,
  type RawFile,
} from './format.js';
import { formats } from './formats/index.js';
import { type JsonObject, jsonText } from './json.js';
import { stemOf } from './names.js';
import { sortMemoryOption } from './sort-memory.js';
import { CONVERTER_VERSION } from './version.js';
import { WorkFolder } from './work-folder.js';

/**
 * The tables that `convertFile` would write: their names, columns and DuckDB types, from metadata wherever the format
 * has any. Planning binds SQL against them before anything is converted.
 *
 * @returns the format's name and its tables; or why the file cannot be read (SL06xx)
 */
export async function inspectFile(
  request: ConvertRequest,
  effects: ConvertEffects,
): Promise<Result<{ readonly format: string; readonly elements: readonly ElementSchema[] }>> {
  return valued(async () => {
    const settled = await settle(request, effects);
    if (!settled.ok) return settled;
    const { format, raw } = settled.value;
    const inspected = await format.inspect(raw, formatEffects(effects));
    return inspected.ok ? succeed({ format: format.name, elements: inspected.value }, inspected.warnings) : inspected;
  });
}

/**
 * All files that a conversion of this one would read: itself, and what belongs to it (the names beside a matrix).
 *
 * @returns absolute paths; or why the file cannot be read (SL06xx)
 */
export async function inputFiles(request: ConvertRequest, effects: ConvertEffects): Promise<Result<readonly string[]>> {
  return valued(async () => {
    const settled = await settle(request, effects);
    if (!settled.ok) return settled;
    const { format, raw } = settled.value;
    return succeed(format.inputs?.(raw) ?? [raw.file]);
  });
}

/**
 * Converts a raw file into a folder of parquet files and a `manifest.json`. They are written into a neighbour of `out`,
 * compared with what was read, and renamed: `out` holds everything or does not exist. Equal input gives equal bytes. What
 * an earlier try of the same conversion finished before it was cut off is not written again.
 *
 * @param request  `out`: absolute path of a folder that does not exist, or is empty
 * @returns        what was written; or why nothing was (SL06xx)
 */
export async function convertFile(
  request: ConvertRequest & { readonly out: string },
  effects: ConvertEffects,
): Promise<Result<Conversion>> {
  return valued(async () => {
    const settled = await settle(request, effects);
    if (!settled.ok) return settled;
    const { format, raw } = settled.value;
    if (isOccupied(request.out)) {
      return fail(
        convertError('SL0605', `the output folder ${request.out} exists and is not empty`, 'name a new folder'),
      );
    }
    const input = await inputFacts(format, raw, effects);
    const work = WorkFolder.open(request.out, keyOf(format, raw, input), effects);
    if (!(work instanceof WorkFolder)) {
      return fail(
        convertError(
          'SL0605',
          `process ${work.heldBy} is converting into ${request.out}`,
          'wait until it is done, or name another folder',
        ),
      );
    }
    try {
      const written = await format.convert(raw, work.parquetFolder, formatEffects({ ...effects, kept: work }));
      if (!written.ok) return written;
      const changed = input.find(({ file, facts }) => !isSame(effects.files.facts(file), facts));
      if (changed !== undefined) {
        const name = input.length === 1 ? raw.displayName : `${raw.displayName}: ${path.basename(changed.file)}`;
        return fail(convertError('SL0607', `${name} changed while it was converted`, 'convert it again'));
      }
      const { elements, manifest, warnings } = written.value;
      const text = manifestText(format, input, { ...manifest, warnings });
      effects.files.writeText(path.join(work.parquetFolder, 'manifest.json'), text);
      if (effects.files.facts(request.out) !== undefined) effects.files.remove(request.out);
      work.publish(request.out);
      return succeed({ format: format.name, elements, warnings }, written.warnings);
    } finally {
      work.remove();
    }
  });
}

interface InputFacts {
  readonly file: string;
  readonly facts: FileFacts | undefined;
  readonly sha256: string;
}

/** Sizes and times are taken before the checksums, so that a change in between shows. */
async function inputFacts(format: Format, raw: RawFile, { files }: ConvertEffects): Promise<readonly InputFacts[]> {
  const found: InputFacts[] = [];
  for (const file of format.inputs?.(raw) ?? [raw.file]) {
    const facts = files.facts(file);
    found.push({ file, facts, sha256: await files.sha256(file) });
  }
  return found;
}

function isSame(a: FileFacts | undefined, b: FileFacts | undefined): boolean {
  return a?.sizeBytes === b?.sizeBytes && a?.modifiedMs === b?.modifiedMs;
}

/** What decides which bytes are written: not the memory that sorting may take. */
function keyOf(format: Format, raw: RawFile, input: readonly InputFacts[]): string {
  const { [sortMemoryOption.name]: _, ...options } = raw.options;
  const inputs = input.flatMap(({ file, sha256 }) => [path.basename(file), sha256]);
  return digest(CONVERTER_VERSION, format.name, canonicalJson(options), ...inputs);
}

function manifestText(format: Format, input: readonly InputFacts[], manifest: JsonObject): string {
  const { warnings, ...members } = manifest;
  const digests = input.map(({ file, sha256 }) => ({ file: path.basename(file), sha256 }));
  const source = {
    source_format: format.name,
    source_sha256: digests[0]?.sha256,
    ...(digests.length > 1 ? { source_files: digests } : {}),
  };
  return `${jsonText({ ...members, ...source, warnings }, '\n')}\n`;
}

/** Turns thrown diagnostics back into a value; our own bugs go on as they are. */
async function valued<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return { ok: false, errors: thrown.diagnostics };
    throw thrown;
  }
}

/** Finds the format and checks the options' names. */
async function settle(
  request: ConvertRequest,
  effects: ConvertEffects,
): Promise<Result<{ readonly format: Format; readonly raw: RawFile }>> {
  const facts = effects.files.facts(request.file);
  if (facts === undefined) return fail(convertError('SL0601', `${request.displayName} does not exist`));
  const candidate = facts.isDirectory ? folderCandidate(request) : await fileCandidate(request);
  const chosen =
    request.format === undefined ? recognise(request, candidate) : named(request, request.format, candidate);
  if (!chosen.ok) return chosen;
  const format = chosen.value;
  const known = optionsOf(format).map((option) => option.name);
  const unknown = Object.keys(request.options ?? {}).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return fail(
      ...unknown.map((name) =>
        convertError(
          'SL0603',
          `${request.displayName}: format ${format.name} has no option "${name}"`,
          didYouMean(name, known) ?? (known.length === 0 ? 'it has none' : `its options are ${known.join(', ')}`),
        ),
      ),
    );
  }
  const { file, displayName } = request;
  const defaults = Object.entries(request.defaults ?? {}).filter(([name]) => known.includes(name));
  const options = { ...Object.fromEntries(defaults), ...request.options };
  return succeed({ format, raw: { file, displayName, options, sizeBytes: facts.sizeBytes } });
}

/** Its own options; of an archive those of everything that it may hold, too. */
function optionsOf(format: Format): readonly FormatOption[] {
  return format.handsOptionsOn === true ? formats.flatMap(({ options }) => options) : format.options;
}

/** For a file that is in no archive. */
function formatEffects(effects: ConvertEffects): FormatEffects {
  return { ...effects, nesting: { depth: 0 }, route: (member) => routeOf(member, effects) };
}

async function routeOf(member: Omit<RawFile, 'sizeBytes'>, effects: ConvertEffects): Promise<MemberRoute | undefined> {
  const format = bestOf(await fileCandidate(member));
  if (format === undefined) return undefined;
  const known = optionsOf(format).map((option) => option.name);
  const options = Object.fromEntries(Object.entries(member.options).filter(([name]) => known.includes(name)));
  const raw: RawFile = { ...member, options, sizeBytes: effects.files.facts(member.file)?.sizeBytes ?? 0 };
  return {
    formatName: format.name,
    inputs: format.inputs?.(raw) ?? [raw.file],
    subject: (fileName) => format.subject?.(fileName) ?? stemOf(fileName, format.endings),
    inspect: (within) => format.inspect(raw, within),
    convert: (folder, within) => format.convert(raw, folder, within),
    raw,
    ...(format.together === undefined ? {} : { together: format.together }),
  };
}

/** What is declared goes before what the name says, but not against the content. */
function named(request: ConvertRequest, name: string, candidate: Candidate): Result<Format> {
  const format = formats.find((known) => known.name === name.toLowerCase());
  if (format === undefined) {
    const names = formats.map((known) => known.name);
    return fail(
      convertError(
        'SL0602',
        `there is no format "${name}"`,
        didYouMean(name, names) ?? `the formats are ${names.join(', ')}`,
      ),
    );
  }
  const claim = format.recognise(candidate);
  const other = formats.find((known) => known !== format && known.recognise(candidate) === 'by content');
  if (claim !== 'by content' && other !== undefined) {
    return fail(
      convertError(
        'SL0604',
        `${request.displayName} is declared as ${format.name}, but its content is ${other.name}`,
        `declare it as ${other.name}, or leave the format out`,
      ),
    );
  }
  if (candidate.fileNames !== undefined && claim === undefined) return fail(noFolder(request));
  return succeed(format);
}

/** Content goes before name: a file is what its first bytes say. */
function recognise(request: ConvertRequest, candidate: Candidate): Result<Format> {
  const best = bestOf(candidate);
  if (best !== undefined) return succeed(best);
  if (candidate.fileNames !== undefined) return fail(noFolder(request));
  const endings = formats.flatMap((format) => format.endings).join(', ');
  return fail(
    convertError(
      'SL0602',
      `${request.displayName} is of no known format, by its content or its name`,
      `name its format, or give it one of the endings ${endings}`,
    ),
  );
}

function bestOf(candidate: Candidate): Format | undefined {
  const claims = formats.map((format) => ({ format, claim: format.recognise(candidate) }));
  const best = claims.find(({ claim }) => claim === 'by content') ?? claims.find(({ claim }) => claim === 'by name');
  return best?.format;
}

function noFolder({ displayName }: ConvertRequest): ReturnType<typeof convertError> {
  return convertError('SL0601', `${displayName} is a folder, not a file`, 'name a file inside it');
}

const HEAD_BYTES = 512;

async function fileCandidate({ file }: Pick<ConvertRequest, 'file'>): Promise<Candidate> {
  const head = storedHead(file, HEAD_BYTES);
  const content = compressionOf(head) === 'none' ? head : await contentHead(file, HEAD_BYTES);
  return { fileName: path.basename(file).toLowerCase(), head, content };
}

function folderCandidate({ file }: ConvertRequest): Candidate {
  const fileNames = fs
    .readdirSync(file, { withFileTypes: true })
    .filter((entry) => entry.isFile() || fs.statSync(path.join(file, entry.name), { throwIfNoEntry: false })?.isFile())
    .map((entry) => entry.name.toLowerCase());
  const nothing = new Uint8Array();
  return { fileName: path.basename(file).toLowerCase(), head: nothing, content: nothing, fileNames };
}

function isOccupied(folder: string): boolean {
  const facts = fs.statSync(folder, { throwIfNoEntry: false });
  return facts !== undefined && (!facts.isDirectory() || fs.readdirSync(folder).length > 0);
}
