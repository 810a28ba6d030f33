import type { WrittenElement } from '../domain/convert.js';
import type { JsonObject } from './json.js';

/** An element that was written and compared with what was read. */
export interface WrittenPart {
  readonly element: WrittenElement;
  /** Its entry in the manifest. */
  readonly manifest: JsonObject;
  readonly warnings: readonly string[];
}

/** What an earlier try of the same conversion finished. */
export interface KeptElements {
  /** Undefined when there is nothing, or not what its record says. */
  find(table: string): Promise<WrittenPart | undefined>;
  keep(part: WrittenPart): Promise<void>;
}
