import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll } from 'vitest';
import { type ConvertEffects, type ConvertRequest, convertFile, inspectFile } from '../../src/convert/index.js';
import type { Conversion, ElementSchema } from '../../src/domain/convert.js';
import type { Diagnostic } from '../../src/domain/diagnostic.js';
import { literal } from '../../src/domain/names.js';
import { type Cell, type Database, duckdb, type Row } from '../../src/effects/duckdb.js';
import { files } from '../../src/effects/files.js';

export const effects: ConvertEffects = { duckdb, files };

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scilake-convert-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Converted {
  readonly conversion: Conversion;
  readonly inspected: readonly ElementSchema[];
  readonly out: string;
  // The manifest is read as a test reads it: by name.
  readonly manifest: Manifest;
  /** Rows of an element, by its path. */
  rows(elementPath: string, order?: string): Promise<readonly Row[]>;
  /** One value of a query over an element; `$t` stands for its table. */
  value(elementPath: string, expression: string): Promise<Cell>;
}

export interface Manifest {
  readonly format: string;
  readonly n_obs: number;
  readonly n_vars: number;
  readonly source_sha256: string;
  readonly warnings: readonly string[];
  readonly elements: readonly ManifestElement[];
}

export interface ManifestElement {
  readonly path: string;
  readonly file: string;
  readonly kind: string;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly nnz?: number | null;
  readonly index_name?: string | null;
  readonly columns?: readonly ManifestColumn[];
}

export interface ManifestColumn {
  readonly name: string;
  readonly col: string;
  readonly dtype?: string;
  readonly categories?: readonly (string | number | boolean)[];
  readonly ordered?: boolean;
}

/** Converts a file that must convert, and hands its parquet files to queries. */
export async function convert(
  database: Database,
  folder: string,
  request: Pick<ConvertRequest, 'file' | 'options' | 'format'>,
): Promise<Converted> {
  const out = path.join(fs.mkdtempSync(path.join(folder, 'out-')), 'converted');
  const full = { ...request, displayName: path.basename(request.file) };
  const inspected = await inspectFile(full, effects);
  if (!inspected.ok) throw new Error(`inspect: ${JSON.stringify(inspected.errors)}`);
  const converted = await convertFile({ ...full, out }, effects);
  if (!converted.ok) throw new Error(`convert: ${JSON.stringify(converted.errors)}`);
  const conversion = converted.value;
  const fileOf = (elementPath: string): string => {
    const element = conversion.elements.find((candidate) => candidate.path === elementPath);
    if (element === undefined) throw new Error(`no element ${elementPath}`);
    return `read_parquet(${literal(path.join(out, element.file))})`;
  };
  const manifest: Manifest = JSON.parse(fs.readFileSync(path.join(out, 'manifest.json'), 'utf8'));
  return {
    conversion,
    inspected: inspected.value.elements,
    out,
    manifest,
    rows: (elementPath, order = '') => database.rows(`SELECT * FROM ${fileOf(elementPath)} ${order}`),
    async value(elementPath, expression) {
      const [row] = await database.rows(`SELECT ${expression} AS v FROM ${fileOf(elementPath)}`);
      return row?.v ?? null;
    },
  };
}

/** The errors of a file that must not convert; checks that nothing stays behind. */
export async function refusal(
  folder: string,
  request: Pick<ConvertRequest, 'file' | 'options' | 'format'>,
): Promise<readonly Diagnostic[]> {
  const place = fs.mkdtempSync(path.join(folder, 'refused-'));
  const out = path.join(place, 'converted');
  const result = await convertFile({ ...request, displayName: path.basename(request.file), out }, effects);
  if (result.ok) throw new Error(`${request.file} was converted`);
  const left = fs.readdirSync(place);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  return result.errors;
}

/** The schema of what was written, as `inspectFile` gives it. */
export function schemaOf(conversion: Conversion): readonly ElementSchema[] {
  return conversion.elements.map(({ path: at, table, kind, columns }) => ({ path: at, table, kind, columns }));
}

/** Converts a file that may be damaged: it converts, or is refused by named errors and leaves nothing behind. Anything else throws. */
export async function survives(
  folder: string,
  request: Pick<ConvertRequest, 'file' | 'options' | 'format'>,
): Promise<'converted' | 'refused'> {
  const place = fs.mkdtempSync(path.join(folder, 'mutant-'));
  const out = path.join(place, 'converted');
  const result = await convertFile({ ...request, displayName: path.basename(request.file), out }, effects);
  const left = fs.readdirSync(place);
  fs.rmSync(place, { recursive: true });
  if (result.ok) return 'converted';
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  const strange = result.errors.find(({ code, message }) => !code.startsWith('SL06') || message === '');
  if (strange !== undefined || result.errors.length === 0) throw new Error(`no named error: ${JSON.stringify(result)}`);
  return 'refused';
}
