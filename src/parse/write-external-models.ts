import { Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import type { Column } from '../domain/column.js';
import { tableKey } from '../domain/names.js';

/** A table to be declared. */
export interface ExternalTable {
  /** `schema.table`, lower case. */
  readonly key: string;
  /** As it is written, with a catalog in front where it has one. */
  readonly name: string;
  readonly columns: readonly Column[];
}

export interface WrittenExternalModels {
  readonly text: string;
  /** Keys of entries that are new. */
  readonly added: readonly string[];
  /** Keys of entries whose columns are not what they were. */
  readonly updated: readonly string[];
}

/**
 * The text of `external_models.yaml` with these tables in it. Entries that are there keep their order, comments and all that
 * their author wrote beside the columns; new ones come behind them, by name.
 *
 * @param text of the file; undefined where there is none
 */
export function writeExternalModels(text: string | undefined, tables: readonly ExternalTable[]): WrittenExternalModels {
  const document = text === undefined || text.trim() === '' ? new Document([]) : parseDocument(text);
  const list = document.contents;
  if (!isSeq(list)) throw new Error('external_models.yaml holds a list, as its reader has checked');
  const updated: string[] = [];
  const entries = new Map(list.items.flatMap((entry) => (isMap(entry) ? [[keyOf(entry), entry] as const] : [])));
  for (const table of tables) {
    const entry = entries.get(table.key);
    if (entry !== undefined && setColumns(document, entry, table.columns)) updated.push(table.key);
  }
  const added = tables.filter((table) => !entries.has(table.key)).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, columns } of added)
    list.add(document.createNode({ name, columns: Object.fromEntries(columns.map((one) => [one.name, one.type])) }));
  if (added.length + updated.length === 0) return { text: text ?? '', added: [], updated: [] };
  return { text: document.toString({ lineWidth: 0 }), added: added.map((table) => table.key), updated };
}

/** @returns whether anything had to change */
function setColumns(document: Document, entry: YAMLMap, columns: readonly Column[]): boolean {
  const existing = entry.get('columns');
  const written = isMap(existing) ? existing : undefined;
  const names = new Map(
    (written?.items ?? []).map(({ key, value }) => [
      String(isScalar(key) ? key.value : key).toLowerCase(),
      { key, type: String(isScalar(value) ? value.value : value) },
    ]),
  );
  const isSame =
    names.size === columns.length &&
    columns.every((column) => names.get(column.name.toLowerCase())?.type.toUpperCase() === column.type.toUpperCase());
  if (isSame) return false;
  if (written === undefined) {
    entry.set('columns', document.createNode(Object.fromEntries(columns.map((one) => [one.name, one.type]))));
    return true;
  }
  const wanted = new Set(columns.map((column) => column.name.toLowerCase()));
  for (const [name, { key }] of names) if (!wanted.has(name)) written.delete(key);
  for (const { name, type } of columns) {
    const own = names.get(name.toLowerCase());
    if (own?.type.toUpperCase() !== type.toUpperCase()) written.set(own?.key ?? name, type);
  }
  return true;
}

function keyOf(entry: YAMLMap): string {
  const parts = String(entry.get('name') ?? '')
    .replaceAll('"', '')
    .toLowerCase()
    .split('.');
  const [schema = '', table = ''] = parts.slice(-2);
  return tableKey({ schema, table });
}
