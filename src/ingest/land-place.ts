import { statfsSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Pin, Source } from '../domain/model.js';
import { Arrival } from './arrival.js';
import { type Place, PlaceError, type RemoteConnector, type RemoteFile } from './connectors/connector.js';
import { type Download, type DownloadEffects, type DownloadRequest, download, plainUrl } from './download.js';
import { landSet } from './land-set.js';
import type { LandEffects, Landing } from './landing.js';
import { type DownloadLimits, openLimits } from './limits.js';
import { RawStore } from './raw-store.js';
import { isDue } from './refresh.js';
import { type LastLanding, SourceState } from './source-state.js';

/** Asks a place what it has, and brings what is not here yet. Where it does not answer, what came the last time is used. */
export async function landPlace(
  source: Source,
  connector: RemoteConnector,
  effects: LandEffects,
): Promise<Result<Landing>> {
  const { files, projectFolder } = effects;
  const store = new RawStore(path.join(projectFolder, '.scilake', 'raw'), files);
  files.makeFolder(store.folder);
  const state = new SourceState(store.folder, source, files);
  const last = state.last();
  const takesNewest = effects.versions === 'newest';
  // What has a declared checksum cannot change: once it is here, nobody has to be asked.
  const isHere = last !== undefined && (source.checksum === `sha256:${last.sha256}` || !isDue(source, last, effects));
  if (last !== undefined && isHere && !takesNewest) return succeed(last);
  let followed: Pin | undefined;
  const pinned = (): string | undefined => {
    followed = takesNewest ? undefined : laterPin(effects.pinOf?.(source), state.pin());
    return followed?.resolved;
  };
  const now = effects.now ?? (() => new Date());
  const limits = effects.limits ?? openLimits({});
  const arrival = new Arrival(source.name, effects.emit);
  try {
    const place = await connector.list(source, { ...effects, pinned });
    if (!place.ok) return place;
    const context: Context = { source, store, state, place: place.value, effects, now, limits, arrival };
    const landed = place.value.type === 'file' ? await landFile(context) : await landFiles(context);
    const { resolved, facts } = place.value;
    const landing: Landing = { ...landed.landing, ...(resolved === undefined ? {} : { resolved }), facts };
    // What is refused for its checksum must not move a pin.
    const isRefused = source.checksum?.startsWith('sha256:') === true && source.checksum !== `sha256:${landing.sha256}`;
    if (landed.isOld === undefined && !isRefused) state.keep(landing, now().toISOString(), followed);
    arrival.end();
    return succeed(landing, landed.isOld === undefined ? place.warnings : [...place.warnings, landed.isOld]);
  } catch (thrown) {
    if (thrown instanceof LandProblem) return fail(thrown.diagnostic);
    if (!(thrown instanceof PlaceError)) throw thrown;
    return withoutPlace(source, thrown, last);
  }
}

/** Of what others have taken and what was taken here, what was known last. */
function laterPin(shared: Pin | undefined, own: Pin | undefined): Pin | undefined {
  if (shared === undefined || own === undefined) return shared ?? own;
  return own.at > shared.at ? own : shared;
}

/** What of a source is used where its place does not answer. */
export function withoutPlace(source: Source, thrown: PlaceError, last: LastLanding | undefined): Result<Landing> {
  if (thrown.type === 'refused')
    return fail(problemOf(source, 'SL0506', `${source.uri} cannot be had: ${thrown.message}`, thrown.hint));
  if (last !== undefined) return succeed(last, [staleWarning(source, thrown.message, last.landedAt)]);
  return fail(
    problemOf(source, 'SL0507', `${source.uri} cannot be reached: ${thrown.message}`, 'try again once it is there'),
  );
}

interface Context {
  readonly source: Source;
  readonly store: RawStore;
  readonly state: SourceState;
  readonly place: Place;
  readonly effects: LandEffects;
  readonly now: () => Date;
  readonly limits: DownloadLimits;
  readonly arrival: Arrival;
}

interface Landed {
  readonly landing: Landing;
  /** The warning that it is what came the last time. */
  readonly isOld?: Diagnostic;
}

