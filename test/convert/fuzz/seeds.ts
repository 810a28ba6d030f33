import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { literal } from '../../../src/domain/names.js';
import { duckdb } from '../../../src/effects/duckdb.js';
import { paxOf, tarOf, withChecksum, zipOf } from '../archive-builder.js';
import { categorical, numbers, SMALL, sparse, writeAnnData } from '../h5ad-builder.js';
import { FRAME } from '../pickle-frame.js';
import * as r from '../rds-builder.js';
import type { OracleName } from './oracles.js';

/** A sound file that damaged copies are made of. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
  readonly oracle: OracleName;
  /** What the oracle compares with. */
  readonly original?: Buffer;
  /** Makes checksums true again after the damage, so that it is not they that catch it. */
  readonly repair?: (mutant: Buffer) => Buffer;
  /** Files that stand beside it, undamaged. */
  readonly beside?: Readonly<Record<string, string | Buffer>>;
}

const MATRIX = [
  '%%MatrixMarket matrix coordinate integer general',
  '% a comment',
  '4 3 7',
  ...['1 1 5', '4 1 2', '2 2 7', '3 2 11', '1 3 1', '2 3 9', '4 3 123'],
  '',
].join('\n');
const SIDES = { 'barcodes.tsv': 'AAAC\nAAAG\nAAAT\n', 'features.tsv': 'g1\tG1\ng2\tG2\ng3\tG3\ng4\tG4\n' };
const TABLE = [
  'id,gene,score,day,note',
  '1,CD3D,0.5,2024-01-31,"a, b"',
  '2,LYZ,NA,2024-02-29,"say ""hi"""',
  '3,NKG7,-1e-3,1999-12-31,',
  '4,MS4A1,7,2000-01-01,"two\nlines"',
  '',
].join('\n');
const TABBED = '#chr\tpos\tp\n1\t100\t0.05\n2\t00200\tNaN\nX\t300\t1\n';
const LINES = [
  '{"id": 1, "gene": "CD3D", "tags": ["a", "b"], "at": {"x": 0.5, "y": -1}}',
  '{"id": 2, "gene": null, "tags": [], "at": {"x": 1e3}, "ok": true}',
  '{"id": 9007199254740993, "gene": "caf\u00e9 \\u00e9\\n", "ok": false}',
  '',
].join('\n');
const RECORDS = '[{"id": 1, "v": 0.25},\n {"id": 2, "v": null},\n {"id": 3, "v": 17, "w": "x"}]\n';

const MEMBERS = [
  { name: 'GSM1_matrix.mtx', content: MATRIX },
  { name: 'GSM1_barcodes.tsv', content: SIDES['barcodes.tsv'] },
  { name: 'GSM1_features.tsv', content: SIDES['features.tsv'] },
  { name: 'd/meta.csv', content: TABLE },
  { name: 'README', content: 'words' },
];

/** Sound files of every format, made here; `folder` is for those that only a library can write. */
export async function seedsOf(format: string, folder: string): Promise<readonly Seed[]> {
  switch (format) {
    case 'h5ad':
      return h5adSeeds(folder);
    case 'rds': {
      const object = r.rds(r.list({ m: r.dgC(), df: r.frame({ x: r.ints([7]), t: r.texts(['a']) }, r.texts(['n'])) }));
      return [plain('list.rds', object, 'none'), packed('list.rds', object)];
    }
    case 'mtx':
      return [
        { ...plain('matrix.mtx', Buffer.from(MATRIX), 'mtx'), beside: SIDES },
        { ...packed('matrix.mtx.gz', Buffer.from(MATRIX)), beside: SIDES },
      ];
    case 'csv':
      return [
        plain('table.csv', Buffer.from(TABLE), 'csv'),
        plain('gwas.tsv', Buffer.from(TABBED), 'csv'),
        packed('table.csv.gz', Buffer.from(TABLE)),
      ];
    case 'pickle':
      return [plain('frame.pkl', FRAME, 'none'), packed('frame.pkl.gz', FRAME)];
    case 'parquet':
      return parquetSeeds(folder);
    case 'json':
      return [
        plain('cells.jsonl', Buffer.from(LINES), 'json'),
        plain('cells.json', Buffer.from(RECORDS), 'json'),
        packed('cells.jsonl.gz', Buffer.from(LINES)),
      ];
    case 'tar':
      return [
        plain('geo.tar', tarOf(MEMBERS), 'tar'),
        { ...plain('repaired.tar', tarOf([paxOf({ path: 'p/q.csv' }), ...MEMBERS]), 'tar'), repair: repairedTar },
        packed('geo.tar.gz', tarOf(MEMBERS)),
      ];
    case 'zip': {
      const hashes = MEMBERS.map(({ content }) => createHash('sha256').update(content).digest('hex'));
      const original = Buffer.from(JSON.stringify(hashes));
      const described = MEMBERS.map((member) => ({ ...member, descriptor: 'signed' }) as const);
      return [
        { ...plain('geo.zip', zipOf(MEMBERS), 'zip'), original },
        { ...plain('streamed.zip', zipOf(described), 'zip'), original },
        {
          ...plain(
            'long.zip',
            zipOf(
              MEMBERS.map((m) => ({ ...m, isZip64: true })),
              { isZip64: true },
            ),
            'zip',
          ),
          original,
        },
      ];
    }
    default:
      throw new Error(`no seeds of the format ${format}`);
  }
}

