import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { files } from '../../src/effects/files.js';
import { Crc32c } from '../../src/ingest/crc32c.js';
import { inOrder } from '../../src/ingest/in-order.js';
import { landSet, type SetMember } from '../../src/ingest/land-set.js';
import { compareNames } from '../../src/ingest/set-listing.js';
import { SetPaths } from '../../src/ingest/set-paths.js';
import { temporaryFolder } from '../convert/support.js';

const root = temporaryFolder();
let number = 0;

/** A place whose files hold their own version. */
function place() {
  number += 1;
  const folder = path.join(root, String(number));
  const brought: string[] = [];
  const content = (sha256: string): string => path.join(folder, 'content', sha256);
  fs.mkdirSync(path.join(folder, 'content'), { recursive: true });
  const landed = (members: readonly SetMember[]) =>
    landSet(
      {
        name: 'many',
        setsFolder: path.join(folder, 'sets'),
        listing: path.join(folder, 'listing.jsonl'),
        members: (async function* () {
          yield* members;
        })(),
        atOnce: 4,
        async bring({ name, version }) {
          brought.push(name);
          if (version === 'broken') throw new Error('broken');
          const sha256 = Buffer.from(`${name}${version}`).toString('hex').padEnd(64, '0').slice(0, 64);
          fs.writeFileSync(content(sha256), version);
          return { sizeBytes: version.length, sha256 };
        },
        isHere: ({ sha256 }) => fs.existsSync(content(sha256)),
        link: ({ sha256 }, to) => files.linkOrCopy(content(sha256), to),
      },
      files,
    );
  return { folder, brought, landed };
}

const members = (...listed: readonly (readonly [string, string])[]): readonly SetMember[] =>
  listed.map(([name, version]) => ({ name, version }));

describe('a set of files', () => {
  test('brings what is new or changed only, and leaves out what is gone', async () => {
    const { brought, landed } = place();
    const first = await landed(members(['a.csv', '1'], ['b/c.csv', '1'], ['d.csv', '1']));
    expect(first).toMatchObject({ fileCount: 3, sizeBytes: 3 });
    expect(files.list(first.path)).toEqual(['a.csv', 'b/c.csv', 'd.csv']);
    const second = await landed(members(['a.csv', '1'], ['b/c.csv', '2'], ['e.csv', '1']));
    expect(brought).toEqual(['a.csv', 'b/c.csv', 'd.csv', 'b/c.csv', 'e.csv']);
    expect(files.list(second.path)).toEqual(['a.csv', 'b/c.csv', 'e.csv']);
    expect(fs.readFileSync(path.join(second.path, 'b/c.csv'), 'utf8')).toBe('2');
    // The set before stays what it was.
    expect(fs.readFileSync(path.join(first.path, 'b/c.csv'), 'utf8')).toBe('1');
    const again = await landed(members(['a.csv', '1'], ['b/c.csv', '1'], ['d.csv', '1']));
    expect(again).toEqual(first);
  });

  test('is the same in whatever order the place lists it', async () => {
    const { brought, landed } = place();
    const ordered = await landed(members(['a', '1'], ['b', '1'], ['c', '1']));
    const other = await landed(members(['c', '1'], ['a', '1'], ['b', '1']));
    expect(other).toEqual(ordered);
    await landed(members(['a', '1'], ['b', '1'], ['c', '1']));
    expect(brought.slice(-3)).not.toEqual(['a', 'b', 'c']);
  });

  test('that does not come whole changes nothing', async () => {
    const { folder, landed } = place();
    const first = await landed(members(['a', '1']));
    await expect(landed(members(['a', '2'], ['b', 'broken'], ['c', '1']))).rejects.toThrow('broken');
    expect(fs.readdirSync(folder)).not.toContainEqual(expect.stringContaining('.part'));
    expect(await landed(members(['a', '1']))).toEqual(first);
  });

  test('brings again what is not here any more, and what its place gives no version', async () => {
    const { folder, brought, landed } = place();
    await landed(members(['a', '1'], ['b', '']));
    for (const name of fs.readdirSync(path.join(folder, 'content')))
      if (name.startsWith(Buffer.from('a').toString('hex'))) fs.rmSync(path.join(folder, 'content', name));
    await landed(members(['a', '1'], ['b', '']));
    expect(brought).toEqual(['a', 'b', 'a', 'b']);
  });

  test('of ten thousand files costs no bytes when nothing has changed', async () => {
    const { brought, landed } = place();
    const many = Array.from({ length: 10_000 }, (_, i): readonly [string, string] => [
      `f${String(i).padStart(5, '0')}`,
      '1',
    ]);
    const first = await landed(members(...many));
    expect(await landed(members(...many))).toEqual(first);
    expect(brought.length).toBe(10_000);
  });
});

test('names from outside stay inside, and apart', () => {
  const paths = new SetPaths();
  const found = [
    '../../etc/passwd',
    '/abs',
    'C:\\x',
    'a\0b',
    'A.csv',
    'a.csv',
    'd',
    'd/e',
    'year=2024/x y.csv',
    '',
    '..',
    '.git/config',
    'é.csv',
    'e\u0301.csv',
    'x/.',
    `${'n'.repeat(300)}.csv`,
  ].map((name) => paths.pathOf(name));
  expect(found.slice(0, 9)).toEqual([
    '__/__/etc/passwd',
    'abs',
    'C_/x',
    'a_b',
    'A.csv',
    'a_2.csv',
    'd',
    'd_2/e',
    'year=2024/x y.csv',
  ]);
  const folded = found.map((name) => name.normalize('NFC').toLowerCase());
  expect(new Set(folded).size).toBe(found.length);
  for (const name of folded) {
    expect(path.posix.normalize(`/root/${name}`)).toMatch(/^\/root\/./);
    // None goes through another's file.
    expect(folded.some((other) => other.startsWith(`${name}/`))).toBe(false);
  }
});

test('results come in the order of the items, and at most so many are worked on', async () => {
  let running = 0;
  let most = 0;
  const items = (async function* () {
    yield* Array.from({ length: 100 }, (_, i) => i);
  })();
  const found: number[] = [];
  const results = inOrder(items, 4, async (i) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < 7 - (i % 7); turn += 1) await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return i;
  });
  for await (const i of results) found.push(i);
  expect(found).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(most).toBe(4);
});

test('names are ordered by their bytes', () => {
  expect(['\u{1F600}', '\uFFFD', 'b', 'a/b', 'a'].sort(compareNames)).toEqual(['a', 'a/b', 'b', '\uFFFD', '\u{1F600}']);
});

test('CRC-32C is that of the standard', () => {
  const checksum = new Crc32c();
  checksum.update(Buffer.from('12345'));
  checksum.update(Buffer.from('6789'));
  expect(checksum.hex()).toBe('e3069283');
});
