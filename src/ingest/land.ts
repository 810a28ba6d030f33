import * as path from 'node:path';
import { fail, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import { isRecord } from '../domain/json.js';
import type { Source } from '../domain/model.js';
import { type ConnectorEffects, connectors } from './connectors/index.js';

/** A source's raw file, on this machine and with a checksum that agrees with the declared one. */
export interface Landing {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface LandEffects extends ConnectorEffects {
  /** Folder for what can be computed again. */
  readonly cacheFolder: string;
}

/** Lands one source: finds its connector, brings the file here, and holds it against the declared checksum. */
export async function land(source: Source, effects: LandEffects): Promise<Result<Landing>> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(source.uri)?.[1]?.toLowerCase() ?? '';
  const connector = connectors.find((candidate) => candidate.schemes.includes(scheme));
  if (connector === undefined) {
    return fail({
      code: 'SL0503',
      severity: 'error',
      message: `source "${source.name}": nothing here reads ${scheme}: addresses`,
      location: source.uriLocation,
      hint: `this version reads ${connectors.map((candidate) => candidate.name).join(', ')}; download the file and give its path`,
    });
  }
  const landed = await connector.land(source, effects);
  if (!landed.ok) return landed;
  const { path: file, sizeBytes, modifiedMs } = landed.value;
  const sha256 = await cachedSha256({ file, sizeBytes, modifiedMs }, effects);
  const problem = await checksumProblem(source, { file, sha256 }, effects);
  if (problem !== undefined) {
    return fail({
      code: 'SL0502',
      severity: 'error',
      message: `source "${source.name}": the file's checksum is not the declared one (${problem})`,
      location: source.checksumLocation ?? source.uriLocation,
      hint: 'the file has changed or is damaged; fetch it again, or declare the new checksum if the change is wanted',
    });
  }
  return succeed({ path: file, sizeBytes, sha256 }, landed.warnings);
}

async function checksumProblem(
  source: Source,
  landed: { readonly file: string; readonly sha256: string },
  { files }: LandEffects,
): Promise<string | undefined> {
  const [algorithm, declared] = (source.checksum ?? '').split(':');
  if (declared === undefined) return undefined;
  const found = algorithm === 'md5' ? await files.md5(landed.file) : landed.sha256;
  return found === declared ? undefined : `found ${algorithm}:${found}`;
}

/** A file is read again only when its size or time has changed; a cache that does not fit is no cache. */
async function cachedSha256(
  facts: { readonly file: string; readonly sizeBytes: number; readonly modifiedMs: number },
  { files, cacheFolder }: LandEffects,
): Promise<string> {
  const entry = path.join(cacheFolder, 'checksums', `${digest(facts.file)}.json`);
  if (files.facts(entry) !== undefined) {
    try {
      const kept: unknown = JSON.parse(files.readText(entry));
      if (
        isRecord(kept) &&
        kept.file === facts.file &&
        kept.sizeBytes === facts.sizeBytes &&
        kept.modifiedMs === facts.modifiedMs &&
        typeof kept.sha256 === 'string'
      ) {
        return kept.sha256;
      }
    } catch {
      // A torn or foreign cache entry: compute it again and write over it.
    }
  }
  const sha256 = await files.sha256(facts.file);
  files.writeCache(entry, JSON.stringify({ ...facts, sha256 }));
  return sha256;
}
