import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, duckdb } from '../../src/effects/duckdb.js';
import { paxOf, type TarMember, tarHeader, tarOf, withChecksum, type ZipMember, zipOf } from './archive-builder.js';
import { convert, refusal, schemaOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
let database: Database;
beforeAll(async () => {
  database = await duckdb.open();
});
afterAll(() => database.close());

function write(name: string, content: Buffer): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'in-')), name);
  fs.writeFileSync(file, content);
  return file;
}

const MATRIX = '%%MatrixMarket matrix coordinate integer general\n3 2 3\n1 1 5\n3 1 2\n2 2 7\n';
const META = 'id,label\n1,T\n2,B\n';
const geo: readonly (TarMember & ZipMember)[] = [
  { name: './GSE1_RAW/GSM1_matrix.mtx.gz', content: gzipSync(MATRIX) },
  { name: './GSE1_RAW/GSM1_barcodes.tsv', content: 'AAAC\nAAAG\n' },
  { name: './GSE1_RAW/GSM1_features.tsv.gz', content: gzipSync('g1\tG1\ng2\tG2\ng3\tG3\n') },
  { name: './GSE1_RAW/meta.csv', content: META },
  { name: 'README.txt', content: 'Read me, please.\n' },
  { name: '__MACOSX/._meta.csv', content: 'x' },
];

const packings: readonly (readonly [string, Buffer])[] = [
  ['geo.tar', tarOf(geo)],
  ['geo.tar.gz', gzipSync(tarOf(geo))],
  ['geo.zip', zipOf(geo)],
  ['geo.dat', zipOf(geo.map((member) => ({ ...member, isStored: true })))],
];

