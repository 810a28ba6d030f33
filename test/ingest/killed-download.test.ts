import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { files } from '../../src/effects/files.js';
import { type LandedRecord, RawStore } from '../../src/ingest/raw-store.js';
import { temporaryFolder } from '../convert/support.js';
import { FaultServer } from './fault-server.js';

const folder = temporaryFolder();
const KILLS = 30;

/** A program that downloads one address into a store, as the connector does. */
async function downloader(): Promise<string> {
  const outfile = path.join(folder, 'downloader.mjs');
  await build({
    stdin: {
      contents: `
        import { files } from './src/effects/files.ts';
        import { requestHttp } from './src/effects/http.ts';
        import { download } from './src/ingest/download.ts';
        import { RawStore } from './src/ingest/raw-store.ts';
        const [, , folder, url] = process.argv;
        const outcome = await download({ url: new URL(url), headers: {}, checksum: undefined }, {
          http: requestHttp, store: new RawStore(folder, files), now: () => new Date(), random: Math.random,
          sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)), freeBytes: () => Infinity,
        });
        process.stdout.write(JSON.stringify(outcome));`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
  });
  return outfile;
}

test(`a download that is killed ${KILLS} times ends right, and what has arrived is not asked for again`, async () => {
  const program = await downloader();
  const server = await new FaultServer(randomBytes(6 << 20)).listen();
  server.paceMs = 3;
  const store = new RawStore(path.join(folder, 'raw'), files);
  files.makeFolder(store.folder);
  const part = store.partFile(server.url());
  const sizeOfPart = (): number => files.facts(part)?.sizeBytes ?? 0;
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, [program, store.folder, server.url()], { stdio: 'ignore' });
      const before = sizeOfPart();
      // Some are killed before they have begun to write, some while they do.
      const patience = kill % 5 === 0 ? 0 : 4_000;
      const deadline = Date.now() + patience;
      while (Date.now() < deadline && sizeOfPart() <= before && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      const asked = server.asked.length;
      const held = sizeOfPart();
      expect(store.landed(server.url())).toBeUndefined();
      expect(held).toBeGreaterThanOrEqual(before);
      const start = Number(/^bytes=(\d+)-$/.exec(server.asked[asked - 1]?.range ?? '')?.[1] ?? 0);
      if (asked > kill) expect(start).toBeLessThanOrEqual(held);
    }
    server.paceMs = 0;
    const held = sizeOfPart();
    expect(held).toBeGreaterThan(0);
    const child = spawn(process.execPath, [program, store.folder, server.url()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    await once(child, 'close');
    const outcome: { readonly type: string; readonly record: LandedRecord } = JSON.parse(said);
    expect(outcome.type).toBe('fetched');
    expect(Buffer.compare(fs.readFileSync(store.named(outcome.record)), server.content)).toBe(0);
    // Each went on where the one before had stopped; none began again.
    const starts = server.asked.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0));
    expect(starts.at(-1)).toBe(held);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  } finally {
    await server.close();
  }
});
