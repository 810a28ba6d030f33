import * as path from 'node:path';
import { fail, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { Source } from '../domain/model.js';
import { connectorOf, schemeOf } from './connector-of.js';
import type { Found, FoundFile } from './connectors/connector.js';
import { connectors } from './connectors/index.js';
import { contradictions } from './contradictions.js';
import { keptRecord } from './kept-record.js';
import { landMade } from './land-made.js';
import { landPlace } from './land-place.js';
import { landSet } from './land-set.js';
import type { LandEffects, Landing } from './landing.js';
import { compareNames } from './set-listing.js';
import { SourceState } from './source-state.js';

export type { LandEffects, Landing } from './landing.js';

/** Lands one source: finds its connector, brings what it means here, and holds it against the declared checksum. */
export async function land(source: Source, effects: LandEffects): Promise<Result<Landing>> {
  const connector = connectorOf(source);
  if (connector === undefined) {
    return fail({
      code: 'SL0503',
      severity: 'error',
      message: `source "${source.name}": nothing here reads ${schemeOf(source.uri)}: addresses`,
      location: source.uriLocation,
      hint: `this version reads ${connectors.map((candidate) => candidate.name).join(', ')}; download the file and give its path`,
    });
  }
  const landed =
    'find' in connector
      ? await landFound(source, await connector.find(source, effects), effects)
      : 'list' in connector
        ? await landPlace(source, connector, effects)
        : await landMade(source, connector, effects);
  if (!landed.ok) return landed;
  const problem = await checksumProblem(source, landed.value, effects);
  if (problem === undefined)
    return succeed(landed.value, [...landed.warnings, ...contradictions(source, landed.value.facts)]);
  return fail({
    code: 'SL0502',
    severity: 'error',
    message: `source "${source.name}": the file's checksum is not the declared one (${problem})`,
    location: source.checksumLocation ?? source.uriLocation,
    hint: 'the file has changed or is damaged; fetch it again, or declare the new checksum if the change is wanted',
  });
}

async function checksumProblem(source: Source, landed: Landing, { files }: LandEffects): Promise<string | undefined> {
  const [algorithm, declared] = (source.checksum ?? '').split(':');
  if (declared === undefined) return undefined;
  // Of a folder there is the one over its names and checksums only.
  const isMd5 = algorithm === 'md5' && files.facts(landed.path)?.isDirectory !== true;
  const found = isMd5 ? await files.md5(landed.path) : landed.sha256;
  return found === declared ? undefined : `found ${isMd5 ? 'md5' : 'sha256'}:${found}`;
}

async function landFound(source: Source, found: Result<Found>, effects: LandEffects): Promise<Result<Landing>> {
  if (!found.ok) return found;
  const { files, projectFolder } = effects;
  if (found.value.type === 'file') {
    const { file } = found.value;
    const { path: at, sizeBytes } = file;
    return succeed({ path: at, sizeBytes, sha256: await cachedSha256(file, effects) }, found.warnings);
  }
  const { folder, names } = found.value;
  const rawFolder = path.join(projectFolder, '.scilake', 'raw');
  const members = (async function* () {
    for (const name of [...names].sort(compareNames)) {
      const file = path.join(folder, name);
      const { sizeBytes, modifiedMs } = files.facts(file) ?? { sizeBytes: 0, modifiedMs: 0 };
      yield { name, version: `${sizeBytes}-${modifiedMs}`, file, sizeBytes };
    }
  })();
  const {
    path: at,
    sizeBytes,
    sha256,
  } = await landSet(
    {
      name: source.name,
      setsFolder: path.join(rawFolder, 'sets'),
      listing: new SourceState(rawFolder, source, files).listing,
      members,
      atOnce: 1,
      bring: async (member) => ({ sizeBytes: member.sizeBytes, sha256: await files.sha256(member.file) }),
      isHere: () => true,
      // They stay the user's: a second name that is a hard link could be taken for the first.
      link: ({ name }, to) => files.pointTo(path.join(folder, name), to),
    },
    files,
  );
  return succeed({ path: at, sizeBytes, sha256 }, found.warnings);
}

/** A file is read again only when its size or time has changed; a cache that does not fit is no cache. */
async function cachedSha256(
  { path: file, sizeBytes, modifiedMs }: FoundFile,
  { files, cacheFolder }: LandEffects,
): Promise<string> {
  const entry = path.join(cacheFolder, 'checksums', `${digest(file)}.json`);
  const kept = keptRecord(entry, files);
  if (
    kept !== undefined &&
    kept.file === file &&
    kept.sizeBytes === sizeBytes &&
    kept.modifiedMs === modifiedMs &&
    typeof kept.sha256 === 'string'
  )
    return kept.sha256;
  const sha256 = await files.sha256(file);
  files.writeCache(entry, JSON.stringify({ file, sizeBytes, modifiedMs, sha256 }));
  return sha256;
}