describe.each(packings)('an archive (%s)', (name, bytes) => {
  test('becomes the tables of its members, each with its provenance', async () => {
    const file = await convert(database, folder, { file: write(name, bytes) });
    expect(schemaOf(file.conversion)).toEqual(file.inspected);
    expect(file.conversion.elements.map(({ path: at, table, rows }) => [at, table, rows])).toEqual([
      ['GSM1/obs', 'GSM1__obs', 2],
      ['GSM1/var', 'GSM1__var', 3],
      ['GSM1/X', 'GSM1__X', 3],
      ['meta', 'meta', 2],
    ]);
    expect(fs.readdirSync(file.out).sort()).toEqual([
      'GSM1__X.parquet',
      'GSM1__obs.parquet',
      'GSM1__var.parquet',
      'manifest.json',
      'meta.parquet',
    ]);
    expect(await file.value('GSM1/X', 'sum(value)::INTEGER')).toBe(14);
    expect(await file.rows('meta')).toEqual([
      { id: '1', label: 'T' },
      { id: '2', label: 'B' },
    ]);
    const manifest: unknown = JSON.parse(fs.readFileSync(path.join(file.out, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 'scilake-archive/1',
      members: [
        { path: 'GSE1_RAW/GSM1_matrix.mtx.gz', format: 'mtx', n_obs: 2, tables: ['GSM1__obs', 'GSM1__var', 'GSM1__X'] },
        { path: 'GSE1_RAW/GSM1_barcodes.tsv', belongs_to: 'GSE1_RAW/GSM1_matrix.mtx.gz' },
        { path: 'GSE1_RAW/GSM1_features.tsv.gz', belongs_to: 'GSE1_RAW/GSM1_matrix.mtx.gz' },
        {
          path: 'GSE1_RAW/meta.csv',
          size: META.length,
          sha256: createHash('sha256').update(META).digest('hex'),
          format: 'csv',
          tables: ['meta'],
        },
        { path: 'README.txt', format: null, ignored: true },
        { path: '__MACOSX/._meta.csv', format: null, ignored: true },
      ],
      elements: [{ path: 'GSM1/obs', member: 'GSE1_RAW/GSM1_matrix.mtx.gz' }, {}, { path: 'GSM1/X', nnz: 3 }, {}],
    });
    expect(file.conversion.warnings).toEqual([
      'member "README.txt" is of no known format and was left out',
      'member "__MACOSX/._meta.csv" is of no known format and was left out',
    ]);
  });
});

describe('the tables of an archive', () => {
  test('of one member are those of the member', async () => {
    const file = await convert(database, folder, {
      file: write('one.tar', tarOf(geo.slice(0, 3))),
    });
    expect(file.conversion.elements.map(({ path: at, table }) => [at, table])).toEqual([
      ['obs', 'obs'],
      ['var', 'var'],
      ['X', 'X'],
    ]);
    expect([file.manifest.format, file.manifest.n_obs, file.manifest.n_vars]).toEqual(['scilake-anndata/1', 2, 3]);
  });

  test('are called by the folders where names are equal', async () => {
    const members = [
      { name: 'a/matrix.mtx', content: MATRIX },
      { name: 'b/matrix.mtx', content: MATRIX },
      { name: 'a/cells.csv.x', content: 'no' },
      { name: 'a/t.csv', content: META },
      { name: 'b/t.csv', content: META },
    ];
    const file = await convert(database, folder, { file: write('two.zip', zipOf(members)) });
    expect(file.conversion.elements.map(({ table }) => table)).toEqual([
      'a__obs',
      'a__var',
      'a__X',
      'b__obs',
      'b__var',
      'b__X',
      'a_t',
      'b_t',
    ]);
  });

  test('are those of the members that are asked for, and read with their options', async () => {
    const members = [
      { name: 'd/caf\u00e9.csv', content: Buffer.from('id;t\n1;caf\xe9\n', 'latin1') },
      { name: 'broken.csv', content: 'a,b\n1\n' },
    ];
    const options = { members: 'd/*|none?', encoding: 'latin-1', delim: ';' };
    const file = await convert(database, folder, { file: write('some.tar', tarOf(members)), options });
    expect(await file.rows('table')).toEqual([{ id: '1', t: 'caf\u00e9' }]);
  });

  test('of an archive in an archive are there, too; a third is refused', async () => {
    const inner = zipOf([{ name: 'meta.csv', content: META }]);
    const outer = tarOf([
      { name: 'inner.zip', content: inner },
      { name: 'other.csv', content: META },
    ]);
    const file = await convert(database, folder, { file: write('outer.tar', outer) });
    expect(file.conversion.elements.map(({ path: at, table }) => [at, table])).toEqual([
      ['inner', 'inner'],
      ['other', 'other'],
    ]);
    const third = tarOf([{ name: 'outer.tar', content: outer }]);
    const errors = await refusal(folder, { file: write('third.tar', third) });
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['SL0662', 'third.tar: outer.tar: inner.zip is an archive in an archive in an archive'],
    ]);
  });

  test('name the member in an error of its content', async () => {
    const errors = await refusal(folder, {
      file: write('bad.tar', tarOf([{ name: 'd/bad.csv', content: 'a,b\n1\n' }])),
    });
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['SL0613', expect.stringContaining('bad.tar: d/bad.csv: line 2')],
    ]);
  });

  test('leave nothing in the folder of temporary files', async () => {
    const before = fs.readdirSync(path.dirname(folder)).filter((name) => name.startsWith('scilake-members-'));
    await convert(database, folder, { file: write('geo.tar', tarOf(geo)) });
    await refusal(folder, { file: write('bad.tar', tarOf([{ name: 'bad.csv', content: 'a,b\n1\n' }])) });
    const after = fs.readdirSync(path.dirname(folder)).filter((name) => name.startsWith('scilake-members-'));
    expect(after).toEqual(before);
  });
});

const csv = { name: 'a.csv', content: META };
const long = `${'d/'.repeat(60)}${'n'.repeat(120)}.csv`;

