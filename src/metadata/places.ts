import * as path from 'node:path';
import type { ProjectConfig } from '../domain/project.js';
import type { MetadataPlaces } from './store.js';

/** Where a project keeps its provenance. */
export function metadataPlaces(projectFolder: string, { metadata }: Pick<ProjectConfig, 'metadata'>): MetadataPlaces {
  return {
    live: path.join(projectFolder, '.scilake', 'metadata', 'live.sqlite'),
    tracked: path.join(projectFolder, metadata.file),
  };
}
