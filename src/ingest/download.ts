import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../domain/diagnostic.js';
import type { Http, HttpResponse } from '../effects/http.js';
import { algorithmOf, Checksums, checksumsOf, isKnownChecksum } from './checksums.js';
import { type LandedRecord, type PartRecord, type RawStore, safeFileName } from './raw-store.js';

export interface DownloadRequest {
  /** What the file is known by. */
  readonly url: URL;
  /** Where it is asked for, where that is another address than the one it is known by. */
  readonly ask?: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** `md5:…` or `sha256:…`, lower-case hex: what the project declares. */
  readonly checksum: string | undefined;
  /** What the place says of the file before it is asked for. */
  readonly announced?: Announced;
}

export interface Announced {
  readonly sizeBytes?: number;
  /** Equal where the bytes are equal; empty where the place does not say. */
  readonly version: string;
  /** `md5:…`, `sha256:…` or `crc32c:…`, lower-case hex. */
  readonly checksums: readonly string[];
}

export interface DownloadEffects {
  readonly http: Http;
  readonly store: RawStore;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Bytes that the disk of a folder has left. */
  readonly freeBytes: (folder: string) => number;
  /** Hears of bytes as they arrive: how many of this file are here, and of how many. */
  readonly progress?: (done: number, total: number | undefined) => void;
  /** Waits until so many bytes more may arrive. */
  readonly spend?: (byteCount: number) => Promise<void>;
}

export type Download =
  | { readonly type: 'fetched' | 'unchanged'; readonly record: LandedRecord }
  /** It could not be reached; `landed` is what came the last time. */
  | { readonly type: 'unreachable'; readonly reason: string; readonly landed: LandedRecord | undefined }
  /** The server has an answer, and it is not the file. */
  | { readonly type: 'refused'; readonly reason: string; readonly hint: string }
  /** It is not what was declared, or what the place itself announced. */
  | {
      readonly type: 'mismatch';
      readonly by: 'project' | 'place';
      readonly wanted: string;
      readonly found: string;
      readonly quarantine: string;
    };

/** Attempts in a row that bring nothing; where an earlier version is here, nobody waits long for a server that is away. */
const ATTEMPTS = 6;
const ATTEMPTS_WITH_LANDED = 2;
const IDLE_MS = 60_000;
/** Files up to this size are not gone on with. */
const RESUMED_FROM_BYTES = 1 << 16;
/** Waits of half a second, one, two, four … and never more than half a minute unless the server asks for it. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const LONGEST_ASKED_MS = 300_000;

/**
 * Brings a file here by HTTP: asks whether it has changed since it was last brought, goes on where a broken download
 * stopped, and takes it in only once its size and checksum are what they were said to be.
 */
export async function download(request: DownloadRequest, effects: DownloadEffects): Promise<Download> {
  const { store } = effects;
  const key = plainUrl(request.url);
  const landed = store.landed(key);
  const { version = '' } = request.announced ?? {};
  if (landed !== undefined && version !== '' && landed.version === version)
    return { type: 'unchanged', record: landed };
  const limit = landed === undefined ? ATTEMPTS : ATTEMPTS_WITH_LANDED;
  store.prepare();
  let held = heldBytes(store, key);
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await tryOnce(request, { key, landed }, effects);
    if (outcome.type !== 'again') return outcome;
    const now = heldBytes(store, key);
    // What gets further than ever before, however often it breaks, comes to its end.
    if (now > held) attempt = 0;
    held = Math.max(held, now);
    if (attempt + 1 >= limit) return { type: 'unreachable', reason: outcome.reason, landed };
    await effects.sleep(outcome.waitMs ?? waitBefore(attempt, effects.random));
  }
}

function heldBytes(store: RawStore, key: string): number {
  return fs.statSync(store.partFile(key), { throwIfNoEntry: false })?.size ?? 0;
}

type Outcome = Download | { readonly type: 'again'; readonly reason: string; readonly waitMs?: number };

