import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { ident, literal } from '../../../src/domain/names.js';
import type { Cell, Database, Row } from '../../../src/effects/duckdb.js';
import type { Job } from './messages.js';

/** Who else reads the file, and is asked whether it holds what was written. */
export type OracleName = 'none' | 'gzip' | 'csv' | 'json' | 'mtx' | 'parquet' | 'tar' | 'zip';

interface ManifestColumn {
  readonly name: string;
  readonly col: string;
  readonly type?: string;
}

interface ManifestElement {
  readonly path: string;
  readonly file: string;
  readonly rows: number;
  readonly shape?: readonly number[];
  readonly columns?: readonly ManifestColumn[];
}

interface Manifest {
  readonly elements: readonly ManifestElement[];
  readonly members?: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  readonly options?: {
    readonly delimiter: string;
    readonly quote: string;
    readonly comment?: string;
    readonly nullTexts: readonly string[];
    readonly skippedLines: number;
    readonly hasHeader: boolean;
    readonly encoding: string;
    readonly layout?: string;
  };
}

/** What an oracle says: a sentence about what is wrong, that it agrees, or that it cannot tell. */
type Verdict = string | 'agrees' | 'cannot tell';

/**
 * Holds a conversion of a damaged file against its own manifest, and against another reader of the same bytes.
 *
 * @returns what is wrong; or whether the other reader was asked
 */
export async function problemOf(
  job: Job,
  out: string,
  database: Database,
): Promise<string | { readonly checked: boolean }> {
  const manifest: Manifest = JSON.parse(fs.readFileSync(path.join(out, 'manifest.json'), 'utf8'));
  const expected = ['manifest.json', ...manifest.elements.map(({ file }) => file)].sort();
  const found = fs.readdirSync(out).sort();
  if (JSON.stringify(found) !== JSON.stringify(expected)) return `the folder holds ${found.join(', ')}`;
  for (const element of manifest.elements) {
    const problem = await againstManifest(database, out, element);
    if (problem !== undefined) return `${element.path}: ${problem}`;
  }
  const verdict = await oracles[job.oracle]({ job, manifest, out, database, bytes: fs.readFileSync(job.file) });
  if (verdict === 'agrees' || verdict === 'cannot tell') return { checked: verdict === 'agrees' };
  return verdict;
}

async function againstManifest(
  database: Database,
  out: string,
  { file, rows, shape }: ManifestElement,
): Promise<string | undefined> {
  const source = `read_parquet(${literal(path.join(out, file))})`;
  const columns = (await database.describe(`FROM ${source}`)).map(({ name }) => name);
  const hashes = columns.map((name) => `sum(hash(${ident(name)})::HUGEINT)`);
  const [row] = await database.rows(`SELECT ${['count(*) AS n', ...hashes].join(', ')} FROM ${source}`);
  if (Number(row?.n) !== rows) return `${String(row?.n)} rows, the manifest says ${rows}`;
  if (shape === undefined || !columns.includes('gene_idx') || !columns.includes('cell_idx') || rows === 0)
    return undefined;
  const [ends] = await database.rows(
    `SELECT min(cell_idx) AS c0, max(cell_idx) AS c1, min(gene_idx) AS g0, max(gene_idx) AS g1 FROM ${source}`,
  );
  const isInside =
    Number(ends?.c0) >= 0 &&
    Number(ends?.g0) >= 0 &&
    Number(ends?.c1) < (shape[0] ?? 0) &&
    Number(ends?.g1) < (shape[1] ?? 0);
  return isInside ? undefined : 'an index is outside of its axis';
}

interface Case {
  readonly job: Job;
  readonly manifest: Manifest;
  readonly out: string;
  readonly database: Database;
  readonly bytes: Buffer;
}

const oracles: Readonly<Record<OracleName, (given: Case) => Promise<Verdict>>> = {
  none: async () => 'cannot tell',
  // A checksum stands for the content: nothing else may be accepted.
  gzip: async ({ bytes, job }) => {
    if (bytes[0] !== 0x1f) return 'cannot tell';
    const content = gunzipSync(bytes);
    const original = fs.readFileSync(job.original);
    const times = content.length / Math.max(1, original.length);
    const isOriginal = Number.isInteger(times) && content.equals(Buffer.concat(Array(times).fill(original)));
    return isOriginal ? 'agrees' : 'changed content was accepted in a gzip file';
  },
  csv,
  json,
  mtx,
  parquet,
  tar,
  zip,
};

