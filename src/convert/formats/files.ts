import * as fs from 'node:fs';
import * as path from 'node:path';
import { convertMembers, type Gather, inspectMembers } from '../archive/convert-members.js';
import { archiveOptions } from '../archive/members.js';
import type { Member } from '../archive/unpack.js';
import type { Format, FormatEffects, RawFile } from '../format.js';

/** Folders of files, as a pattern of paths or a prefix of a store lands. Each file is converted by what it holds. */
export const files: Format = {
  name: 'files',
  endings: [],
  options: archiveOptions.filter(({ name }) => name === 'members'),
  handsOptionsOn: true,

  recognise: ({ fileNames }) => (fileNames === undefined ? undefined : 'by name'),

  inputs: (raw) => namesIn(raw.file).map((name) => path.join(raw.file, name)),

  inspect: (raw, effects) => inspectMembers(raw, gathering(raw, effects, 'names'), effects),
  convert: (raw, folder, effects) => convertMembers(raw, folder, gathering(raw, effects, 'checksums'), effects),
};

/** The files stay where they are; those of them that are archives have what archives have. */
function gathering(raw: RawFile, effects: FormatEffects, needs: 'names' | 'checksums'): Gather {
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