async function tryOnce(
  request: DownloadRequest,
  { key, landed }: { readonly key: string; readonly landed: LandedRecord | undefined },
  effects: DownloadEffects,
): Promise<Outcome> {
  const { http, store } = effects;
  const part = store.part(key);
  const from = part === undefined || !canResume(part) ? 0 : fs.statSync(store.partFile(key)).size;
  let response: HttpResponse;
  try {
    const headers = { ...request.headers, ...conditions(landed, from > 0 ? part : undefined, from) };
    response = await http({ url: request.ask ?? request.url, headers, idleMs: IDLE_MS });
  } catch (thrown) {
    return { type: 'again', reason: plainReason(thrown) };
  }
  const { status, headers } = response;
  if (status === 304 && landed !== undefined) {
    response.body.destroy();
    const record = { ...landed, version: request.announced?.version ?? '' };
    if (record.version !== landed.version) store.renew(record);
    return { type: 'unchanged', record };
  }
  if (status === 416) {
    // What is here does not fit what is there: from the start.
    response.body.destroy();
    store.dropPart(key);
    return { type: 'again', reason: 'the server has no such range', waitMs: 0 };
  }
  if (status === 429 || status === 408 || status >= 500) {
    response.body.destroy();
    const waitMs = askedWait(headers, effects.now());
    return { type: 'again', reason: `the server answers ${status}`, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  if (status !== 200 && status !== 206) {
    response.body.destroy();
    return { type: 'refused', reason: `the server answers ${status}`, hint: hintFor(status) };
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    response.body.destroy();
    const reason = `the server sends it packed (${headers['content-encoding']}), though it was asked not to`;
    return { type: 'refused', reason, hint: 'give an address of the file as it is' };
  }
  const resumed = status === 206 ? resumedTotal(headers, part, from) : undefined;
  if (status === 206 && resumed === undefined) {
    response.body.destroy();
    store.dropPart(key);
    return { type: 'again', reason: 'the server sends another range than was asked for', waitMs: 0 };
  }
  const start = status === 206 ? from : 0;
  const length = headers['content-length'];
  const total = resumed?.total ?? (length === undefined ? undefined : Number(length));
  const free = effects.freeBytes(store.folder);
  if (total !== undefined && total - start > free) {
    response.body.destroy();
    const reason = `it has ${total} bytes, and the disk has ${free} left`;
    return { type: 'refused', reason, hint: 'make room, or put the project on another disk' };
  }
  const { etag = '', 'last-modified': lastModified = '' } = headers;
  if (start === 0) {
    if (part !== undefined) store.dropPart(key);
    // What is small begins anew where it breaks: of many small files the records would cost more than the bytes.
    if (total === undefined || total > RESUMED_FROM_BYTES)
      store.keepPart(key, { etag, lastModified, totalBytes: total });
  }
  const promises = promisedBy(request, response);
  // What comes in one piece is summed up as it comes; what went on where it stopped is read once more.
  const sums = start === 0 ? new Checksums(promises.all.map(algorithmOf)) : undefined;
  const { broken, sizeBytes } = await append(response, store.partFile(key), { start, total, sums, effects });
  if (broken !== undefined) return { type: 'again', reason: broken };
  if (total !== undefined && sizeBytes !== total) {
    if (sizeBytes > total) store.dropPart(key);
    return { type: 'again', reason: `${sizeBytes} of ${total} bytes arrived` };
  }
  return takeIn(request, { key, response, sizeBytes, etag, lastModified, promises, sums }, effects);
}

/** The checksums that a file is held against. */
interface Promises {
  /** Of the project. */
  readonly declared: readonly string[];
  /** Of the place, before the file was asked for or with it. */
  readonly announced: readonly string[];
  readonly all: readonly string[];
}

function promisedBy(request: DownloadRequest, { checksums = [] }: HttpResponse): Promises {
  const declared = request.checksum === undefined ? [] : [request.checksum];
  const announced = [...(request.announced?.checksums ?? []), ...checksums].filter(isKnownChecksum);
  return { declared, announced, all: [...declared, ...announced] };
}

/** Checks what has arrived whole, and gives it its place. */
async function takeIn(
  request: DownloadRequest,
  arrived: {
    readonly key: string;
    readonly response: HttpResponse;
    readonly sizeBytes: number;
    readonly etag: string;
    readonly lastModified: string;
    readonly promises: Promises;
    readonly sums: Checksums | undefined;
  },
  { store, now }: DownloadEffects,
): Promise<Download> {
  const { key, response, sizeBytes, etag, lastModified, promises } = arrived;
  const fileName = safeFileName(request.url);
  const { sizeBytes: announcedBytes, version = '' } = request.announced ?? {};
  const refuse = (by: 'project' | 'place', wanted: string, found: string): Download => ({
    type: 'mismatch',
    by,
    wanted,
    found,
    quarantine: store.quarantine(key, fileName),
  });
  if (announcedBytes !== undefined && announcedBytes !== sizeBytes)
    return refuse('place', `${announcedBytes} bytes`, `${sizeBytes} bytes`);
  const sums = arrived.sums?.hex() ?? (await checksumsOf(store.partFile(key), promises.all.map(algorithmOf)));
  const found = (wanted: string): string => `${algorithmOf(wanted)}:${sums.get(algorithmOf(wanted)) ?? ''}`;
  for (const wanted of promises.announced) if (found(wanted) !== wanted) return refuse('place', wanted, found(wanted));
  for (const wanted of promises.declared) if (found(wanted) !== wanted) return refuse('project', wanted, found(wanted));
  const record: LandedRecord = {
    url: key,
    finalUrl: finalUrl(request.url, response.url),
    version,
    etag,
    lastModified,
    sizeBytes,
    sha256: sums.get('sha256') ?? '',
    fileName,
    fetchedAt: now().toISOString(),
  };
  store.keep(record);
  return { type: 'fetched', record };
}

/** Only a validator that changes with every byte tells whether the rest belongs to the beginning. */
function canResume({ etag, lastModified }: PartRecord): boolean {
  return isStrong(etag) || (etag === '' && lastModified !== '');
}

function isStrong(etag: string): boolean {
  return etag !== '' && !etag.startsWith('W/');
}

function conditions(
  landed: LandedRecord | undefined,
  part: PartRecord | undefined,
  from: number,
): Readonly<Record<string, string>> {
  // A new version that has begun to arrive is gone on with, if it is still the one that is there.
  if (part !== undefined)
    return { range: `bytes=${from}-`, 'if-range': isStrong(part.etag) ? part.etag : part.lastModified };
  if (landed === undefined) return {};
  return {
    ...(landed.etag === '' ? {} : { 'if-none-match': landed.etag }),
    ...(landed.lastModified === '' ? {} : { 'if-modified-since': landed.lastModified }),
  };
}

/** The whole size, where a 206 goes on exactly where the part ends and with the same file. */
function resumedTotal(
  headers: HttpResponse['headers'],
  part: PartRecord | undefined,
  from: number,
): { readonly total: number | undefined } | undefined {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  if (range === null || part === undefined || Number(range[1]) !== from) return undefined;
  const total = range[3] === '*' ? part.totalBytes : Number(range[3]);
  const isSame = headers.etag === undefined || part.etag === '' || headers.etag === part.etag;
  return isSame && (part.totalBytes === undefined || part.totalBytes === total) ? { total } : undefined;
}

const synced = promisify(fs.fsync);

/** @returns how much of the file is on the disk now, and why the rest did not arrive where it did not */
async function append(
  { body }: HttpResponse,
  file: string,
  at: {
    readonly start: number;
    readonly total: number | undefined;
    readonly sums: Checksums | undefined;
    readonly effects: Pick<DownloadEffects, 'progress' | 'spend'>;
  },
): Promise<{ readonly broken: string | undefined; readonly sizeBytes: number }> {
  const handle = fs.openSync(file, at.start > 0 ? 'r+' : 'w');
  let position = at.start;
  let broken: string | undefined;
  try {
    fs.ftruncateSync(handle, at.start);
    at.effects.progress?.(at.start, at.total);
    for await (const block of body) {
      const bytes = Buffer.isBuffer(block) ? block : Buffer.from(block);
      fs.writeSync(handle, bytes, 0, bytes.length, position);
      at.sums?.update(bytes);
      position += bytes.length;
      at.effects.progress?.(position, at.total);
      await at.effects.spend?.(bytes.length);
    }
  } catch (thrown) {
    broken = plainReason(thrown);
  } finally {
    // Others go on while the disk is waited for.
    await synced(handle);
    fs.closeSync(handle);
  }
  return { broken, sizeBytes: position };
}

/** An address without its credentials: what may be kept and shown. */
export function plainUrl(url: URL): string {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return plain.href;
}

/** Where a server sends us on to, the query may be a signature that opens the file to everybody: it is not kept. */
function finalUrl(asked: URL, answered: URL): string {
  if (!/^https?:$/.test(asked.protocol)) return plainUrl(asked);
  const plain = new URL(plainUrl(answered));
  if (plain.host !== asked.host) plain.search = '';
  return plain.href;
}

/** How long to wait before asking again: half a second, one, two, four … with some chance in it; never more than half a minute. */
export function waitBefore(attempt: number, random: () => number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + random() / 2);
}

/**
 * How long a server that is asked too often wants to be left alone, ms: `Retry-After` (seconds, or a date), or
 * `X-RateLimit-Reset` (seconds since 1970) where nothing remains.
 */
export function askedWait(headers: HttpResponse['headers'], now: Date): number | undefined {
  const { 'retry-after': text, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset } = headers;
  const seconds = /^\d+$/;
  let ms = Number.NaN;
  if (text !== undefined) ms = seconds.test(text.trim()) ? 1000 * Number(text) : Date.parse(text) - now.getTime();
  else if (remaining === '0' && seconds.test(reset ?? '')) ms = 1000 * Number(reset) - now.getTime();
  return Number.isFinite(ms) ? Math.min(LONGEST_ASKED_MS, Math.max(0, ms)) : undefined;
}

/** What a user is told of a connection that failed: never a path or a credential. */
export function plainReason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host is not known here';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection broke';
    case 'ETIMEDOUT':
      return 'nothing arrived for a minute';
    default:
      return messageOf(thrown);
  }
}

/** What may help with an answer that is not the file. */
export function hintFor(status: number): string {
  if (status === 401 || status === 403)
    return 'it wants credentials, or others than there are: see docs/sources.md, or download it and give its path';
  if (status === 404 || status === 410) return 'look whether the address is still right';
  return 'look at the address in a browser';
}