describe('a tar archive', () => {
  const good: readonly (readonly [string, Buffer])[] = [
    ['with a long name of pax', tarOf([paxOf({ path: long, mtime: '1.5' }), { ...csv, name: 'short' }])],
    ['with a long name of GNU', tarOf([{ name: '././@LongLink', type: 'L', content: `${long}\0` }, csv])],
    ['with a size of pax', tarOf([paxOf({ size: String(META.length) }), { ...csv, size: 0 }])],
    ['with a global header', tarOf([paxOf({ comment: 'git' }, 'g'), csv])],
    ['with an old header', Buffer.concat([oldHeader(csv), body(META), Buffer.alloc(1024)])],
    ['with zeros after its end', tarOf([csv], Buffer.alloc(10_240))],
    [
      'with folders',
      tarOf([
        { name: 'd/', type: '5' },
        { name: 'd/', type: '5' },
        { ...csv, name: 'd/a.csv' },
      ]),
    ],
  ];
  test.each(good)('%s is read', async (_, bytes) => {
    const file = await convert(database, folder, { file: write('good.tar', bytes) });
    expect(file.conversion.elements.map(({ rows }) => rows)).toEqual([2]);
  });

  const bad: readonly (readonly [string, Buffer, string, string])[] = [
    ['leads out', tarOf([{ ...csv, name: '../a.csv' }]), 'SL0661', 'leads out of the archive'],
    ['leads out by pax', tarOf([paxOf({ path: 'x/../../a.csv' }), csv]), 'SL0661', 'leads out of the archive'],
    ['leads out by a backslash', tarOf([{ ...csv, name: '..\\a.csv' }]), 'SL0661', 'leads out of the archive'],
    ['is absolute', tarOf([{ ...csv, name: '/tmp/a.csv' }]), 'SL0661', 'absolute path'],
    ['is absolute on Windows', tarOf([{ ...csv, name: 'C:a.csv' }]), 'SL0661', 'absolute path'],
    ['is a symbolic link', tarOf([{ name: 'a', type: '2', linkName: '/etc' }, csv]), 'SL0661', 'symbolic link'],
    ['is a hard link', tarOf([csv, { name: 'b', type: '1', linkName: 'a.csv' }]), 'SL0661', 'hard link'],
    ['is a device', tarOf([{ name: 'z', type: '3' }]), 'SL0661', 'device'],
    ['is a named pipe', tarOf([{ name: 'p', type: '6' }]), 'SL0661', 'named pipe'],
    ['is a sparse file', tarOf([{ name: 's', type: 'S' }]), 'SL0661', 'sparse'],
    ['is sparse by pax', tarOf([paxOf({ 'GNU.sparse.major': '1' }), csv]), 'SL0661', 'sparse'],
    ['is of an unknown kind', tarOf([{ name: 'q', type: 'Q' }]), 'SL0661', 'of the kind "Q"'],
    ['has a control character', tarOf([{ ...csv, name: 'a\nb.csv' }]), 'SL0661', 'no file should have'],
    ['is there twice', tarOf([csv, csv]), 'SL0661', 'is there twice'],
    ['is there twice in other words', tarOf([csv, { ...csv, name: './/a.csv' }]), 'SL0661', 'is there twice'],
    ['differs in case only', tarOf([csv, { ...csv, name: 'A.csv' }]), 'SL0661', 'cannot be told from "a.csv"'],
    ['goes through a file', tarOf([csv, { ...csv, name: 'a.csv/b.csv' }]), 'SL0661', 'which is a file'],
    [
      'is a folder and a file',
      tarOf([
        { ...csv, name: 'd/b.csv' },
        { ...csv, name: 'd' },
      ]),
      'SL0661',
      '"d" is there twice',
    ],
    ['is cut off', tarOf([csv]).subarray(0, 700), 'SL0660', 'cut off'],
    ['has no end', tarOf([csv], Buffer.alloc(0)), 'SL0660', 'cut off'],
    ['has half an end', tarOf([csv], Buffer.alloc(512)), 'SL0660', 'cut off'],
    [
      'goes on after the end',
      tarOf([csv], Buffer.concat([Buffer.alloc(1024), tarOf([csv])])),
      'SL0660',
      'after its end',
    ],
    ['has a wrong checksum', wrongChecksum(), 'SL0660', 'checksum of a header is wrong (byte 1536'],
    ['has a negative size', negative(), 'SL0660', 'negative number'],
    [
      'has a broken pax header',
      tarOf([{ name: 'x', type: 'x', content: '99 path=a\n' }, csv]),
      'SL0660',
      'does not read',
    ],
    ['has a header without member', tarOf([csv, paxOf({ path: 'b' })]), 'SL0660', 'has no member'],
    ['holds nothing known', tarOf([{ name: 'a.bin', content: '\x00\x01' }]), 'SL0663', 'none of a known format'],
    ['holds nothing', tarOf([]), 'SL0663', 'holds nothing'],
  ];
  test.each(bad)('whose member %s is refused by one named error', async (_, bytes, code, message) => {
    const file = write('bad.tar', bytes);
    for (const name of [file, write('bad.tar.gz', gzipSync(bytes))]) {
      const errors = await refusal(folder, { file: name, format: 'tar' });
      expect(errors.map((error) => error.code)).toEqual([code]);
      expect(errors[0]?.message).toContain(message);
    }
  });

  test('whose gzip is cut off or wrong is refused', async () => {
    const packed = gzipSync(tarOf(geo));
    const wrong = Buffer.from(packed);
    wrong[wrong.length - 6] = (wrong[wrong.length - 6] ?? 0) ^ 1;
    for (const bytes of [packed.subarray(0, packed.length - 9), packed.subarray(0, packed.length >> 1), wrong]) {
      const errors = await refusal(folder, { file: write('bad.tar.gz', bytes) });
      expect(errors.map(({ code, message }) => [code, message])).toEqual([
        ['SL0660', expect.stringContaining('is a damaged gzip file')],
      ]);
    }
  });

  test('keeps to its limits, which options raise', async () => {
    const zeros = `a\n${`${'0'.repeat(1023)}\n`.repeat(18 * 2 ** 10)}`;
    const cases: readonly (readonly [Buffer, Readonly<Record<string, string>>, string])[] = [
      [tarOf([csv, { ...csv, name: 'b.csv' }]), { max_members: '1' }, 'SL0662'],
      [tarOf([csv, { name: 'b.csv', content: 'a\n'.repeat(2 ** 19) }]), { max_expanded_mb: '1' }, 'SL0662'],
      [tarOf([{ name: 'bomb.csv.gz', content: gzipSync(zeros) }]), {}, 'SL0616'],
    ];
    for (const [bytes, options, code] of cases) {
      const errors = await refusal(folder, { file: write('large.tar', bytes), options });
      expect(errors.map((error) => error.code)).toEqual([code]);
      const raised = { max_members: '2', max_expanded_mb: '20' };
      await convert(database, folder, { file: write('large.tar', bytes), options: raised });
    }
  });
});

