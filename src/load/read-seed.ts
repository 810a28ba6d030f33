import * as path from 'node:path';
import type { Column } from '../domain/column.js';
import { fail, messageOf, type Result, succeed } from '../domain/diagnostic.js';
import { digest } from '../domain/digest.js';
import type { SeedFile } from '../domain/kind.js';
import { locate } from '../domain/location.js';
import type { Model } from '../domain/model.js';
import { fileLiteral, ident, literal } from '../domain/names.js';
import type { Database } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { plainSeedText } from '../parse/seed-text.js';

export interface SeedEffects {
  readonly database: Database;
  readonly files: Files;
  readonly projectFolder: string;
  readonly cacheFolder: string;
}

/** A seed's file as DuckDB reads it. */
export interface SeedContent {
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** One hash of all values of each column, in row order. */
  readonly columnHashes: readonly string[];
  readonly sha256: string;
  /** Absolute path of the file that DuckDB reads: the seed's own, or a copy that is written as DuckDB can read it. */
  readonly file: string;
}

/** Reads the whole file: its columns, and a hash of each, so that a changed cell shows in its column alone. */
export async function readSeed(model: Model, seed: SeedFile, effects: SeedEffects): Promise<Result<SeedContent>> {
  const file = seedPath(model, seed, effects.projectFolder);
  if (effects.files.facts(file) === undefined) {
    return fail({
      code: 'SL0501',
      severity: 'error',
      message: `the seed's file ${seed.path} is not there`,
      location: seedLocation(model, seed),
      hint: `the path starts from the model's own folder, ${path.dirname(model.file.path)}; $root/ starts from the project`,
    });
  }
  try {
    const readable = readableFile(file, seed, effects);
    const query = seedQuery(readable, seed, model.declaredColumns);
    const columns = await effects.database.describe(query);
    const hashes = columns.map(
      (column, at) =>
        `md5(string_agg(coalesce(CAST(${ident(column.name)} AS VARCHAR), chr(0)), chr(31) ORDER BY __scilake_row)) AS h${at}`,
    );
    const [row] = await effects.database.rows(
      `SELECT count(*) AS n, ${hashes.join(', ')}\nFROM (SELECT *, row_number() OVER () AS __scilake_row FROM (${query}))`,
    );
    return succeed({
      columns,
      rowCount: Number(row?.n),
      columnHashes: columns.map((_, at) => String(row?.[`h${at}`])),
      sha256: await effects.files.sha256(file),
      file: readable,
    });
  } catch (thrown) {
    return fail({
      code: 'SL0504',
      severity: 'error',
      message: `the seed's file ${seed.path} cannot be read: ${messageOf(thrown).split('\n').slice(0, 2).join(' ')}`,
      location: seedLocation(model, seed),
    });
  }
}

/** The file itself, or a copy in the cache that is laid out as DuckDB's reader wants it. */
function readableFile(file: string, seed: SeedFile, { files, cacheFolder }: SeedEffects): string {
  const { layout, csvOptions } = seed;
  if (layout === undefined) return file;
  const option = (name: string, usual: string): string => [csvOptions[name] ?? usual].flat()[0] ?? usual;
  const encoding = option('encoding', 'utf-8');
  const bytes = files.readBytes(file);
  const text = new TextDecoder(pythonNames[encoding.toLowerCase()] ?? encoding, { fatal: true }).decode(bytes);
  const plain = plainSeedText(text, {
    delimiter: option('delim', ','),
    quote: option('quote', '"'),
    escape: csvOptions.escape === undefined ? undefined : option('escape', ''),
    skipsBlanks: layout.skipsBlanks,
    lineEnd: layout.lineEnd,
    nulls: new Map(Object.entries(layout.nulls).map(([column, texts]) => [column, new Set(texts)])),
    nullText: option('nullstr', ''),
  });
  const copy = path.join(cacheFolder, 'seeds', `${digest(plain).slice(0, 16)}.csv`);
  if (files.facts(copy) === undefined) files.writeText(copy, plain);
  return copy;
}

/** Encodings that Python, and so SQLMesh, spells otherwise. */
const pythonNames: Readonly<Record<string, string>> = { 'latin-1': 'latin1', utf_8: 'utf-8', utf8: 'utf-8' };

/** Absolute path of a seed's file. */
function seedPath(model: Model, seed: SeedFile, projectFolder: string): string {
  if (seed.path.startsWith('$root/')) return path.join(projectFolder, seed.path.slice('$root/'.length));
  return path.resolve(projectFolder, path.dirname(model.file.path), seed.path);
}

/** The SELECT that gives a seed's rows; types are looked for in the whole file, declared ones are enforced. */
export function seedQuery(file: string, seed: SeedFile, declared: readonly Column[]): string {
  // A rewritten file is in UTF-8.
  const given = Object.entries(seed.csvOptions).filter(([name]) => seed.layout === undefined || name !== 'encoding');
  const options = given.map(
    ([name, value]) =>
      `, ${name} = ${typeof value === 'string' ? literal(value) : `[${value.map(literal).join(', ')}]`}`,
  );
  const types =
    declared.length === 0
      ? ''
      : `, types = {${declared.map((column) => `${literal(column.name)}: ${literal(column.type)}`).join(', ')}}`;
  return `SELECT *\nFROM read_csv(${fileLiteral(file)}, header = true, sample_size = -1${types}${options.join('')})`;
}

function seedLocation(model: Model, seed: SeedFile): ReturnType<typeof locate> {
  const start = model.file.text.indexOf(seed.path);
  return start < 0 ? model.location : locate(model.file, { start, end: start + seed.path.length });
}
