import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { ElementSchema, WrittenElement } from '../../domain/convert.js';
import { type Result, succeed } from '../../domain/diagnostic.js';
import type { ExpansionAllowance, FormatEffects, MemberRoute, RawFile, WrittenFormat } from '../format.js';
import type { Json, JsonObject } from '../json.js';
import { Namer } from '../names.js';
import { Allowance, archiveError, HARMLESS_BYTES } from './members.js';
import { type ArchiveEntry, type Member, unpack } from './unpack.js';

/** Opens an archive; the allowance is what its reader holds each member against. */
type Reader = (raw: RawFile, allowance: ExpansionAllowance) => AsyncIterable<ArchiveEntry>;

/** Finds the members, and what those of them that are archives may hold; `folder` is an empty one for what is unpacked. */
export type Gather = (
  folder: string,
) => Promise<{ readonly members: readonly Member[]; readonly within: FormatEffects }>;

/** An archive may hold archives, and those none. */
const MAX_DEPTH = 1;

/** The tables of all members that are of a format. */
export function inspectArchive(
  raw: RawFile,
  reader: Reader,
  effects: FormatEffects,
): Promise<Result<readonly ElementSchema[]>> {
  return inspectMembers(raw, unpacking(raw, reader, effects), effects);
}

/** Converts all members that are of a format into one folder, and records where each came from. */
export function convertArchive(
  raw: RawFile,
  folder: string,
  reader: Reader,
  effects: FormatEffects,
): Promise<Result<WrittenFormat>> {
  return convertMembers(raw, folder, unpacking(raw, reader, effects), effects);
}

/** `inspectArchive` of members that are gathered in another way. */
export async function inspectMembers(
  raw: RawFile,
  gather: Gather,
  effects: FormatEffects,
): Promise<Result<readonly ElementSchema[]>> {
  const folder = effects.files.makeTemporaryFolder(os.tmpdir(), 'scilake-members-');
  try {
    const { routed, within } = await openMembers(raw, await gather(folder), effects);
    const elements: ElementSchema[] = [];
    const namer = new Namer();
    for (const { route, prefix } of routed) {
      const inspected = await route.inspect(within);
      if (!inspected.ok) return inspected;
      elements.push(...placed(inspected.value, prefix, namer));
    }
    return succeed(elements);
  } finally {
    effects.files.remove(folder);
  }
}

/** `convertArchive` of members that are gathered in another way. */
export async function convertMembers(
  raw: RawFile,
  folder: string,
  gather: Gather,
  effects: FormatEffects,
): Promise<Result<WrittenFormat>> {
  const work = path.join(folder, '.members');
  const unpacked = path.join(work, 'in');
  fs.mkdirSync(unpacked, { recursive: true });
  const { members, routed, ignored, within } = await openMembers(raw, await gather(unpacked), effects);
  const namer = new Namer();
  const elements: WrittenElement[] = [];
  const entries: Json[] = [];
  const warnings = ignored.map(
    (member) => `member ${JSON.stringify(member.path)} is of no known format and was left out`,
  );
  const converted = new Map<string, JsonObject>();
  let alone: JsonObject = {};
  for (const [i, { member, route, prefix, beside }] of routed.entries()) {
    const out = path.join(work, `out${i}`);
    fs.mkdirSync(out);
    const written = await route.convert(out, within);
    if (!written.ok) return written;
    const { manifest } = written.value;
    const own = placed(written.value.elements, prefix, namer);
    const described = new Map(elementEntries(manifest).map((entry) => [entry.path, entry]));
    for (const [k, element] of own.entries()) {
      const before = written.value.elements[k];
      if (before === undefined) continue;
      const file = `${element.table}.parquet`;
      effects.files.rename(path.join(out, before.file), path.join(folder, file));
      elements.push({ ...element, file });
      entries.push({ ...described.get(before.path), path: element.path, file, member: member.path });
    }
    const { elements: _, format: convention, ...rest } = manifest;
    alone = { format: convention, ...rest };
    converted.set(member.path, { convention, ...rest, tables: own.map(({ table }) => table) });
    for (const other of beside) converted.set(other.path, { belongs_to: member.path });
    warnings.push(...written.value.warnings.map((warning) => (prefix === '' ? warning : `${member.path}: ${warning}`)));
  }
  effects.files.remove(work);
  const formatOf = new Map(routed.map(({ member, route }) => [member.path, route.formatName]));
  return succeed({
    elements,
    manifest: {
      ...(routed.length === 1 ? alone : { format: 'scilake-archive/1' }),
      members: members.map((member) => ({
        path: member.path,
        size: member.sizeBytes,
        sha256: member.sha256,
        format: formatOf.get(member.path) ?? null,
        ...(converted.get(member.path) ?? { ignored: true }),
      })),
      elements: entries,
    },
    warnings,
  });
}

/** A member that becomes tables. */
export interface RoutedMember {
  readonly member: Member;
  readonly route: MemberRoute;
  /** What its tables' names begin with; empty when it is the only one. */
  readonly prefix: string;
  /** Members that it reads as well. */
  readonly beside: readonly Member[];
}

/** All members, and what becomes of them. */
export interface OpenArchive {
  readonly members: readonly Member[];
  readonly routed: readonly RoutedMember[];
  readonly ignored: readonly Member[];
  /** For what is inside. */
  readonly within: FormatEffects;
}

