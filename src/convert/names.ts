/**
 * Names for the columns of a table: DuckDB compares names without regard to case, so a later one that clashes gets
 * `_2`, `_3` …; an empty one becomes `_`, and so does a NUL, at which DuckDB's parser stops.
 *
 * @param taken  names that the table has already (its key columns)
 * @returns      as many names as given, in their order
 * @source       reference writer of `scilake-anndata/1`
 */
export function columnNames(originals: readonly string[], taken: readonly string[] = []): readonly string[] {
  const namer = new Namer(taken);
  return originals.map((original) => namer.name(original === '' ? '_' : original.replaceAll('\0', '_')));
}

/** Gives every wanted name once, regardless of case. */
export class Namer {
  readonly #taken: Set<string>;
  constructor(taken: readonly string[] = []) {
    this.#taken = new Set(taken.map((name) => name.toLowerCase()));
  }

  name(wanted: string): string {
    let name = wanted;
    for (let k = 2; this.#taken.has(name.toLowerCase()); k++) name = `${wanted}_${k}`;
    this.#taken.add(name.toLowerCase());
    return name;
  }
}

/** A key of the file as a part of a file name: letters, digits and underscores of ASCII, at most 80 of them. */
export function fileNamePart(key: string): string {
  const escaped = key.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 80);
  return escaped === '' ? '_' : escaped;
}

/** The table of a plain file: its name without endings as a lower-case identifier (`markers.tsv.gz` → `markers`). */
export function tableOfFile(file: string, endings: readonly string[]): string {
  const stem = stemOf((file.split(/[\\/]/).at(-1) ?? '').toLowerCase(), endings);
  const identifier = stem.replaceAll(/[^a-z0-9_]+/g, '_').replaceAll(/^_+|_+$/g, '');
  if (identifier === '') return 'data';
  return /^[0-9]/.test(identifier) ? `t_${identifier}` : identifier;
}

/** A file's name without the longest ending that it has of those given, or of any. */
export function stemOf(fileName: string, endings: readonly string[]): string {
  const lower = fileName.toLowerCase();
  const ending = [...endings]
    .sort((a, b) => b.length - a.length)
    .find((e) => lower.endsWith(e) && lower.length > e.length);
  return ending === undefined ? fileName.replace(/\.[^.]*$/, '') : fileName.slice(0, -ending.length);
}
