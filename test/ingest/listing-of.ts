import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Rig } from '../support/cli-rig.js';

/** Names that the last listing of a project's only source has. */
export function listingOf(rig: Rig): readonly string[] {
  const sources = path.join(rig.folder, '.scilake/raw/sources');
  const [of = ''] = fs.readdirSync(sources);
  const lines = fs
    .readFileSync(path.join(sources, of, 'listing.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line).name);
}