function unpacking(raw: RawFile, reader: Reader, effects: FormatEffects): Gather {
  return async (folder) => {
    const { nesting } = effects;
    if (nesting.depth > MAX_DEPTH) {
      throw archiveError(raw, 'SL0662', 'is an archive in an archive in an archive', 'unpack the outer one first');
    }
    const allowance = nesting.allowance ?? new Allowance(raw);
    const within: FormatEffects = { ...effects, nesting: { depth: nesting.depth + 1, allowance } };
    return { members: await unpack(raw, reader(raw, allowance), { folder, allowance }), within };
  };
}

/** Which members are of a format, and what is left of them. */
export async function openMembers(
  raw: RawFile,
  { members, within }: Awaited<ReturnType<Gather>>,
  effects: FormatEffects,
): Promise<OpenArchive> {
  const wanted = patternOf(raw.options.members);
  const candidates: { readonly member: Member; readonly route: MemberRoute }[] = [];
  for (const member of members) {
    if (isBesideThePoint(member.path) || !wanted.test(member.path)) continue;
    const route = await effects.route({
      file: member.file,
      displayName: `${raw.displayName}: ${member.path}`,
      options: withoutMembers(raw.options),
      harmlessBytes: HARMLESS_BYTES,
    });
    if (route !== undefined) candidates.push({ member, route });
  }
  // The names of a matrix's cells are a table as well, but not one of their own.
  const besides = new Map(candidates.map(({ member, route }) => [member.path, new Set(route.inputs.slice(1))]));
  const isBeside = ({ member }: { readonly member: Member }): boolean =>
    [...besides].some(([other, files]) => other !== member.path && files.has(member.file));
  const chosen = candidates.filter((candidate) => !isBeside(candidate));
  if (chosen.length === 0) {
    const found = members.length === 0 ? 'nothing' : `${members.length} members, none of a known format`;
    throw archiveError(raw, 'SL0663', `holds ${found}`, 'convert the file that you need from it by itself');
  }
  const prefixes = prefixesOf(chosen, raw);
  const filesOf = (member: Member): ReadonlySet<string> => besides.get(member.path) ?? new Set();
  const routed = chosen.map(({ member, route }, i) => ({
    member,
    route,
    prefix: chosen.length === 1 ? '' : (prefixes[i] ?? ''),
    beside: members.filter(({ file }) => filesOf(member).has(file)),
  }));
  const used = new Set(routed.flatMap(({ member, beside }) => [member, ...beside]));
  return { members, routed, ignored: members.filter((member) => !used.has(member)), within };
}

const DOCUMENTATION =
  /^(?:readme|licen[cs]e|copying|notice|authors|citation|changelog|changes|filelist|md5sums?|sha\d*sums?|checksums?)(?:[._-].*)?$/i;

/** Texts about the data, and what file managers leave behind. */
function isBesideThePoint(memberPath: string): boolean {
  const name = path.posix.basename(memberPath);
  return DOCUMENTATION.test(name) || name.startsWith('.') || memberPath.startsWith('__MACOSX/');
}

function patternOf(text: string | undefined): RegExp {
  if (text === undefined) return /^/;
  const one = (pattern: string): string =>
    pattern
      .replaceAll(/[\\^$.+()[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
  return new RegExp(`^(?:${text.split('|').map(one).join('|')})$`, 's');
}

function withoutMembers({ members: _, ...options }: RawFile['options']): RawFile['options'] {
  return options;
}

/** What each member is of, by its name; with its folders where two are of the same. */
function prefixesOf(
  chosen: readonly { readonly member: Member; readonly route: MemberRoute }[],
  raw: RawFile,
): readonly string[] {
  const archive = path.basename(raw.file).replace(/\..*$/, '');
  const subjects = chosen.map(({ member, route }) => {
    const folder = path.posix.basename(path.posix.dirname(member.path));
    return route.subject(path.posix.basename(member.path)) || (folder === '.' ? archive : folder);
  });
  const isShared = (i: number): boolean =>
    subjects.some((other, k) => k !== i && escaped(other).toLowerCase() === escaped(subjects[i] ?? '').toLowerCase());
  const namer = new Namer();
  return chosen.map(({ member }, i) => {
    const folders = path.posix.dirname(member.path);
    const subject = subjects[i] ?? '';
    return namer.name(escaped(isShared(i) && folders !== '.' ? `${folders}_${subject}` : subject));
  });
}

const MAX_PREFIX_LENGTH = 60;

function escaped(text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9_]+/g, '_').replaceAll(/^_+|_+$/g, '');
  return plain === '' ? 'member' : plain.slice(0, MAX_PREFIX_LENGTH);
}

/** Elements under their member's prefix; a member that is one table is called by the prefix alone. */
function placed<T extends ElementSchema>(elements: readonly T[], prefix: string, namer: Namer): readonly T[] {
  const [only] = elements;
  const isTable = elements.length === 1 && only?.path === 'table';
  return elements.map((element) => {
    if (prefix === '') return { ...element, table: namer.name(element.table) };
    return {
      ...element,
      path: isTable ? prefix : `${prefix}/${element.path}`,
      table: namer.name(isTable ? prefix : `${prefix}__${element.table}`),
    };
  });
}

function elementEntries(manifest: JsonObject): readonly JsonObject[] {
  const { elements } = manifest;
  if (!Array.isArray(elements)) return [];
  return elements.filter((entry): entry is JsonObject => typeof entry === 'object' && entry !== null);
}