/** Every block that says `ustar` gets the checksum that it should have. */
function repairedTar(mutant: Buffer): Buffer {
  for (let at = 0; at + 512 <= mutant.length; at += 512) {
    const header = mutant.subarray(at, at + 512);
    if (header.toString('latin1', 257, 262) === 'ustar') withChecksum(header);
  }
  return mutant;
}

function plain(name: string, bytes: Buffer, oracle: OracleName): Seed {
  return { name, bytes, oracle };
}

function packed(name: string, bytes: Buffer): Seed {
  return { name, bytes: gzipSync(bytes), oracle: 'gzip', original: bytes };
}

async function h5adSeeds(folder: string): Promise<readonly Seed[]> {
  const file = await writeAnnData(path.join(folder, 'small.h5ad'), (root) => {
    sparse(root, 'X', SMALL);
    const obs = root.get('obs');
    if (obs === null || !('create_group' in obs)) throw new Error('no obs');
    numbers(obs, 'n', new Int32Array([1, 2, 3]));
    categorical(obs, 'kind', { codes: [0, 1, -1], categories: ['T', 'B'] });
    obs.create_attribute('column-order', ['n', 'kind']);
    numbers(root.create_group('obsm'), 'X_pca', new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]);
  });
  return [plain('small.h5ad', fs.readFileSync(file), 'none')];
}

async function parquetSeeds(folder: string): Promise<readonly Seed[]> {
  const query =
    "SELECT i::INTEGER AS id, 'gene ' || i % 7 AS gene, nullif(i % 5, 0)::DOUBLE / 8 AS score, i % 2 = 0 AS ok, [i, i + 1] AS l FROM range(300) AS t(i)";
  const database = await duckdb.open();
  try {
    await database.run('SET threads = 1');
    const seeds: Seed[] = [];
    for (const [name, options] of [
      ['plain', 'COMPRESSION uncompressed, ROW_GROUP_SIZE 100'],
      ['snappy', 'COMPRESSION snappy'],
      ['zstd', 'COMPRESSION zstd, PARQUET_VERSION v2'],
    ] as const) {
      const file = path.join(folder, `${name}.parquet`);
      await database.run(`COPY (${query}) TO ${literal(file)} (FORMAT parquet, ${options})`);
      seeds.push(plain(`${name}.parquet`, fs.readFileSync(file), 'parquet'));
    }
    return seeds;
  } finally {
    database.close();
  }
}

const MAX_FIXTURE_BYTES = 64 * 1024;

/** Small sound files of a folder of fixtures outside the repository, where there is one. */
export function fixtureSeeds(format: string, fixtures: string): readonly Seed[] {
  const folder = path.join(fixtures, format);
  const list = path.join(folder, 'expected.json');
  if (fixtures === '' || !fs.existsSync(list)) return [];
  const expected: Readonly<Record<string, { readonly expect?: string }>> = JSON.parse(fs.readFileSync(list, 'utf8'));
  return Object.entries(expected).flatMap(([name, { expect }]) => {
    const file = path.join(folder, name);
    const facts = fs.statSync(file, { throwIfNoEntry: false });
    if (expect !== undefined || facts === undefined || facts.size > MAX_FIXTURE_BYTES || !facts.isFile()) return [];
    return [plain(name, fs.readFileSync(file), 'none')];
  });
}
