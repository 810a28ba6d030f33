import * as path from 'node:path';
import type { BoundSource } from '../domain/bound-project.js';
import type { Origin } from '../domain/provenance.js';
import type { Files } from '../effects/files.js';
import { connectorOf } from './connector-of.js';
import { plainUrl } from './download.js';
import { RawStore } from './raw-store.js';
import { SourceState } from './source-state.js';

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
  const connector = connectorOf(source);
  // What was made here has no address of its own: all that is known is when.
  const last =
    connector !== undefined && 'make' in connector
      ? new SourceState(path.join(projectFolder, '.scilake', 'raw'), source, files).last()
      : undefined;
  const fetchedAt = last?.sha256 === sha256 ? last.landedAt : '';
  return { url: source.uri, finalUrl: '', etag: '', lastModified: '', fetchedAt, sizeBytes };
}
