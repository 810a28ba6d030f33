import * as path from 'node:path';
import type { Files } from '../../effects/files.js';

/**
 * Makes a bag (BagIt 1.0, RFC 8493) of a folder whose payload is in `data/`: what was copied can be checked anywhere.
 *
 * @param folder  absolute
 * @param info    lines of `bag-info.txt`
 */
export async function writeBag(folder: string, info: Readonly<Record<string, string>>, files: Files): Promise<void> {
  const all = files.list(folder);
  const manifestOf = async (names: readonly string[]): Promise<string> => {
    const lines: string[] = [];
    for (const name of names) lines.push(`${await files.sha256(path.join(folder, name))}  ${escaped(name)}\n`);
    return lines.join('');
  };
  const payload = all.filter((name) => name.startsWith('data/'));
  const bytes = payload.reduce((sum, name) => sum + (files.facts(path.join(folder, name))?.sizeBytes ?? 0), 0);
  files.writeText(path.join(folder, 'bagit.txt'), 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n');
  const lines = Object.entries({ ...info, 'Payload-Oxum': `${bytes}.${payload.length}` });
  files.writeText(
    path.join(folder, 'bag-info.txt'),
    lines.map(([name, value]) => `${name}: ${value.replace(/\s+/g, ' ')}\n`).join(''),
  );
  files.writeText(path.join(folder, 'manifest-sha256.txt'), await manifestOf(payload));
  const tags = files.list(folder).filter((name) => !name.startsWith('data/') && name !== 'tagmanifest-sha256.txt');
  files.writeText(path.join(folder, 'tagmanifest-sha256.txt'), await manifestOf(tags));
}

/** Line ends and percent signs in names, as the standard writes them. */
function escaped(name: string): string {
  return name.replace(/%/g, '%25').replace(/\n/g, '%0A').replace(/\r/g, '%0D');
}
