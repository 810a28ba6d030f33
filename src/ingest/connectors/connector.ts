import type { Result } from '../../domain/diagnostic.js';
import type { Emit } from '../../domain/event.js';
import type { PinOf, Source } from '../../domain/model.js';
import type { PlaceFacts } from '../../domain/provenance.js';
import type { Files } from '../../effects/files.js';
import type { Http } from '../../effects/http.js';
import type { RawStore } from '../raw-store.js';

export type { PlaceFacts } from '../../domain/provenance.js';

export interface ConnectorEffects {
  readonly files: Files;
  /** Absolute path of the project. */
  readonly projectFolder: string;
  /** Where something else than the network has to answer. */
  readonly http?: Http;
  /** Where nobody wants to wait. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Hears how far downloads are. */
  readonly emit?: Emit;
  /** Variables of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** By provenance: whoever shares it takes the same versions. */
  readonly pinOf?: PinOf;
  /** Which version of an address that moves on is taken: that of the last time (if left out), or the newest. */
  readonly versions?: 'taken' | 'newest';
  /** Where the time of the machine is not the one that counts. */
  readonly now?: () => Date;
}

/** What a place elsewhere is listed with. */
export interface ListEffects extends ConnectorEffects {
  /** What `Place.resolved` was the last time; undefined where nothing was taken, or the newest is wanted. Looks into files. */
  readonly pinned: () => string | undefined;
}

/** A file of this machine. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** What a source of this machine means: one file, or those below a folder that a pattern meant. */
export type Found =
  | { readonly type: 'file'; readonly file: FoundFile }
  /** Names relative to the folder, with forward slashes. */
  | { readonly type: 'set'; readonly folder: string; readonly names: readonly string[] };

/** A file of a place elsewhere, as the place lists it. */
export interface RemoteFile {
  /** Relative, with forward slashes; as the place spells it, so not to be trusted. */
  readonly name: string;
  /** What the file is known by, here; no credentials in it. */
  readonly url: URL;
  /** Where it is asked for, where that is another address. No credentials in it either. */
  readonly ask?: URL;
  /** Undefined where the place does not say. */
  readonly sizeBytes?: number;
  /** Equal where the bytes are equal, so that nobody is asked again; empty where the place does not say. */
  readonly version: string;
  /** `md5:…`, `sha256:…` or `crc32c:…`, lower-case hex, as far as the place gives them. */
  readonly checksums: readonly string[];
}

/** What an address means, elsewhere. */
export interface Place {
  /** One file, which lands as itself; or a set of files, which lands as a folder, even where it has one file only. */
  readonly type: 'file' | 'set';
  /** Read once, from front to back; ordered by the bytes of the names where the place keeps an order. @throws PlaceError */
  readonly files: AsyncIterable<RemoteFile>;
  /** What answers when a file is asked for. */
  readonly http: Http;
  /** The address that it stands for at present, where the declared one moves on (the newest version of a record). */
  readonly resolved?: string;
  readonly facts: PlaceFacts;
}

/** A place does not answer, or answers with something else than what was asked for. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
  readonly type: 'unreachable' | 'refused';
  readonly hint: string;

  constructor(type: 'unreachable' | 'refused', message: string, hint: string) {
    super(message);
    this.type = type;
    this.hint = hint;
  }
}

/** What people see of a place in a browser. */
export interface WebPages {
  /** What a source writes for a page, a link to a file or a DOI of the place; undefined where it is none of the place's. */
  addressOf(page: URL): string | undefined;
  /** The page about what an address means; undefined where it is no address of the place. */
  pageOf(address: string): string | undefined;
}

interface Reached {
  readonly name: string;
  /** URI schemes, without the colon; the empty one is a plain path. */
  readonly schemes: readonly string[];
  /** Of several connectors for a scheme, whether it is this one; all sources of the scheme where it is left out. */
  takes?(source: Source): boolean;
  readonly web?: WebPages;
  /**
   * Whether an address means bytes that never change; no address does where it is left out.
   *
   * @param resolved  what it stands for at present; undefined where it does not move on
   */
  isFixed?(address: string, resolved: string | undefined): boolean;
}

/** Finds files that are here already. */
export interface LocalConnector extends Reached {
  find(source: Source, effects: ConnectorEffects): Promise<Result<Found>>;
}

/** Lists what a place elsewhere has; bringing it here is the same for all of them. */
export interface RemoteConnector extends Reached {
  /** @throws PlaceError where the place does not answer */
  list(source: Source, effects: ListEffects): Promise<Result<Place>>;
}

/** What was made of a source, whole and in its place. */
export interface Made {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hex; of a folder over the names and checksums of its files. */
  readonly sha256: string;
  readonly facts?: PlaceFacts;
  /** Done once it is recorded that this has landed. */
  readonly afterwards?: () => void;
}

/** What is kept of a source as it is declared at present. */
export interface KeptState {
  /** File of the last listing of a set. */
  readonly listing: string;
  /** File with what a program wants to know again. */
  readonly programState: string;
  /** Undefined where nothing has landed yet. */
  last(): object | undefined;
}

/** What a connector may use that makes its files itself. */
export interface MakeContext extends ConnectorEffects {
  readonly store: RawStore;
  readonly state: KeptState;
  /** A folder of its own, empty, on the disk of the store; gone afterwards. */
  readonly folder: string;
}

/** Makes files out of what a place answers, where that is no file yet. */
export interface MakingConnector extends Reached {
  /** @throws PlaceError where the place does not answer; DiagnosticError */
  make(source: Source, context: MakeContext): Promise<Result<Made>>;
}

/** Reaches one kind of place that data come from. Adding one is a file, its test, and a line in `index.ts`. */
export type Connector = LocalConnector | RemoteConnector | MakingConnector;

/** A place of one file. */
export function single(file: RemoteFile, http: Http): Place {
  const files = (async function* () {
    yield file;
  })();
  return { type: 'file', files, http, facts: {} };
}
