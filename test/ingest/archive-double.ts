import { once } from 'node:events';
import * as http from 'node:http';

/** What was asked of the archive, in order. */
export interface Asked {
  /** With its query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, a text, or a value that is sent as JSON. */
  readonly body?: unknown;
}

/** A web server on this machine that answers by a function; undefined is 404. */
export class ArchiveDouble {
  readonly asked: Asked[] = [];
  /** Answers that go before what the function says, once each. */
  readonly first: Answer[] = [];
  readonly #server: http.Server;

  constructor(answer: (path: string, query: URLSearchParams, headers: http.IncomingHttpHeaders) => Answer | undefined) {
    this.#server = http.createServer((request, response) => {
      this.asked.push({ path: request.url ?? '', headers: request.headers });
      const url = new URL(request.url ?? '', 'http://double');
      const given = this.first.shift() ?? answer(decodeURIComponent(url.pathname), url.searchParams, request.headers);
      const { status = 200, headers = {}, body = '' } = given ?? { status: 404 };
      const isPlain = typeof body === 'string' || Buffer.isBuffer(body);
      response.writeHead(status, headers).end(isPlain ? body : JSON.stringify(body));
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Paths that were asked for so far and begin like this, without their host. */
  pathsOf(start: string): readonly string[] {
    return this.asked.flatMap(({ path }) => (path.startsWith(start) ? [path] : []));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
