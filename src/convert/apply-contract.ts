import * as path from 'node:path';
import type { Column } from '../domain/column.js';
import { type Contract, hasOwnColumns } from '../domain/contract.js';
import type { Conversion, ElementSchema, WrittenElement } from '../domain/convert.js';
import { isRecord, items, textAt } from '../domain/json.js';
import { fileLiteral, ident, literal } from '../domain/names.js';
import type { Database, DuckDb } from '../effects/duckdb.js';
import type { Files } from '../effects/files.js';
import { PARQUET_OPTIONS } from '../effects/parquet-writer.js';

/**
 * Brings what a conversion wrote to the tables that a contract lets in: tables and columns that are new are left out,
 * columns that are gone come back without values, values that do not fit a type are left out, or their rows.
 *
 * @param folder   of the conversion; its Parquet files and its manifest are written anew where they change
 * @param allowed  the tables that are let in
 * @returns        the conversion as it is now, with a warning for everything that was left out
 */
export async function applyContract(
  conversion: Conversion,
  request: { readonly folder: string; readonly allowed: readonly ElementSchema[]; readonly contract: Contract },
  effects: { readonly duckdb: DuckDb; readonly files: Files },
): Promise<Conversion> {
  const { folder, allowed, contract } = request;
  const { files } = effects;
  const byTable = new Map(allowed.map((element) => [element.table, element]));
  const warnings: string[] = [];
  const elements: WrittenElement[] = [];
  const database = await effects.duckdb.open();
  try {
    for (const element of conversion.elements) {
      const wanted = byTable.get(element.table);
      const file = path.join(folder, element.file);
      if (wanted === undefined) {
        warnings.push(`table "${element.table}" is new: its contract leaves it out (${element.rows} rows)`);
        files.remove(file);
      } else if (isSame(element.columns, wanted.columns) || !hasOwnColumns(element)) elements.push(element);
      else {
        const written = await writeUnder(database, { element, wanted, file, contract });
        warnings.push(...written.warnings);
        files.rename(written.file, file);
        elements.push({ ...wanted, file: element.file, rows: written.rowCount });
      }
    }
  } finally {
    database.close();
  }
  const manifest = path.join(folder, 'manifest.json');
  files.writeText(manifest, `${JSON.stringify(manifestUnder(files.readText(manifest), elements), null, 2)}\n`);
  return { ...conversion, elements, warnings: [...conversion.warnings, ...warnings] };
}

interface Write {
  readonly element: WrittenElement;
  readonly wanted: ElementSchema;
  readonly file: string;
  readonly contract: Contract;
}

