import type { ProjectConfig } from '../domain/project.js';
import type { Contents } from '../metadata/contents.js';
import { metadataPlaces } from '../metadata/places.js';
import { MetadataStore } from '../metadata/store.js';
import type { Workspace } from '../workspace.js';

/** All that is known of past runs, here and in the file that git tracks. */
export function readProvenance({ projectFolder, outside }: Workspace, config: ProjectConfig): Contents {
  const store = MetadataStore.open(metadataPlaces(projectFolder, config), outside);
  try {
    return store.contents();
  } finally {
    store.close();
  }
}