describe('a zip archive', () => {
  const good: readonly (readonly [string, Buffer])[] = [
    ['with sizes after the data', zipOf([{ ...csv, descriptor: 'signed' }])],
    ['with sizes after the data, unsigned', zipOf([{ ...csv, descriptor: 'plain' }])],
    ['of Zip64', zipOf([{ ...csv, isZip64: true }], { isZip64: true })],
    ['with a comment', zipOf([csv], { comment: 'made by hand' })],
    [
      'with folders and modes',
      zipOf([
        { name: 'd/', unixMode: 0o40755 },
        { ...csv, unixMode: 0o100644 },
      ]),
    ],
  ];
  test.each(good)('%s is read', async (_, bytes) => {
    const file = await convert(database, folder, { file: write('good.zip', bytes) });
    expect(file.conversion.elements.map(({ rows }) => rows)).toEqual([2]);
  });

  const two = zipOf([csv, { ...csv, name: 'b.csv' }]);
  const bad: readonly (readonly [string, Buffer, string, string])[] = [
    ['leads out', zipOf([{ ...csv, name: '../a.csv' }]), 'SL0661', 'leads out of the archive'],
    ['is absolute', zipOf([{ ...csv, name: '/a.csv' }]), 'SL0661', 'absolute path'],
    ['is a link', zipOf([{ ...csv, unixMode: 0o120777 }]), 'SL0661', 'link or a device'],
    ['is a pipe', zipOf([{ ...csv, unixMode: 0o010644 }]), 'SL0661', 'link or a device'],
    ['is there twice', zipOf([csv, csv]), 'SL0661', 'is there twice'],
    ['differs in case only', zipOf([csv, { ...csv, name: 'A.CSV' }]), 'SL0661', 'cannot be told'],
    ['is encrypted', zipOf([{ ...csv, flags: 1 }]), 'SL0661', 'is encrypted'],
    ['is packed in another way', zipOf([{ ...csv, method: 12 }]), 'SL0661', 'method 12'],
    ['has another CRC', zipOf([{ ...csv, claims: { crc: 1 }, localClaims: { crc: 1 } }]), 'SL0660', 'another CRC'],
    ['is longer than announced', zipOf([lying(META.length - 1)]), 'SL0660', 'holds more than it announces'],
    ['is shorter than announced', zipOf([lying(META.length + 1)]), 'SL0660', 'holds less than it announces'],
    ['has two sizes', zipOf([{ ...csv, localClaims: { size: 7 } }]), 'SL0660', 'differs from the directory'],
    ['has two names', zipOf([{ ...csv, localClaims: { name: 'b.csv' } }]), 'SL0660', 'differs from the directory'],
    [
      'has another size after the data',
      zipOf([{ ...csv, descriptor: 'signed', localClaims: { size: 7 } }]),
      'SL0660',
      'what follows "a.csv" differs',
    ],
    [
      'overlaps another',
      zipOf([
        { ...csv, isStored: true },
        { ...csv, isStored: true, claims: { offset: 0 } },
      ]),
      'SL0660',
      'overlaps "a.csv"',
    ],
    ['is not where it should be', zipOf([{ ...csv, claims: { offset: 3 } }]), 'SL0660', 'there is no "a.csv"'],
    ['is cut off', two.subarray(0, -1), 'SL0660', 'has no end'],
    ['has something added', Buffer.concat([two, Buffer.from('x')]), 'SL0660', 'has no end'],
    ['has something before it', Buffer.concat([Buffer.from('MZ'), two]), 'SL0660', 'not where its end says'],
    ['is not counted', zipOf([csv], { entryCount: 2 }), 'SL0660', 'lists 1 members, its end says 2'],
    ['is not counted in Zip64', zipOf([csv], { isZip64: true, entryCount64: 2 }), 'SL0660', 'lists 1 members'],
    ['holds nothing', zipOf([]), 'SL0663', 'holds nothing'],
  ];
  test.each(bad)('whose member %s is refused by one named error', async (_, bytes, code, message) => {
    const errors = await refusal(folder, { file: write('bad.zip', bytes), format: 'zip' });
    expect(errors.map((error) => error.code)).toEqual([code]);
    expect(errors[0]?.message).toContain(message);
  });

  test('two names of one member overlap', async () => {
    const bytes = zipOf([csv, { ...csv, name: 'b.csv', claims: { offset: 0 }, localClaims: { name: 'a.csv' } }]);
    const errors = await refusal(folder, { file: write('bad.zip', bytes) });
    expect(errors.map(({ code }) => code)).toEqual(['SL0660']);
  });

  test('keeps to its limits, which options raise', async () => {
    const zeros = { name: 'zeros.csv', content: `a\n${`${'0'.repeat(1023)}\n`.repeat(18 * 2 ** 10)}` };
    const cases: readonly (readonly [Buffer, Readonly<Record<string, string>>])[] = [
      [zipOf([csv, { ...csv, name: 'b.csv' }]), { max_members: '1' }],
      [zipOf([zeros]), {}],
      [zipOf([{ ...zeros, isStored: true }]), { max_expanded_mb: '1' }],
    ];
    for (const [bytes, options] of cases) {
      const errors = await refusal(folder, { file: write('large.zip', bytes), options });
      expect(errors.map((error) => error.code)).toEqual(['SL0662']);
      const raised = { max_members: '2', max_expanded_mb: '20', max_ratio: '2000' };
      await convert(database, folder, { file: write('large.zip', bytes), options: raised });
    }
  });
});

test('an archive that is declared as something else is named', async () => {
  const errors = await refusal(folder, { file: write('a.csv', zipOf([csv])), format: 'csv' });
  expect(errors[0]?.message).toContain('declared as csv, but its content is zip');
  const others = await refusal(folder, { file: write('a.csv.gz', gzipSync(tarOf([csv]))), format: 'csv' });
  expect(others[0]?.message).toContain('declared as csv, but its content is tar');
});

function body(text: string): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
}

/** A header as before POSIX: no magic, a NUL for a file. */
function oldHeader(member: TarMember): Buffer {
  const header = tarHeader(member);
  header.fill(0, 156, 512);
  return withChecksum(header);
}

function wrongChecksum(): Buffer {
  const bytes = tarOf([csv, { ...csv, name: 'b.csv' }]);
  bytes[1024] = (bytes[1024] ?? 0) ^ 1;
  return bytes;
}

function negative(): Buffer {
  const bytes = tarOf([csv]);
  bytes.fill(0xff, 124, 136);
  withChecksum(bytes.subarray(0, 512));
  return bytes;
}

/** A member whose headers agree on a size that is not that of its data. */
function lying(size: number): ZipMember {
  return { ...csv, claims: { size }, localClaims: { size } };
}
