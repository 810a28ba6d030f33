import * as path from 'node:path';
import { DiagnosticError, fail, type Result, succeed } from '../../domain/diagnostic.js';
import { literal } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import { Hdf5LimitError, Hdf5Writer } from '../../effects/hdf5-writer.js';
import { convertFile } from '../convert-file.js';
import { type ConvertEffects, convertError } from '../format.js';
import { type Manifest, type ManifestElement, parseManifest } from './manifest.js';
import type { ExportTarget } from './target.js';
import { differences } from './verify.js';
import { writeAnnData } from './write-anndata.js';

/** Tables that make up an AnnData, wherever they are. */
export interface AnnDataTables {
  readonly manifest: Manifest;
  readonly database: Database;
  /** SQL of the table of an element: `read_parquet('…')`, or a qualified name. */
  relation(element: ManifestElement): string;
}

export interface ExportRequest {
  /** Absolute path of the file to make; must not exist. */
  readonly out: string;
  /** How diagnostics call what is exported. */
  readonly displayName: string;
  /** Of arrays from 64 KB on. */
  readonly compression: 'gzip' | 'none';
  readonly sortMemoryMb?: number;
}

export interface Exported {
  /** Paths of the elements that were written, without the tables of `uns`. */
  readonly elements: readonly string[];
  readonly warnings: readonly string[];
}

const DEFAULT_SORT_MEMORY_MB = 1024;

/** Exports a folder of `scilake-anndata/1`, as `scilake convert` makes it. @see exportAnnData */
export async function exportFolder(
  folder: string,
  request: ExportRequest,
  effects: ConvertEffects,
): Promise<Result<Exported>> {
  const { files, duckdb } = effects;
  const manifestFile = path.join(folder, 'manifest.json');
  const manifest = files.facts(manifestFile) === undefined ? undefined : parseManifest(files.readText(manifestFile));
  if (manifest === undefined) {
    return fail(
      convertError(
        'SL0660',
        `${request.displayName} holds no manifest of scilake-anndata/1`,
        'export a folder that scilake convert made of an h5ad, Matrix Market or RDS file, or a source of the lake',
      ),
    );
  }
  const missing = manifest.elements.find(
    ({ table }) => files.facts(path.join(folder, `${table}.parquet`)) === undefined,
  );
  if (missing !== undefined) {
    return fail(convertError('SL0660', `${request.displayName} lacks ${missing.table}.parquet (${missing.path})`));
  }
  const memory = Math.max(512, request.sortMemoryMb ?? DEFAULT_SORT_MEMORY_MB);
  const database = await duckdb.open({ settings: { memory_limit: `${memory}MB` } });
  try {
    const relation = ({ table }: ManifestElement): string =>
      `read_parquet(${literal(path.join(folder, `${table}.parquet`))})`;
    return await exportAnnData({ manifest, database, relation }, request, effects);
  } finally {
    database.close();
  }
}

/**
 * Writes tables back into an h5ad file. It is made beside `out`, converted once more and compared row by row with the
 * tables that it came from, and renamed: `out` holds everything or does not exist.
 *
 * @returns what was written; or why nothing was (SL0605, SL066x)
 */
export async function exportAnnData(
  tables: AnnDataTables,
  request: ExportRequest,
  effects: ConvertEffects,
): Promise<Result<Exported>> {
  const { files } = effects;
  const { out, displayName, compression } = request;
  const { database } = tables;
  if (files.facts(out) !== undefined) return fail(convertError('SL0605', `${out} exists`, 'name a new file'));
  const folder = files.makeTemporaryFolder(path.dirname(out), `.${path.basename(out)}.`);
  const warnings: string[] = [];
  try {
    await database.run(`SET temp_directory = ${literal(path.join(folder, 'spill'))}`);
    const file = path.join(folder, 'export.h5ad');
    const writer = new Hdf5Writer(file, compression);
    const target: ExportTarget = {
      database,
      writer,
      displayName,
      relation: tables.relation,
      warn: (message) => warnings.push(message),
    };
    let written: readonly string[];
    try {
      written = await writeAnnData(target, tables.manifest);
      writer.finish();
    } finally {
      writer.close();
    }
    const problems = await problemsOf(
      target,
      { manifest: tables.manifest, written },
      { file, folder, effects, request },
    );
    if (problems.length > 0) {
      return fail(
        ...problems.map((problem) => convertError('SL0690', `${displayName}: ${problem}`, 'please report this')),
      );
    }
    files.rename(file, out);
    return succeed({ elements: written, warnings });
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return { ok: false, errors: thrown.diagnostics };
    if (thrown instanceof Hdf5LimitError) {
      return fail(convertError('SL0662', `${displayName}: ${thrown.path}: ${thrown.message}`));
    }
    throw thrown;
  } finally {
    files.remove(folder);
  }
}

/** Converts the file and compares; by cell where the matrices are, which needs no sorting. */
async function problemsOf(
  target: ExportTarget,
  wanted: { readonly manifest: Manifest; readonly written: readonly string[] },
  again: {
    readonly file: string;
    readonly folder: string;
    readonly effects: ConvertEffects;
    readonly request: ExportRequest;
  },
): Promise<readonly string[]> {
  const { file, effects, request } = again;
  const folder = path.join(again.folder, 'check');
  const isByCell = !wanted.manifest.elements.some(({ kind }) => kind === 'csc');
  const { sortMemoryMb } = request;
  const converted = await convertFile(
    {
      file,
      displayName: path.basename(request.out),
      format: 'h5ad',
      out: folder,
      options: {
        x_order: isByCell ? 'cell' : 'gene',
        ...(sortMemoryMb === undefined ? {} : { sort_memory_mb: String(sortMemoryMb) }),
      },
    },
    { duckdb: effects.duckdb, files: effects.files },
  );
  if (!converted.ok) return converted.errors.map(({ message }) => message);
  const manifest = parseManifest(effects.files.readText(path.join(folder, 'manifest.json')));
  if (manifest === undefined) throw new Error('the manifest of a conversion cannot be read');
  return differences(target, wanted, { manifest, folder });
}
