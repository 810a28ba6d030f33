import * as path from 'node:path';
import { ident, literal } from '../../domain/names.js';
import type { Database } from '../../effects/duckdb.js';
import type { Manifest, ManifestElement } from './manifest.js';
import type { ExportTarget } from './target.js';

/** Columns that go into one hash. */
const COLUMNS_AT_ONCE = 256;

/**
 * Holds what was exported, converted once more, against the tables that it came from: every row of every element, and
 * for a file that began as h5ad everything that the manifest says of it, categories and their order included.
 *
 * @param again.folder  the second conversion
 * @returns one sentence for everything that differs
 */
export async function differences(
  target: ExportTarget,
  wanted: { readonly manifest: Manifest; readonly written: readonly string[] },
  again: { readonly manifest: Manifest; readonly folder: string },
): Promise<readonly string[]> {
  const isH5ad = wanted.manifest.sourceFormat === 'h5ad';
  const found: string[] = [];
  const isCompared = ({ path: at }: ManifestElement): boolean =>
    wanted.written.includes(at) || (isH5ad && at.startsWith('uns/'));
  for (const element of wanted.manifest.elements.filter(isCompared)) {
    const copy = again.manifest.elements.find(({ path: at }) => at === element.path);
    if (copy === undefined) {
      found.push(`${element.path} is not in the file`);
      continue;
    }
    if (isH5ad && described(element) !== described(copy)) {
      found.push(`${element.path} is described otherwise: ${described(copy)}, not ${described(element)}`);
    }
    // Leaves of other formats became JSON texts.
    if (element.kind === 'uns' && !isH5ad) continue;
    const relation = `read_parquet(${literal(path.join(again.folder, `${copy.table}.parquet`))})`;
    const problem = await differentRows(target.database, target.relation(element), relation);
    if (problem !== undefined) found.push(`${element.path}: ${problem}`);
  }
  return found;
}

function described({ kind, dtype, shape, indexName, columns }: ManifestElement): string {
  // Both sides were made by the same parser, so their members stand in the same order.
  return JSON.stringify({ kind, dtype, shape, indexName, columns });
}

/** What differs between two tables, whatever the order of their rows; columns that were cast on the way are left out. */
async function differentRows(database: Database, left: string, right: string): Promise<string | undefined> {
  const columns = await database.describe(`SELECT * FROM ${left}`);
  const others = new Map((await database.describe(`SELECT * FROM ${right}`)).map(({ name, type }) => [name, type]));
  const same = columns.filter(({ name, type }) => others.get(name) === type);
  const [key] = same;
  for (let from = 0; from < Math.max(1, same.length); from += COLUMNS_AT_ONCE) {
    const part = [...(key === undefined ? [] : [key]), ...same.slice(from, from + COLUMNS_AT_ONCE)];
    // A missing number became NaN, the only way in which AnnData can say it.
    const values = part.map(({ name, type }) =>
      type === 'FLOAT' || type === 'DOUBLE' ? `coalesce(${ident(name)}, 'NaN'::${type})` : ident(name),
    );
    const digest = `SELECT count(*)::VARCHAR AS n, coalesce(sum(hash(${values.join(', ') || '0'})), 0)::VARCHAR AS h FROM`;
    const [a] = await database.rows(`${digest} ${left}`);
    const [b] = await database.rows(`${digest} ${right}`);
    if (a?.n !== b?.n) return `${String(a?.n)} rows became ${String(b?.n)}`;
    if (a?.h !== b?.h) return `the values of ${part.map(({ name }) => name).join(', ')} are not the same`;
  }
  return undefined;
}
