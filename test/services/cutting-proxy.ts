import { once } from 'node:events';
import * as net from 'node:net';

/** Stands before a server and breaks connections after so many bytes of an answer, one entry of `cuts` for each that is that long. */
export class CuttingProxy {
  /** Bytes after which the next long answers break. */
  readonly cuts: number[] = [];
  /** Bytes that went through to the client. */
  sentBytes = 0;
  readonly #target: number;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  private constructor(target: number) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#carry(client));
  }

  static async before(target: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #carry(client: net.Socket): void {
    const server = net.connect(this.#target, '127.0.0.1');
    let carried = 0;
    let isOver = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.on('data', (block: Buffer) => {
      if (isOver) return;
      const [cut] = this.cuts;
      const isCut = cut !== undefined && carried + block.length > cut;
      const sent = isCut ? block.subarray(0, cut - carried) : block;
      carried += sent.length;
      this.sentBytes += sent.length;
      if (isCut) this.cuts.shift();
      isOver = isCut;
      client.write(sent, () => {
        if (isCut) setTimeout(() => server.destroy(), 20);
      });
    });
  }
}
