import { parseDocument } from 'yaml';
import { isRecord, items } from '../domain/json.js';
import type { JsonValue } from '../domain/kind.js';
import type { RowFormat, TestRow } from '../domain/unit-test.js';

/** The rows of a YAML list; undefined when it is anything else. */
export function readRowList(given: unknown): readonly TestRow[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const rows = items(given).filter(isRow);
  return rows.length === given.length ? rows : undefined;
}

/** Rows as text, in a fixture's file or in place of a list. @throws Error that says what is wrong */
export function parseRowText(text: string, format: RowFormat): readonly TestRow[] {
  return { csv: csvRows, yaml: yamlRows }[format](text);
}

function yamlRows(text: string): readonly TestRow[] {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message.split('\n')[0]);
  const value: unknown = document.toJS();
  const rows = readRowList(isRecord(value) && 'rows' in value ? value.rows : (value ?? []));
  if (rows === undefined) throw new Error('it holds no list of rows');
  return rows;
}

/** By RFC 4180, the names first; a field without quotes that is empty is NULL. */
function csvRows(text: string): readonly TestRow[] {
  const records = csvRecords(text.trim());
  const [names, ...rest] = records;
  if (names === undefined) return [];
  return rest.map((record, at) => {
    if (record.length !== names.length)
      throw new Error(`row ${at + 1} has ${record.length} fields, not ${names.length}`);
    return Object.fromEntries(names.map((name, field) => [String(name).trim(), record[field] ?? null]));
  });
}

function csvRecords(text: string): readonly (readonly (string | null)[])[] {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  while (field.lastIndex < text.length || record.length > 0) {
    const found = field.exec(text);
    if (found === null) throw new Error(`row ${records.length} has a quote that is out of place`);
    const [, quoted, bare = '', end] = found;
    record.push(quoted === undefined ? (bare === '' ? null : bare) : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
    if (end === '') break;
  }
  return records;
}

function isRow(value: unknown): value is TestRow {
  return isRecord(value) && Object.values(value).every(isJson);
}

/** What YAML can say and SQL can be told. */
export function isJson(value: unknown): value is JsonValue {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  return Array.isArray(value) ? value.every(isJson) : isRecord(value) && Object.values(value).every(isJson);
}
