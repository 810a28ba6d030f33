import { once } from 'node:events';
import * as http from 'node:http';

export interface AskedPage {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: http.IncomingHttpHeaders;
  readonly method: string;
  readonly body: string;
}

/** Something that goes wrong with the next answer, once. */
export type ApiFault =
  | {
      readonly type: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly type: 'cut' };

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Says of a request what is answered. */
export type Route = (asked: AskedPage) => Reply;

/**
 * An interface on this machine. It is strict: a path that is not there is 404, and a parameter that a route does not know
 * is 400, so that nothing is sent that was not declared.
 */
export class ApiDouble {
  /** Texts of JSON, so that digits and keys are what the test says. */
  records: string[] = [];
  readonly asked: AskedPage[] = [];
  readonly faults: ApiFault[] = [];
  readonly routes = new Map<string, { readonly params: readonly string[]; readonly route: Route }>();
  readonly #server = http.createServer((request, response) => void this.#answer(request, response));

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#standardRoutes();
    return this;
  }

  get host(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  on(path: string, params: readonly string[], route: Route): void {
    this.routes.set(path, { params, route });
  }

  /** Queries of what was asked at a path. */
  queries(path: string): readonly Readonly<Record<string, string>>[] {
    return this.asked.filter((one) => one.path === path).map(({ query }) => query);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Two records a page, in every way that interfaces have. */
  #standardRoutes(): void {
    const size = 2;
    const pageCount = (): number => Math.ceil(this.records.length / size);
    const slice = (from: number, count = size): string => this.records.slice(from, from + count).join(', ');
    const json = (body: string, headers?: Readonly<Record<string, string>>): Reply => ({
      body,
      ...(headers === undefined ? {} : { headers }),
    });
    this.on('/single', [], () => json(`[${this.records.join(',')}]`));
    this.on('/page', ['page'], ({ query }) =>
      json(`{"results": {"items": [${slice(size * (Number(query.page) - 1))}]}, "total_pages": ${pageCount()}}`),
    );
    this.on('/more', ['p'], ({ query }) =>
      json(`{"items": [${slice(size * Number(query.p))}], "more": ${Number(query.p) + 1 < pageCount()}}`),
    );
    this.on('/offset', ['offset', 'limit'], ({ query }) =>
      json(`{"data": [${slice(Number(query.offset), Number(query.limit))}], "total": ${this.records.length}}`),
    );
    this.on('/header-link', ['after'], ({ query }) => {
      const after = Number(query.after ?? 0) + size;
      const next = `<${this.url(`/header-link?after=${after}`)}>; title="a, b"; rel="last next"`;
      return json(
        `[${slice(after - size)}]`,
        after < this.records.length ? { link: `<${this.url('/x')}>; rel="prev", ${next}` } : {},
      );
    });
    this.on('/json-link', ['after'], ({ query }) => {
      const after = Number(query.after ?? 0) + size;
      const next = after < this.records.length ? `"?after=${after}"` : 'null';
      return json(`{"value": [${slice(after - size)}], "paging": {"next": ${next}}}`);
    });
    this.on('/cursor', ['cursor'], ({ query }) => {
      const after = Number(BigInt(query.cursor ?? '90000000000000000000') - 90000000000000000000n) + size;
      const next = after < this.records.length ? `9000000000000000000${after}` : '0';
      return json(`{"rows": [${slice(after - size)}], "meta": {"next": ${next}}}`);
    });
    this.on('/header-cursor', ['token'], ({ query }) => {
      const after = Number(query.token ?? 0) + size;
      return json(`[${slice(after - size)}]`, after < this.records.length ? { 'x-next': String(after) } : {});
    });
    this.on('/since', ['since', 'page'], ({ query }) => {
      const found = this.records.filter((record) => {
        const at = String((JSON.parse(record) as { at?: unknown }).at ?? '');
        return at >= (query.since ?? '');
      });
      const page = Number(query.page ?? 1);
      return json(`{"items": [${found.slice(2 * (page - 1), 2 * page).join(',')}]}`);
    });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url('/'));
    const blocks: Buffer[] = [];
    for await (const block of request) blocks.push(Buffer.from(block));
    const asked: AskedPage = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      method: request.method ?? '',
      body: Buffer.concat(blocks).toString(),
    };
    this.asked.push(asked);
    const fault = this.faults.shift();
    if (fault?.type === 'status') {
      response.writeHead(fault.status, { ...fault.headers }).end(fault.body ?? '');
      return;
    }
    const known = this.routes.get(url.pathname);
    if (known === undefined) {
      response.writeHead(404).end();
      return;
    }
    const stranger = Object.keys(asked.query).find((name) => !known.params.includes(name));
    if (stranger !== undefined) {
      response.writeHead(400).end(`{"error": "there is no parameter ${stranger}"}`);
      return;
    }
    const { status = 200, headers = {}, body } = known.route(asked);
    if (fault?.type === 'cut') {
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
      response.write(body.slice(0, Math.ceil(body.length / 2)), () => setTimeout(() => request.socket.destroy(), 10));
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  }
}