/** Ends the landing of a source with what is to be said of it. */
class LandProblem extends Error {
  override readonly name = 'LandProblem';
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

async function landFile(context: Context): Promise<Landed> {
  const { source, store, place } = context;
  for await (const file of place.files) {
    const fetched = await fetchFile(file, source.checksum, context);
    if (fetched.type === 'unreachable') {
      const { landed: record } = fetched;
      const shown = plainUrl(file.url);
      if (record === undefined)
        throw new LandProblem(
          problemOf(
            source,
            'SL0507',
            `${shown} cannot be reached: ${fetched.reason}`,
            'try again once the server is there',
          ),
        );
      const { sizeBytes, sha256, fetchedAt } = record;
      const landing = { path: store.named(record), sizeBytes, sha256, fileUrl: record.url };
      return { landing, isOld: staleWarning(source, fetched.reason, fetchedAt, shown) };
    }
    const { record } = fetched;
    const { sizeBytes, sha256, url } = record;
    return { landing: { path: store.named(record), sizeBytes, sha256, fileUrl: url } };
  }
  throw new PlaceError('refused', 'there is no such file', 'look whether the address is still right');
}

async function landFiles(context: Context): Promise<Landed> {
  const { source, store, state, place, effects } = context;
  const { files } = effects;
  const landed = await landSet<RemoteFile>(
    {
      name: source.name,
      setsFolder: path.join(store.folder, 'sets'),
      listing: state.listing,
      members: place.files,
      atOnce: context.limits.atOnce,
      bring: async (member) => {
        const fetched = await fetchFile(member, undefined, context);
        // Older files among newer ones would be a set that never was.
        if (fetched.type === 'unreachable')
          throw new PlaceError(
            'unreachable',
            `${member.name}: ${fetched.reason}`,
            'try again once the server is there',
          );
        return fetched.record;
      },
      isHere: ({ sha256 }) => files.facts(store.stored(sha256)) !== undefined,
      link: ({ sha256 }, to) => files.linkOrCopy(store.stored(sha256), to),
    },
    files,
  );
  if (landed.fileCount === 0)
    throw new PlaceError('refused', 'nothing there has such a name', 'look at the address, and at the pattern in it');
  return { landing: { path: landed.path, sizeBytes: landed.sizeBytes, sha256: landed.sha256 } };
}

/** @throws LandProblem where the place has an answer, and it is not the file */
async function fetchFile(
  file: RemoteFile,
  checksum: string | undefined,
  context: Context,
): Promise<Extract<Download, { readonly type: 'fetched' | 'unchanged' | 'unreachable' }>> {
  const { source, effects } = context;
  const { sizeBytes, version, checksums, ask } = file;
  const request: DownloadRequest = {
    url: file.url,
    ...(ask === undefined ? {} : { ask }),
    headers: {},
    checksum,
    announced: { version, checksums, ...(sizeBytes === undefined ? {} : { sizeBytes }) },
  };
  const fetched = await context.limits.run(() => download(request, downloadEffects(context)));
  switch (fetched.type) {
    case 'fetched':
    case 'unchanged':
    case 'unreachable':
      return fetched;
    case 'refused':
      throw new LandProblem(
        problemOf(source, 'SL0506', `${plainUrl(file.url)} cannot be had: ${fetched.reason}`, fetched.hint),
      );
    case 'mismatch': {
      const aside = `it is put aside as ${path.relative(effects.projectFolder, fetched.quarantine)}`;
      throw new LandProblem(
        fetched.by === 'project'
          ? problemOf(
              source,
              'SL0502',
              `the file's checksum is not the declared one (found ${fetched.found})`,
              `${aside}; declare the new checksum if the change is wanted`,
            )
          : problemOf(
              source,
              'SL0502',
              `${plainUrl(file.url)} is not what its place says it is (${fetched.wanted}, found ${fetched.found})`,
              `${aside}; plan again, it may have changed while it was fetched`,
            ),
      );
    }
    default:
      return fetched satisfies never;
  }
}

function downloadEffects({ store, place, effects, now, limits, arrival }: Context): DownloadEffects {
  return {
    http: place.http,
    store,
    now,
    sleep: effects.sleep ?? ((ms) => sleep(ms)),
    random: Math.random,
    freeBytes: (folder) => {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    progress: arrival.file(place.type === 'file'),
    spend: (byteCount) => limits.spend(byteCount),
  };
}

function staleWarning(source: Source, reason: string, landedAt: string, shown = source.uri): Diagnostic {
  const message = `${shown} cannot be reached (${reason}); what came at ${landedAt} is used`;
  return { ...problemOf(source, 'SL0507', message, 'plan again once the server is there'), severity: 'warning' };
}

/** Something wrong with a source, at its address. */
export function problemOf(source: Source, code: Diagnostic['code'], message: string, hint: string): Diagnostic {
  return {
    code,
    severity: 'error',
    message: `source "${source.name}": ${message}`,
    location: source.uriLocation,
    hint,
  };
}
