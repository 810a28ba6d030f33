import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import { Crc32c } from '../../src/ingest/crc32c.js';

/** Answers as the JSON API of Cloud Storage documents it, with two objects a page. */
export class GsDouble {
  readonly asked: string[] = [];
  /** What the store says of an object in place of what is true. */
  wrongMd5: string | undefined;
  readonly #objects = new Map<string, { readonly generation: string; readonly content: Buffer }>();
  readonly #server = http.createServer((request, response) => this.#answer(request, response));
  #generation = 1000;

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get host(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  put(name: string, text: string): void {
    this.#generation += 1;
    this.#objects.set(name, { generation: String(this.#generation), content: Buffer.from(text) });
  }

  remove(name: string): void {
    this.#objects.delete(name);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.asked.push(request.url ?? '');
    const url = new URL(request.url ?? '', 'http://store');
    const [, encoded] = /^\/storage\/v1\/b\/lab\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (!url.pathname.startsWith('/storage/v1/b/lab/o')) {
      response.writeHead(404).end();
      return;
    }
    if (encoded === undefined) {
      const prefix = url.searchParams.get('prefix') ?? '';
      const after = url.searchParams.get('pageToken') ?? '';
      const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
      const page = names.slice(0, 2);
      const more = names.length > 2 ? { nextPageToken: page.at(-1) } : {};
      response.end(JSON.stringify({ items: page.map((name) => this.#facts(name)), ...more }));
      return;
    }
    const name = decodeURIComponent(encoded);
    const object = this.#objects.get(name);
    const wanted = url.searchParams.get('generation');
    if (object === undefined || (wanted !== null && wanted !== object.generation)) response.writeHead(404).end();
    else if (url.searchParams.get('alt') === 'media') response.end(object.content);
    else response.end(JSON.stringify(this.#facts(name)));
  }

  #facts(name: string): object {
    const { generation, content } = this.#objects.get(name) ?? { generation: '', content: Buffer.alloc(0) };
    const crc = new Crc32c();
    crc.update(content);
    return {
      name,
      generation,
      size: String(content.length),
      md5Hash: this.wrongMd5 ?? createHash('md5').update(content).digest('base64'),
      crc32c: Buffer.from(crc.hex(), 'hex').toString('base64'),
    };
  }
}
