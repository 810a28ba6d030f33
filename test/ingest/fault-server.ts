import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was asked of the server, in order. */
export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
}

/** Something that goes wrong with the next answer, once. */
export type Fault =
  | { readonly type: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection breaks after so many bytes of the body. */
  | { readonly type: 'cut'; readonly after: number }
  /** More is promised than comes. */
  | { readonly type: 'short'; readonly by: number };

/** A web server on this machine that keeps one file, answers ranges and conditions, and does wrong when it is told to. */
export class FaultServer {
  content: Buffer;
  /** ETags change with the content; undefined: none are sent. */
  hasEtag = true;
  hasRanges = true;
  isWeak = false;
  lastModified: string | undefined;
  readonly faults: Fault[] = [];
  readonly asked: Asked[] = [];
  sentBytes = 0;
  /** Answers under way at the same time, at the most. */
  mostAtOnce = 0;
  #atOnce = 0;
  redirectTo: string | undefined;
  /** Bodies come in blocks of 16 KB, with so many ms between them. */
  paceMs = 0;
  readonly #server: http.Server;

  constructor(content: Buffer) {
    this.content = content;
    this.#server = http.createServer((request, response) => {
      this.#atOnce += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
      let isOpen = true;
      const end = (): void => {
        if (isOpen) this.#atOnce -= 1;
        isOpen = false;
      };
      response.on('finish', end);
      response.on('close', end);
      return this.#answer(request, response);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  url(path = '/data/file.csv'): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #send(body: Buffer, response: http.ServerResponse): Promise<void> {
    for (let at = 0; at < body.length && !response.destroyed; at += 1 << 14) {
      response.write(body.subarray(at, at + (1 << 14)));
      if (at + (1 << 14) < body.length) await new Promise((resolve) => setTimeout(resolve, this.paceMs));
    }
    response.end();
  }

  #etag(): string {
    return `${this.isWeak ? 'W/' : ''}"${createHash('md5').update(this.content).digest('hex')}"`;
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { range } = request.headers;
    this.asked.push({ path: request.url ?? '', range, headers: request.headers });
    const fault = this.faults.shift();
    if (this.redirectTo !== undefined && request.url?.startsWith('/moved') === true) {
      response.writeHead(302, { location: this.redirectTo }).end();
      return;
    }
    if (fault?.type === 'status') {
      response.writeHead(fault.status, { ...fault.headers }).end();
      return;
    }
    const own = {
      ...(this.hasEtag ? { etag: this.#etag() } : {}),
      ...(this.lastModified === undefined ? {} : { 'last-modified': this.lastModified }),
    };
    const { 'if-none-match': known, 'if-modified-since': since, 'if-range': same } = request.headers;
    if (
      (this.hasEtag && known === this.#etag()) ||
      (!this.hasEtag && since !== undefined && since === this.lastModified)
    ) {
      response.writeHead(304, own).end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const isSame = same === undefined || same === this.#etag() || same === this.lastModified;
    const isPart = range !== undefined && this.hasRanges && isSame;
    if (isPart && from >= this.content.length) {
      response.writeHead(416, { 'content-range': `bytes */${this.content.length}` }).end();
      return;
    }
    const body = isPart ? this.content.subarray(from) : this.content;
    const length = body.length + (fault?.type === 'short' ? fault.by : 0);
    const whole = this.content.length;
    response.writeHead(isPart ? 206 : 200, {
      ...own,
      'content-length': length,
      ...(isPart ? { 'content-range': `bytes ${from}-${whole - 1}/${whole}` } : {}),
    });
    const sent = fault?.type === 'cut' ? body.subarray(0, fault.after) : body;
    this.sentBytes += sent.length;
    if (this.paceMs > 0) void this.#send(sent, response);
    else if (fault === undefined) response.end(sent);
    else response.write(sent, () => setTimeout(() => request.socket.destroy(), 20));
  }
}
