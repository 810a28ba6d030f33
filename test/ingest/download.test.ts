import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { files } from '../../src/effects/files.js';
import { requestHttp } from '../../src/effects/http.js';
import { type Download, download } from '../../src/ingest/download.js';
import { RawStore, safeFileName } from '../../src/ingest/raw-store.js';
import { temporaryFolder } from '../convert/support.js';
import { FaultServer } from './fault-server.js';

const root = temporaryFolder();
let server: FaultServer;
let store: RawStore;
let waits: number[];
let number = 0;

beforeEach(async () => {
  server = await new FaultServer(randomBytes(300_000)).listen();
  number += 1;
  store = new RawStore(path.join(root, String(number)), files);
  files.makeFolder(store.folder);
  waits = [];
});
afterEach(() => server.close());

const fetched = (
  asked: {
    readonly url?: string;
    readonly checksum?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
  freeBytes = Number.POSITIVE_INFINITY,
): Promise<Download> =>
  download(
    { url: new URL(asked.url ?? server.url()), headers: asked.headers ?? {}, checksum: asked.checksum },
    {
      http: requestHttp,
      store,
      now: () => new Date('2024-01-10T12:00:00Z'),
      sleep: async (ms) => {
        waits.push(ms);
      },
      random: () => 1,
      freeBytes: () => freeBytes,
    },
  );

async function content(outcome: Promise<Download>): Promise<Buffer> {
  const found = await outcome;
  if (found.type !== 'fetched' && found.type !== 'unchanged') throw new Error(JSON.stringify(found));
  return fs.readFileSync(store.named(found.record));
}

const isWhole = async (outcome: Promise<Download>): Promise<void> => {
  expect((await content(outcome)).equals(server.content)).toBe(true);
  expect(files.facts(store.partFile(server.url()))).toBeUndefined();
};

describe('a file', () => {
  test('comes whole, keeps its name, and stands in the store by its content', async () => {
    const outcome = await fetched();
    await isWhole(Promise.resolve(outcome));
    if (outcome.type !== 'fetched') throw new Error(outcome.type);
    const { record } = outcome;
    const file = store.named(record);
    expect(path.basename(file)).toBe('file.csv');
    const { sha256 } = record;
    expect(sha256).toBe(createHash('sha256').update(server.content).digest('hex'));
    const stored = path.join(store.folder, 'sha256', sha256.slice(0, 2), sha256);
    expect(fs.statSync(stored).ino).toBe(fs.statSync(file).ino);
    expect(record).toMatchObject({ sizeBytes: 300_000, fetchedAt: '2024-01-10T12:00:00.000Z', finalUrl: server.url() });
  });

  test.each(['etag', 'last-modified'])('that has not changed is not sent again (%s)', async (by) => {
    if (by === 'last-modified') {
      server.hasEtag = false;
      server.lastModified = 'Wed, 10 Jan 2024 10:00:00 GMT';
    }
    await fetched();
    const { sentBytes } = server;
    expect((await fetched()).type).toBe('unchanged');
    expect(server.sentBytes).toBe(sentBytes);
  });

  test('that has changed comes again, and the one before stays', async () => {
    const before = await fetched();
    server.content = randomBytes(1_000);
    const after = await fetched();
    await isWhole(Promise.resolve(after));
    if (before.type !== 'fetched' || after.type !== 'fetched') throw new Error('not fetched');
    expect(fs.statSync(store.named(before.record)).size).toBe(300_000);
    expect(store.named(after.record)).not.toBe(store.named(before.record));
  });
});

describe('a broken download', () => {
  test('goes on where it stopped, and no byte is sent twice', async () => {
    server.faults.push({ type: 'cut', after: 100_000 }, { type: 'cut', after: 50_000 });
    await isWhole(fetched());
    expect(server.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
    expect(server.sentBytes).toBe(300_000);
  });

  test('comes to its end however often it breaks', async () => {
    server.faults.push(...Array.from({ length: 20 }, () => ({ type: 'cut', after: 10_000 }) as const));
    await isWhole(fetched());
    expect(server.sentBytes).toBe(300_000);
  });

  test('that begins again and again is given up', async () => {
    server.hasRanges = false;
    server.faults.push(
      ...Array.from({ length: 40 }, (_, i) => ({ type: 'cut', after: i % 2 === 0 ? 50_000 : 20_000 }) as const),
    );
    expect((await fetched()).type).toBe('unreachable');
    expect(server.asked.length).toBeLessThan(10);
  });

  test('goes on in another process', async () => {
    server.faults.push({ type: 'cut', after: 10_000 });
    server.faults.push(...Array.from({ length: 6 }, () => ({ type: 'status', status: 500 }) as const));
    expect((await fetched()).type).toBe('unreachable');
    store = new RawStore(store.folder, files);
    await isWhole(fetched());
    expect(server.sentBytes).toBe(300_000);
  });

  test('begins again where the file has changed in between', async () => {
    server.faults.push({ type: 'cut', after: 100_000 });
    const outcome = download(
      { url: new URL(server.url()), headers: {}, checksum: undefined },
      {
        http: requestHttp,
        store,
        now: () => new Date(0),
        sleep: async () => {
          server.content = randomBytes(200_000);
        },
        random: () => 0,
        freeBytes: () => Number.POSITIVE_INFINITY,
      },
    );
    await isWhole(outcome);
  });

  test.each([
    [
      'the server knows no ranges',
      () => {
        server.hasRanges = false;
      },
    ],
    [
      'its ETag is weak',
      () => {
        server.isWeak = true;
      },
    ],
    [
      'nothing tells versions apart',
      () => {
        server.hasEtag = false;
      },
    ],
  ])('begins again where %s', async (_, arrange) => {
    arrange();
    server.faults.push({ type: 'cut', after: 100_000 });
    await isWhole(fetched());
    expect(server.sentBytes).toBe(400_000);
  });

  test('begins again where there is more of it than of the file', async () => {
    server.faults.push({ type: 'cut', after: 270_000 });
    server.faults.push(...Array.from({ length: 6 }, () => ({ type: 'status', status: 500 }) as const));
    await fetched();
    fs.appendFileSync(store.partFile(server.url()), Buffer.alloc(50_000));
    await isWhole(fetched());
  });

  test('that ends before its size is not taken for whole', async () => {
    server.faults.push({ type: 'short', by: 1_000 });
    await isWhole(fetched());
    expect(server.asked.length).toBeGreaterThan(1);
  });
});

describe('a server that', () => {
  test('asks for patience is given it', async () => {
    server.faults.push(
      { type: 'status', status: 429, headers: { 'retry-after': '7' } },
      { type: 'status', status: 503, headers: { 'retry-after': 'Wed, 10 Jan 2024 12:00:03 GMT' } },
      { type: 'status', status: 500 },
      // What it counts by itself: nothing is left until that second.
      { type: 'status', status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1704888005' } },
    );
    await isWhole(fetched());
    expect(waits).toEqual([7_000, 3_000, 2_000, 5_000]);
  });

  test('never answers well is given up', async () => {
    server.faults.push(...Array.from({ length: 6 }, () => ({ type: 'status', status: 502 }) as const));
    expect(await fetched()).toEqual({ type: 'unreachable', reason: 'the server answers 502', landed: undefined });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  test('refuses is not asked again', async () => {
    for (const status of [401, 403, 404, 410]) {
      server.faults.push({ type: 'status', status });
      expect(await fetched()).toMatchObject({ type: 'refused', reason: `the server answers ${status}` });
    }
    expect(server.asked).toHaveLength(4);
  });

  test('sends something packed is refused', async () => {
    server.faults.push({ type: 'status', status: 200, headers: { 'content-encoding': 'gzip' } });
    expect(await fetched()).toMatchObject({ type: 'refused', reason: expect.stringContaining('packed (gzip)') });
  });

  test('is gone leaves what came the last time', async () => {
    await fetched();
    const { record } = { record: store.landed(server.url()) };
    const url = server.url();
    await server.close();
    expect(await fetched({ url })).toEqual({ type: 'unreachable', reason: 'nothing listens there', landed: record });
    // With something to go on with, it is tried twice.
    expect(waits).toHaveLength(1);
    await server.listen();
  });

  test('sends us elsewhere is followed, and credentials stay behind', async () => {
    const other = await new FaultServer(server.content).listen();
    try {
      server.redirectTo = other.url('/b.csv');
      const url = server.url('/moved/a.csv');
      const outcome = await fetched({ url, headers: { authorization: 'Basic c2VjcmV0' } });
      if (outcome.type !== 'fetched') throw new Error(JSON.stringify(outcome));
      expect(path.basename(store.named(outcome.record))).toBe('a.csv');
      expect(outcome.record.finalUrl).toBe(other.url('/b.csv'));
      expect(server.asked[0]?.headers.authorization).toBe('Basic c2VjcmV0');
      expect(other.asked[0]?.headers.authorization).toBeUndefined();
      server.redirectTo = url;
      expect(await fetched({ url })).toMatchObject({ type: 'unreachable', reason: 'more than 10 redirects' });
      server.redirectTo = 'file:///etc/passwd';
      expect(await fetched({ url })).toMatchObject({ reason: expect.stringContaining('which is not followed') });
    } finally {
      await other.close();
    }
  });
});

describe('what arrives', () => {
  test.each(['md5', 'sha256'])('is held against its %s', async (algorithm) => {
    const checksum = `${algorithm}:${createHash(algorithm).update(server.content).digest('hex')}`;
    await isWhole(fetched({ checksum }));
    server.content = randomBytes(500);
    const outcome = await fetched({ checksum });
    if (outcome.type !== 'mismatch') throw new Error(outcome.type);
    expect(outcome.found).toBe(`${algorithm}:${createHash(algorithm).update(server.content).digest('hex')}`);
    expect(fs.readFileSync(outcome.quarantine).equals(server.content)).toBe(true);
    expect(store.landed(server.url())?.sizeBytes).toBe(300_000);
  });

  test('has room on the disk before it is written', async () => {
    expect(await fetched({}, 299_999)).toMatchObject({
      type: 'refused',
      reason: 'it has 300000 bytes, and the disk has 299999 left',
    });
    expect(server.asked).toHaveLength(1);
    await isWhole(fetched({}, 300_000));
  });
});

test.each([
  ['https://x.org/a/matrix.mtx.gz', 'matrix.mtx.gz'],
  ['https://x.org/a/..%2F..%2Fetc%2Fpasswd', 'etc_passwd'],
  ['https://x.org/', 'download'],
  ['https://x.org/a%20b%00c;rm.csv?x=1', 'a_b_c_rm.csv'],
  ['https://x.org/%E9.csv', 'E9.csv'],
  ['https://x.org/.htaccess', 'htaccess'],
  [`https://x.org/${'a'.repeat(300)}.h5ad`, `${'a'.repeat(115)}.h5ad`],
])('%s is kept as %s', (url, expected) => {
  expect(safeFileName(new URL(url))).toBe(expected);
});
