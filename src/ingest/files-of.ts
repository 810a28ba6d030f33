import * as path from 'node:path';
import type { BoundSource } from '../domain/bound-project.js';
import type { SourceFile } from '../domain/provenance.js';
import type { Files } from '../effects/files.js';
import { digestOf } from './land-set.js';
import { readListing } from './set-listing.js';
import { SourceState } from './source-state.js';

/** The files of a source that is a set, as its last landing lists them; none where another plan has landed another set since, or it is no set. */
export async function filesOf(
  { source, sha256, path: landed }: BoundSource,
  { files, projectFolder }: { readonly files: Files; readonly projectFolder: string },
): Promise<readonly SourceFile[]> {
  if (files.facts(landed)?.isDirectory !== true) return [];
  const { listing } = new SourceState(path.join(projectFolder, '.scilake', 'raw'), source, files);
  if ((await digestOf(listing)).sha256 !== sha256) return [];
  const found: SourceFile[] = [];
  // Of files of this machine the version is their size and time, which differ from clone to clone.
  for await (const { name, version, sizeBytes, sha256: sum, url = '', fetchedAt = '' } of readListing(listing))
    found.push({ name, placeVersion: url === '' ? '' : version, sizeBytes, sha256: sum, url, fetchedAt });
  return found;
}
