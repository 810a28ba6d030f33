import { createHash } from 'node:crypto';

const LONGEST_PART = 120;

/**
 * Paths inside a folder for names from outside: none leads out of it, and none is another's on any file system. What
 * cannot stay as it is, is renamed; equal names in an equal order get equal paths.
 */
export class SetPaths {
  /** By the path in lower case. */
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /** Relative, with forward slashes. */
  pathOf(name: string): string {
    const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
    const safe = parts.map(safePart);
    const found: string[] = [];
    for (const [depth, part] of (safe.length === 0 ? ['_'] : safe).entries()) {
      const isLast = depth >= safe.length - 1;
      const free = (name: string): boolean => this.#isFree(key([...found, name]), isLast);
      let name = part;
      for (let k = 2; !free(name); k += 1) name = numbered(part, k);
      found.push(name);
      (isLast ? this.#files : this.#folders).add(key(found));
    }
    return found.join('/');
  }

  /** A folder may be gone through again; a file is there once. */
  #isFree(path: string, isFile: boolean): boolean {
    return !this.#files.has(path) && !(isFile && this.#folders.has(path));
  }
}

function key(parts: readonly string[]): string {
  return parts.join('/').normalize('NFC').toLowerCase();
}

/** Letters, digits and what paths of data are made of (`year=2024`); hidden names are shown, since nothing would find them. */
function safePart(part: string): string {
  const plain = part
    .replaceAll(/[^\p{L}\p{N}._+=,@()~ -]/gu, '_')
    .replace(/^[.~ -]/, '_')
    .replace(/[. ]+$/, '_');
  if (plain.length <= LONGEST_PART) return plain;
  const mark = createHash('sha256').update(part).digest('hex').slice(0, 8);
  return `${plain.slice(0, LONGEST_PART - 50)}-${mark}-${plain.slice(-40)}`;
}

function numbered(part: string, k: number): string {
  const dot = part.indexOf('.', 1);
  return dot < 0 ? `${part}_${k}` : `${part.slice(0, dot)}_${k}${part.slice(dot)}`;
}
