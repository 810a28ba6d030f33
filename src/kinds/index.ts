import { custom } from './custom.js';
import { embedded } from './embedded.js';
import { external } from './external.js';
import { full } from './full.js';
import { incrementalByChange } from './incremental-by-change.js';
import { incrementalByPartition } from './incremental-by-partition.js';
import { incrementalByTimeRange } from './incremental-by-time-range.js';
import { incrementalByUniqueKey } from './incremental-by-unique-key.js';
import { incrementalUnmanaged } from './incremental-unmanaged.js';
import type { KindDefinition } from './kind.js';
import { managed } from './managed.js';
import { scdType2ByColumn, scdType2ByTime } from './scd-type-2.js';
import { seed } from './seed.js';
import { view } from './view.js';

export type { KindDefinition } from './kind.js';

/** Every kind of model there is. */
export const kinds: readonly KindDefinition[] = [
  view,
  full,
  incrementalByTimeRange,
  incrementalByUniqueKey,
  incrementalByPartition,
  incrementalByChange,
  incrementalUnmanaged,
  scdType2ByTime,
  scdType2ByColumn,
  managed,
  custom,
  seed,
  external,
  embedded,
];

/** The kind of that name or spelling. */
export function findKind(name: string): KindDefinition | undefined {
  const wanted = name.toUpperCase();
  return kinds.find((kind) => kind.names.some((candidate) => candidate === wanted));
}
