import * as fs from 'node:fs';
import * as path from 'node:path';
import { succeed } from '../../domain/diagnostic.js';
import {
  convertMembers,
  type Gather,
  inspectMembers,
  type OpenArchive,
  openMembers,
} from '../archive/convert-members.js';
import { archiveOptions } from '../archive/members.js';
import type { Member } from '../archive/unpack.js';
import type { Format, FormatEffects, FormatOption, RawFile, TableFiles, Together } from '../format.js';
import { tableOfFile } from '../names.js';

const fileNameOption: FormatOption = {
  name: 'filename',
  meaning: 'true: of files that are one table, a column filename says which file a row is from',
};

/**
 * Folders of files, as a pattern of paths or a prefix of a store lands. Each file is converted by what it holds; where
 * all are plain tables of one format they become one table, called like the folder.
 */
export const files: Format = {
  name: 'files',
  endings: [],
  options: [...archiveOptions.filter(({ name }) => name === 'members'), fileNameOption],
  handsOptionsOn: true,

  recognise: ({ fileNames }) => (fileNames === undefined ? undefined : 'by name'),

  inputs: (raw) => namesIn(raw.file).map((name) => path.join(raw.file, name)),

  async inspect(raw, effects) {
    const gather = gathering(raw, effects, 'names');
    const one = oneTable(raw, await openMembers(raw, await gather(), effects));
    return one === undefined ? inspectMembers(raw, gather, effects) : one.together.inspect(one.files, effects);
  },

  async convert(raw, folder, effects) {
    const gather = gathering(raw, effects, 'checksums');
    const open = await openMembers(raw, await gather(), effects);
    const one = oneTable(raw, open);
    if (one === undefined) return convertMembers(raw, folder, async () => open, effects);
    const written = await one.together.convert(one.files, folder, effects);
    if (!written.ok) return written;
    const { manifest, warnings } = written.value;
    const used = new Map(open.routed.map(({ member, route }) => [member, route.formatName]));
    const members = open.members.map((member) => ({
      path: member.path,
      size: member.sizeBytes,
      sha256: member.sha256,
      format: used.get(member) ?? null,
    }));
    const ignored = open.ignored.map(
      (member) => `member ${JSON.stringify(member.path)} is of no known format and was left out`,
    );
    return succeed({ ...written.value, manifest: { ...manifest, members }, warnings: [...ignored, ...warnings] });
  },
};

/** Several members of one format that makes one table of them. */
function oneTable(
  raw: RawFile,
  { routed }: OpenArchive,
): { readonly together: Together; readonly files: TableFiles } | undefined {
  const together = routed[0]?.route.together;
  if (together === undefined || routed.some(({ route }) => route.together !== together)) return undefined;
  const raws = routed.map(({ route }) => route.raw);
  const names = routed.map(({ member }) => member.path);
  const fileNames = (raw.options.filename ?? 'false').toLowerCase() === 'true' ? names : undefined;
  return { together, files: { raws, fileNames, table: tableOfFile(path.basename(raw.file), []) } };
}

/** The files stay where they are; those of them that are archives have what archives have. */
function gathering(raw: RawFile, effects: FormatEffects, needs: 'names' | 'checksums'): () => ReturnType<Gather> {
  return async () => {
    const members: Member[] = [];
    for (const name of namesIn(raw.file)) {
      const file = path.join(raw.file, name);
      const sizeBytes = effects.files.facts(file)?.sizeBytes ?? 0;
      members.push({
        path: name,
        file,
        sizeBytes,
        sha256: needs === 'names' ? '' : await effects.files.sha256(file),
      });
    }
    return { members, within: effects };
  };
}

/** All files below, sorted, with forward slashes. What a link points at counts as what it is. */
function namesIn(folder: string): readonly string[] {
  const found: string[] = [];
  const walk = (inside: string): void => {
    for (const { name } of fs.readdirSync(path.join(folder, inside), { withFileTypes: true })) {
      if (name.startsWith('.')) continue;
      const below = inside === '' ? name : `${inside}/${name}`;
      const entry = fs.lstatSync(path.join(folder, below));
      const target = entry.isSymbolicLink() ? fs.statSync(path.join(folder, below), { throwIfNoEntry: false }) : entry;
      // A linked folder may lead in a circle.
      if (entry.isDirectory()) walk(below);
      else if (target?.isFile() === true) found.push(below);
    }
  };
  walk('');
  return found.sort();
}