async function rowsOf({ manifest, out, database }: Case, at?: string): Promise<readonly Row[]> {
  const element = manifest.elements.find((candidate) => at === undefined || candidate.path === at);
  if (element === undefined) throw new Error(`no element ${at}`);
  return database.rows(`FROM read_parquet(${literal(path.join(out, element.file))})`);
}

async function csv(given: Case): Promise<Verdict> {
  const { options, elements } = given.manifest;
  if (options === undefined || options.comment !== undefined) return 'cannot tell';
  const text = given.bytes.toString(options.encoding === 'latin-1' ? 'latin1' : 'utf8').replace(/^\uFEFF/, '');
  let from = 0;
  for (let i = 0; i < options.skippedLines; i++) from = text.indexOf('\n', from) + 1 || text.length;
  const columns = elements[0]?.columns ?? [];
  const records = csvRecords(text.slice(from), options.delimiter, options.quote).filter(
    (record) => columns.length === 1 || record.length > 1 || record[0]?.text !== '',
  );
  const rows = await rowsOf(given);
  if (rows.length !== records.length) return `${rows.length} rows, another reader finds ${records.length}`;
  for (const [i, record] of records.entries()) {
    for (const [k, { col, type }] of columns.entries()) {
      const field = record[k];
      const value = rows[i]?.[col] ?? null;
      const isNull = field === undefined || (!field.isQuoted && options.nullTexts.includes(field.text));
      if (isNull ? value !== null : !isSameText(field.text, value, type ?? 'VARCHAR')) {
        return `row ${i}, column ${col}: ${JSON.stringify(value)}, another reader finds ${JSON.stringify(field)}`;
      }
    }
  }
  return 'agrees';
}

function isSameText(text: string, value: Cell, type: string): boolean {
  switch (type) {
    case 'DOUBLE': {
      const word = text.trim().toLowerCase().replace('+', '');
      const number = /nan/.test(word)
        ? Number.NaN
        : word.includes('inf')
          ? word.startsWith('-')
            ? -Infinity
            : Infinity
          : Number(text);
      return Object.is(number, Number(value)) || number === Number(value);
    }
    case 'BOOLEAN':
      return text.toLowerCase() === String(value);
    case 'TIMESTAMP':
      return text.replace('T', ' ') === value;
    default:
      return text === String(value);
  }
}

interface Field {
  readonly text: string;
  readonly isQuoted: boolean;
}

function csvRecords(text: string, delimiter: string, quote: string): readonly (readonly Field[])[] {
  const records: Field[][] = [];
  let record: Field[] = [];
  for (let at = 0; at < text.length; ) {
    let field = '';
    let isQuoted = false;
    if (quote !== '' && text[at] === quote) {
      isQuoted = true;
      for (at++; at < text.length; at++) {
        if (text[at] !== quote) field += text[at];
        else if (text[at + 1] === quote) {
          field += quote;
          at++;
        } else break;
      }
      at++;
    }
    const start = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
    field += text.slice(start, text[at - 1] === '\r' && at > start && text[at] !== delimiter ? at - 1 : at);
    record.push({ text: field, isQuoted });
    if (text[at] === delimiter) {
      at++;
      if (at < text.length) continue;
      record.push({ text: '', isQuoted: false });
    }
    records.push(record);
    record = [];
    at++;
  }
  return records;
}

