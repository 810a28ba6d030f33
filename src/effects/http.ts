import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';

export interface HttpRequest {
  readonly url: URL;
  /** Lower-case names. Those that carry credentials go to the first host only. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long nothing may arrive, ms. */
  readonly idleMs: number;
  /** Names of further headers, and of parameters of the query, that carry credentials. */
  readonly secretNames?: { readonly headers: readonly string[]; readonly query: readonly string[] };
  /** Sent by POST, as a form; where that is sent on, nobody follows. */
  readonly form?: Readonly<Record<string, string>>;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name; repeated ones joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** After redirects. */
  readonly url: URL;
  /** Of the whole file, as far as the place says: `md5:…`, `sha256:…`, `crc32c:…`, lower-case hex. */
  readonly checksums?: readonly string[];
  /** The bytes as they are sent; errors when the connection breaks or is idle for too long. */
  readonly body: Readable;
}

/** Asks a server by GET, or with a form by POST. @throws an error of Node's with its `code`, or of more redirects than are followed */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

const REDIRECT_LIMIT = 10;
const credentials = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Follows redirects by itself: Node's `fetch` would unpack what a server packs, and sizes would not be those of the file. */
export const requestHttp: Http = async (request) => {
  let { url } = request;
  let headers: Readonly<Record<string, string>> = { 'accept-encoding': 'identity', ...request.headers };
  const { secretNames, form } = request;
  for (let followed = 0; followed <= REDIRECT_LIMIT; followed += 1) {
    const response = await once(url, headers, request.idleMs, form);
    const location = headerOf(response, 'location');
    const status = response.statusCode ?? 0;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined || form !== undefined)
      return { status, headers: allHeaders(response), url, body: response };
    response.destroy();
    const next = new URL(location, url);
    if (next.protocol !== 'http:' && next.protocol !== 'https:')
      throw new Error(`the server sends us on to ${next.protocol}, which is not followed`);
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw new Error('the server sends us from https to http, which is not followed');
    for (const name of secretNames?.query ?? []) {
      const value = url.searchParams.get(name);
      // Where a server sends us on, it may hand on what we gave it.
      if (next.host !== request.url.host) next.searchParams.delete(name);
      else if (value !== null && !next.searchParams.has(name)) next.searchParams.set(name, value);
    }
    if (next.host !== url.host) headers = withoutCredentials(headers, secretNames?.headers ?? []);
    url = next;
  }
  throw new Error(`more than ${REDIRECT_LIMIT} redirects`);
};

function once(
  url: URL,
  headers: Readonly<Record<string, string>>,
  idleMs: number,
  form: HttpRequest['form'],
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? https.request : http.request;
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    const own =
      body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) };
    const method = body === undefined ? 'GET' : 'POST';
    const asked = ask(url, { method, headers: { ...headers, ...own }, timeout: idleMs }, resolve);
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('nothing arrives'), { code: 'ETIMEDOUT' })));
    asked.on('error', reject);
    asked.end(body);
  });
}

function withoutCredentials(
  headers: Readonly<Record<string, string>>,
  more: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !credentials.has(name) && !more.includes(name)));
}

function headerOf(response: http.IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function allHeaders(response: http.IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(response.headers).map((name) => [name, headerOf(response, name) ?? '']));
}
