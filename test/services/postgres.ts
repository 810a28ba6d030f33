import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

/** A PostgreSQL server of its own on this machine, in a folder that is gone when it stops. */
export class PostgresServer {
  readonly port: number;
  readonly #folder: string;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  static async start(): Promise<PostgresServer> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-postgres-'));
    const server = new PostgresServer(await freePort(), folder);
    if (process.getuid?.() === 0) fs.chownSync(folder, idOf('-u'), idOf('-g'));
    server.#run('initdb', '-D', server.#data, '-A', 'trust', '-U', 'scilake', '--no-sync');
    const options = `-p ${server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off`;
    server.#run('pg_ctl', '-D', server.#data, '-o', options, '-l', path.join(folder, 'log'), '-w', 'start');
    return server;
  }

  /** An address for `lake.catalog`. */
  get address(): string {
    return `postgres://scilake@127.0.0.1:${this.port}/postgres`;
  }

  stop(): void {
    this.#run('pg_ctl', '-D', this.#data, '-m', 'immediate', '-w', 'stop');
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return path.join(this.#folder, 'data');
  }

  /** PostgreSQL refuses to run as root. */
  #run(program: string, ...argv: readonly string[]): void {
    const file = path.join(programs(), program);
    const who = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    execFileSync(file, argv, { ...who, cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** Whether there is a PostgreSQL to be started here. */
export function hasPostgres(): boolean {
  return programs() !== '';
}

/** Folder of its programs: that of SCILAKE_POSTGRES_BIN, of the path, or of the newest package of the system; empty: none. */
function programs(): string {
  const given = process.env.SCILAKE_POSTGRES_BIN;
  if (given !== undefined && given !== '') return given;
  const found = (process.env.PATH ?? '').split(path.delimiter).find((folder) => isIn(folder));
  if (found !== undefined) return found;
  const packages = '/usr/lib/postgresql';
  const versions = fs.existsSync(packages) ? fs.readdirSync(packages).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => path.join(packages, version, 'bin')).find((folder) => isIn(folder)) ?? '';
}

function isIn(folder: string): boolean {
  return fs.existsSync(path.join(folder, 'initdb'));
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim());
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
