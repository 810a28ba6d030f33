import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { Client } from 'basic-ftp';
import type { Http } from './http.js';

export interface FtpFile {
  readonly name: string;
  readonly type: 'file' | 'folder';
  readonly sizeBytes: number;
}

/** File servers of the older kind, as far as they are read. Errors have the server's code where it answered. */
export interface Ftp {
  /** What is right inside a folder. */
  list(folder: URL): Promise<readonly FtpFile[]>;
  /** Size, and the time of the last change; undefined where there is no such file. */
  facts(file: URL): Promise<{ readonly sizeBytes: number; readonly version: string } | undefined>;
  /** Answers as a web server would: the ETag is the size and the time of the last change. */
  readonly http: Http;
}

const IDLE_MS = 30_000;

/** `SCILAKE_FTP_USER` and `SCILAKE_FTP_PASSWORD` say who asks, or `~/.netrc`; without them it is anybody. */
export function openFtp(environment: Readonly<Record<string, string | undefined>>): Ftp {
  const connected = async (url: URL, idleMs: number): Promise<Client> => {
    const { Client: FtpClient } = await import('basic-ftp');
    const client = new FtpClient(idleMs);
    const { user, password } = login(url.hostname, environment);
    try {
      await client.access({
        host: url.hostname,
        port: url.port === '' ? 21 : Number(url.port),
        user,
        password,
        secure: url.protocol === 'ftps:',
      });
      await client.send('TYPE I');
    } catch (thrown) {
      client.close();
      throw thrown;
    }
    return client;
  };
  const using = async <T>(url: URL, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = await connected(url, IDLE_MS);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  };

  return {
    list: (folder) =>
      using(folder, async (client) => {
        const found = await client.list(pathOf(folder));
        return found.flatMap(({ name, isDirectory, isFile, size }): readonly FtpFile[] => {
          if (isDirectory) return name === '.' || name === '..' ? [] : [{ name, type: 'folder', sizeBytes: 0 }];
          return isFile ? [{ name, type: 'file', sizeBytes: size }] : [];
        });
      }),

    facts: (file) =>
      using(file, async (client) => {
        try {
          return await factsOf(client, pathOf(file));
        } catch (thrown) {
          if (codeOf(thrown) === 550) return undefined;
          throw thrown;
        }
      }),

    async http({ url, headers, idleMs }) {
      const plain = (status: number) => ({ status, url, headers: {}, body: Readable.from([]) });
      let client: Client;
      try {
        client = await connected(url, idleMs);
      } catch (thrown) {
        const status = ftpStatusOf(thrown);
        if (status === undefined) throw thrown;
        return plain(status);
      }
      try {
        const { sizeBytes, version } = await factsOf(client, pathOf(url));
        const etag = `"${version}"`;
        if (headers['if-none-match'] === etag) {
          client.close();
          return { ...plain(304), headers: { etag } };
        }
        const asked = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
        const from = headers['if-range'] === etag ? asked : 0;
        if (from > 0 && from >= sizeBytes) {
          client.close();
          return plain(416);
        }
        return {
          status: from > 0 ? 206 : 200,
          url,
          headers: {
            etag,
            'content-length': String(sizeBytes - from),
            ...(from > 0 ? { 'content-range': `bytes ${from}-${sizeBytes - 1}/${sizeBytes}` } : {}),
          },
          body: bytesOf(client, pathOf(url), from),
        };
      } catch (thrown) {
        client.close();
        const status = ftpStatusOf(thrown);
        if (status === undefined) throw thrown;
        return plain(status);
      }
    },
  };
}

async function factsOf(
  client: Client,
  file: string,
): Promise<{ readonly sizeBytes: number; readonly version: string }> {
  const sizeBytes = await client.size(file);
  const changed = await client.lastMod(file);
  return { sizeBytes, version: `${sizeBytes}-${changed.toISOString()}` };
}

/** The file's bytes from one on; the connection is closed after them, or when nobody wants them any more. */
function bytesOf(client: Client, file: string, from: number): Readable {
  const body = new PassThrough();
  body.on('close', () => client.close());
  client.downloadTo(body, file, from).then(
    () => body.end(),
    (thrown) => body.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
  return body;
}

function pathOf(url: URL): string {
  return url.pathname.split('/').map(decodeURIComponent).join('/');
}

function codeOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number' ? thrown.code : undefined;
}

/** What a web server would have answered; undefined where there was no answer. */
export function ftpStatusOf(thrown: unknown): number | undefined {
  const code = codeOf(thrown);
  if (code === undefined || code < 400) return undefined;
  if (code === 550) return 404;
  if (code === 530 || code === 532) return 401;
  return code < 500 ? 503 : 400;
}

function login(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly user: string; readonly password: string } {
  const { SCILAKE_FTP_USER: user, SCILAKE_FTP_PASSWORD: password } = environment;
  if (user !== undefined && user !== '') return { user, password: password ?? '' };
  return netrcLogin(host, environment) ?? { user: 'anonymous', password: 'anonymous@' };
}

/** @source the file format of netrc(5): words, of which `machine` begins an entry */
function netrcLogin(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly user: string; readonly password: string } | undefined {
  const file = environment.NETRC ?? path.join(environment.HOME ?? os.homedir(), '.netrc');
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const words = fs.readFileSync(file, 'utf8').split(/\s+/);
  let isHere = false;
  let user: string | undefined;
  let password: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === 'machine' || word === 'default') {
      if (isHere) break;
      isHere = word === 'default' || words[at + 1] === host;
      if (word === 'machine') at += 1;
    } else if (word === 'login' || word === 'password') {
      at += 1;
      if (isHere && word === 'login') user = words[at];
      if (isHere && word === 'password') password = words[at];
    }
  }
  return isHere && user !== undefined ? { user, password: password ?? '' } : undefined;
}
