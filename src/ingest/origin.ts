import * as path from 'node:path';
import type { BoundSource } from '../domain/bound-project.js';
import type { Origin } from '../domain/provenance.js';
import type { Files } from '../effects/files.js';
import { plainUrl } from './download.js';
import { RawStore } from './raw-store.js';

/** Where the bytes of a source's raw file came from, as far as its place said; of files of this machine, and of sets, their size alone. */
export function originOf(
  { source, sizeBytes, sha256, fileUrl = source.uri }: BoundSource,
  { files, projectFolder }: { readonly files: Files; readonly projectFolder: string },
): Origin {
  const landed = URL.canParse(fileUrl)
    ? new RawStore(path.join(projectFolder, '.scilake', 'raw'), files).landed(plainUrl(new URL(fileUrl)))
    : undefined;
  // Another plan may have fetched another version since.
  if (landed?.sha256 === sha256) return landed;
  return { url: source.uri, finalUrl: '', etag: '', lastModified: '', fetchedAt: '', sizeBytes };
}
