import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Source } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Place, RemoteFile } from './connectors/connector.js';
import { globBase, globMatcher, isGlob } from './glob.js';
import { compareNames } from './set-listing.js';

/**
 * The files of an archive's list that an address means: all of them where it names none, the one that it names, or those
 * of a pattern. One that is called like the pattern, letter by letter, goes before what the pattern would mean.
 *
 * @param part  what stands behind the archive's own name, without the slash; percent-encoded or plain
 */
export function chooseFiles(
  source: Source,
  part: string,
  listed: { readonly files: readonly RemoteFile[]; readonly place: Omit<Place, 'type' | 'files'> },
  warnings: readonly Diagnostic[] = [],
): Result<Place> {
  const { files, place } = listed;
  const named = files.find(({ name }) => name === part) ?? files.find(({ name }) => name === decoded(part));
  if (named !== undefined) return succeed({ ...place, type: 'file', files: streamOf([named]) }, warnings);
  const base = globBase(part);
  const isFolder = base === part;
  if (!isFolder && !isGlob(part)) {
    const names = files.map(({ name }) => name);
    const some = names.slice(0, 5).join(', ');
    const hint =
      didYouMean(part, names) ??
      (names.length === 0 ? 'it has no files' : `it has ${some}${names.length > 5 ? ', …' : ''}`);
    return fail(addressProblem(source, `there is no file "${part}" in it`, hint));
  }
  const means = globMatcher(isFolder ? '**' : part.slice(base.length));
  const meant = files
    .flatMap((file) => (file.name.startsWith(base) ? [{ ...file, name: file.name.slice(base.length) }] : []))
    .filter(({ name }) => means(name))
    .sort((a, b) => compareNames(a.name, b.name));
  return succeed({ ...place, type: 'set', files: streamOf(meant) }, warnings);
}

/** SL0506 at the address of a source. */
export function addressProblem(source: Source, message: string, hint: string): Diagnostic {
  return {
    code: 'SL0506',
    severity: 'error',
    message: `source "${source.name}": ${message}`,
    location: source.uriLocation,
    hint,
  };
}

/** SL0510: an address that moves on stands for a newer version than the one that is taken. */
export function newerVersion(source: Source, taken: string, newest: string): Diagnostic {
  return {
    code: 'SL0510',
    severity: 'warning',
    message: `source "${source.name}": ${taken} is taken, and there is ${newest}`,
    location: source.uriLocation,
    hint: `scilake ingest ${source.name} --newest takes it`,
  };
}

async function* streamOf(files: readonly RemoteFile[]): AsyncGenerator<RemoteFile> {
  yield* files;
}

/** What stands percent-encoded in an address; the text itself where that is no such encoding. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