async function json(given: Case): Promise<Verdict> {
  const { manifest, bytes } = given;
  const columns = manifest.elements[0]?.columns ?? [];
  if (JSON.stringify(columns).includes('"fields"')) return 'cannot tell';
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const layout = manifest.options?.layout;
  if (layout === 'values') return 'cannot tell';
  const records: readonly unknown[] =
    layout === 'array'
      ? JSON.parse(text)
      : text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line) => JSON.parse(line));
  const rows = await rowsOf(given);
  if (rows.length !== records.length) return `${rows.length} rows, another reader finds ${records.length}`;
  for (const [i, record] of records.entries()) {
    for (const { name, col } of columns) {
      const value = rows[i]?.[col] ?? null;
      const wanted = isPlainObject(record) ? record[name] : record;
      if (!isSameJson(wanted, value)) {
        return `row ${i}, column ${col}: ${JSON.stringify(value)}, another reader finds ${JSON.stringify(wanted)}`;
      }
    }
  }
  return 'agrees';
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSameJson(wanted: unknown, value: Cell | undefined): boolean {
  if (wanted === null || wanted === undefined) return value === null || value === undefined;
  if (typeof wanted === 'number') {
    // Beyond the range of DOUBLE, the text is kept.
    return Number(value) === wanted;
  }
  if (typeof value === 'string') {
    if (value === wanted) return true;
    try {
      return JSON.stringify(JSON.parse(value)) === JSON.stringify(wanted);
    } catch {
      return false;
    }
  }
  if (typeof wanted === 'boolean') return value === wanted;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(value) && value.length === wanted.length && wanted.every((item, i) => isSameJson(item, value[i]))
    );
  }
  if (!isPlainObject(wanted) || !isPlainObject(value)) return false;
  const fields: Record<string, unknown> = value;
  return Object.entries(wanted).every(([key, member]) => isSameJson(member, cellOf(fields[key])));
}

function cellOf(value: unknown): Cell {
  return JSON.parse(JSON.stringify(value ?? null));
}

async function mtx(given: Case): Promise<Verdict> {
  const lines = given.bytes.toString('latin1').split(/\r?\n/);
  if (!/^%%MatrixMarket matrix coordinate (integer|real) general *$/i.test(lines[0] ?? '')) return 'cannot tell';
  const [size, ...entries] = lines.filter((line) => line.trim() !== '' && !line.startsWith('%'));
  const wanted = entries.map((line) =>
    line
      .trim()
      .split(/[ \t]+/)
      .map(Number)
      .join(' '),
  );
  if (Number((size ?? '').trim().split(/[ \t]+/)[2]) !== wanted.length) return 'another number of entries is there';
  const rows = await rowsOf(given, 'X');
  const found = rows.map((row) => `${Number(row.gene_idx) + 1} ${Number(row.cell_idx) + 1} ${Number(row.value)}`);
  return JSON.stringify([...wanted].sort()) === JSON.stringify([...found].sort()) ? 'agrees' : 'entries differ';
}

/** hyparquet reads Snappy and plain pages; where it does not read the file, it says nothing about it. */
async function parquet(given: Case): Promise<Verdict> {
  let wanted: readonly Record<string, unknown>[];
  try {
    wanted = await parquetReadObjects({ file: new Uint8Array(given.bytes).buffer });
  } catch {
    return 'cannot tell';
  }
  const rows = await rowsOf(given);
  if (rows.length !== wanted.length) return `${rows.length} rows, another reader finds ${wanted.length}`;
  for (const [i, row] of rows.entries()) {
    for (const { name, col } of given.manifest.elements[0]?.columns ?? []) {
      const [value, other] = [row[col] ?? null, wanted[i]?.[name] ?? null];
      if (typeof other === 'object' && other !== null) continue;
      const isSame =
        typeof other === 'number'
          ? Object.is(Number(value), other) || Number(value) === other
          : String(value) === String(other);
      if (!isSame) return `row ${i}, column ${col}: ${JSON.stringify(value)}, another reader finds ${String(other)}`;
    }
  }
  return 'agrees';
}

/** Members of a tar have no checksum: what was taken out has to stand in the archive as it is, at the beginning of a block. */
async function tar({ bytes, manifest }: Case): Promise<Verdict> {
  for (const { path: member, size, sha256 } of manifest.members ?? []) {
    let isThere = false;
    for (let at = 512; at + size <= bytes.length && !isThere; at += 512) {
      isThere =
        createHash('sha256')
          .update(bytes.subarray(at, at + size))
          .digest('hex') === sha256;
    }
    if (!isThere) return `${member} is not in the archive as it was taken out`;
  }
  return 'agrees';
}

/** Members of a zip have a CRC: only those of the undamaged archive may come out. */
async function zip({ job, manifest }: Case): Promise<Verdict> {
  const known: readonly string[] = JSON.parse(fs.readFileSync(job.original, 'utf8'));
  for (const { path: member, sha256 } of manifest.members ?? []) {
    if (!known.includes(sha256)) return `${member} is not what was packed`;
  }
  return 'agrees';
}
