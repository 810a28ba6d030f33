import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { pythonWith } from './python.js';

const packages = ['moto[server]==5.2.5', 'pyftpdlib==2.2.0', 'pyOpenSSL==26.4.0'];

/**
 * A Python that has the servers: the given one, or one of an environment in the system's temporary folder, which is made
 * once and kept.
 */
export function servicesPython(): string {
  const given = process.env.SCILAKE_SERVICES_PYTHON;
  if (given !== undefined && given !== '') return given;
  return pythonWith(packages);
}

/** What starts an FTP server over a folder, for whoever asks. */
export function ftpArguments(folder: string): (port: number) => readonly string[] {
  return (port) => ['-m', 'pyftpdlib', '-i', '127.0.0.1', '-p', String(port), '-d', folder];
}

/** Makes the environment before the suites ask for it, several at once. */
export function setup(): void {
  servicesPython();
}

/** A server that runs as long as a suite needs it. */
export class ServerProcess {
  readonly port: number;
  readonly #program: string;
  readonly #argv: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, program: string, argv: readonly string[]) {
    this.port = port;
    this.#program = program;
    this.#argv = argv;
  }

  /** @param program  the Python that has the servers when left out */
  static async start(
    argvOf: (port: number) => readonly string[],
    program: string = servicesPython(),
  ): Promise<ServerProcess> {
    const port = await freePort();
    const server = new ServerProcess(port, program, argvOf(port));
    await server.begin();
    return server;
  }

  /** Starts it, once more at the same port after it was stopped. */
  async begin(): Promise<void> {
    const child = spawn(this.#program, this.#argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (text) => {
      said = `${said}${text}`.slice(-4000);
    });
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (child.exitCode !== null) throw new Error(`the server ended: ${said}`);
      if (await answers(this.port)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`nothing listens at ${this.port}: ${said}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