async function writeUnder(
  database: Database,
  { element, wanted, file, contract }: Write,
): Promise<{ readonly file: string; readonly rowCount: number; readonly warnings: readonly string[] }> {
  const source = `read_parquet(${fileLiteral(file)}, hive_partitioning = false)`;
  const found = new Map(element.columns.map((column) => [column.name.toLowerCase(), column]));
  const letIn = new Set(wanted.columns.map(({ name }) => name.toLowerCase()));
  const selected: string[] = [];
  const claims: { readonly where: string; readonly what: string; readonly takesRow: boolean }[] = [];
  for (const { name, type } of wanted.columns) {
    const has = found.get(name.toLowerCase());
    if (has === undefined) selected.push(`CAST(NULL AS ${type}) AS ${ident(name)}`);
    else if (has.type === type) selected.push(ident(name));
    else {
      selected.push(`CASE WHEN ${fits(has, type)} THEN TRY_CAST(${ident(has.name)} AS ${type}) END AS ${ident(name)}`);
      claims.push({
        where: `${ident(has.name)} IS NOT NULL AND NOT coalesce(${fits(has, type)}, false)`,
        what: `values of column "${name}" are no ${type}`,
        takesRow: contract.dataType === 'discard_row',
      });
    }
  }
  for (const { name } of element.columns) {
    if (letIn.has(name.toLowerCase())) continue;
    claims.push({
      where: `${ident(name)} IS NOT NULL`,
      what: `values of column "${name}", which is new`,
      takesRow: contract.columns === 'discard_row',
    });
  }
  const counts = claims.map(({ where }, i) => `count(*) FILTER (WHERE ${where})::INTEGER AS n${i}`);
  const dropped = claims.flatMap(({ where, takesRow }) => (takesRow ? [`(${where})`] : []));
  const kept = dropped.length === 0 ? '' : ` WHERE NOT (${dropped.join(' OR ')})`;
  const [counted] = await database.rows(
    `SELECT ${[...counts, `count(*) FILTER (${kept === '' ? 'WHERE true' : kept.trim()})::BIGINT AS kept`].join(', ')} FROM ${source}`,
  );
  // Row groups are cut where the one thread finds them: equal input gives equal bytes.
  await database.run('SET threads = 1');
  const to = `${file}.contract`;
  await database.run(
    `COPY (SELECT ${selected.join(', ')} FROM ${source}${kept}) TO ${literal(to)} (${PARQUET_OPTIONS})`,
  );
  const [written] = await database.rows(`SELECT count(*) AS n FROM read_parquet(${fileLiteral(to)})`);
  if (String(written?.n) !== String(counted?.kept))
    throw new Error(`${String(written?.n)} rows of ${element.table} were written, ${String(counted?.kept)} were to be`);
  const warnings = claims.flatMap(({ what, takesRow }, i) => {
    const count = Number(counted?.[`n${i}`] ?? 0);
    return count === 0
      ? []
      : [`table "${element.table}": ${count} ${what}: left out${takesRow ? ', with their rows' : ''}`];
  });
  return { file: to, rowCount: Number(counted?.kept), warnings };
}

/** Whether a value is the same in the other type. Texts have to look like it: `0.5` would round to a whole number. */
function fits({ name, type: from }: Column, to: string): string {
  const column = ident(name);
  if (from !== 'VARCHAR')
    return `TRY_CAST(TRY_CAST(${column} AS ${to}) AS ${from}) IS NOT DISTINCT FROM ${column} AND ${column} IS NOT NULL`;
  const isWhole = /INT/.test(to) ? ` AND regexp_full_match(${column}, '\\s*[+-]?[0-9]+\\s*')` : '';
  return `TRY_CAST(${column} AS ${to}) IS NOT NULL${isWhole}`;
}

function isSame(a: readonly Column[], b: readonly Column[]): boolean {
  return a.length === b.length && a.every(({ name, type }, i) => name === b[i]?.name && type === b[i]?.type);
}

/** The manifest of the tables as they are now. */
function manifestUnder(text: string, elements: readonly WrittenElement[]): Readonly<Record<string, unknown>> {
  const manifest: unknown = JSON.parse(text);
  if (!isRecord(manifest)) throw new Error('a manifest is an object');
  const byFile = new Map(elements.map((element) => [element.file, element]));
  const under = items(manifest.elements).flatMap((entry): readonly unknown[] => {
    const element = isRecord(entry) ? byFile.get(textAt(entry, 'file')) : undefined;
    if (!isRecord(entry) || element === undefined) return [];
    if (!hasOwnColumns(element)) return [entry];
    const described = new Map(
      items(entry.columns).flatMap((column) => (isRecord(column) ? [[textAt(column, 'col'), column] as const] : [])),
    );
    const columns = element.columns.flatMap(({ name, type }) => {
      const own = described.get(name);
      // Of a dataframe the manifest says what pandas knows of a column: nothing of one that is not in the file.
      if (own === undefined) return element.kind === 'table' ? [{ name, col: name, type }] : [];
      return [own.type === undefined ? own : { ...own, type }];
    });
    return [{ ...entry, rows: element.rows, columns }];
  });
  return { ...manifest, elements: under };
}
