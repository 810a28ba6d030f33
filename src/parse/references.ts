import { anndataMacros, type MacroArgument, type MacroCall } from '../domain/anndata-macros.js';
import { countAt, isRecord, type Json, type JsonRecord, records, textAt } from '../domain/json.js';
import type { QualifiedColumn, References, TableReference } from '../domain/references.js';

/**
 * The tables that a query names, from the syntax tree of `json_serialize_sql`. A CTE hides a table of its name only
 * where it is unqualified; inside a CTE that is not recursive its own name is the table.
 */
export function tableReferences(tree: Json): References {
  const tables: TableReference[] = [];
  const qualifiedColumns: QualifiedColumn[] = [];
  const calls: (MacroCall | undefined)[] = [];
  const paths: (readonly string[] | undefined)[] = [];
  visit(tree, new Set(), { tables, qualifiedColumns, calls, paths });
  const macroCalls = calls.filter((call) => call !== undefined);
  const readsUnnamed = macroCalls.length < calls.length || paths.includes(undefined);
  return { tables, qualifiedColumns, macroCalls, files: paths.flatMap((path) => path ?? []), readsUnnamed };
}

interface Found {
  readonly tables: TableReference[];
  readonly qualifiedColumns: QualifiedColumn[];
  /** Undefined for a call whose arguments are computed. */
  readonly calls: (MacroCall | undefined)[];
  /** Of each call that reads files; undefined where they are computed. */
  readonly paths: (readonly string[] | undefined)[];
}

/** Functions that read the files of their first argument. */
const fileReader = /^(?:read_\w+|parquet_scan|parquet_(?:schema|metadata|file_metadata|kv_metadata)|glob|sniff_csv)$/;

/** Functions that read what a text elsewhere says: other tables, other databases. */
const openReader = /^(?:query|query_table|\w+_scan|\w+_query)$/;

function visit(node: Json, ctes: ReadonlySet<string>, found: Found): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, ctes, found);
    return;
  }
  if (!isRecord(node)) return;
  if (node.type === 'BASE_TABLE' && 'table_name' in node) {
    const reference = {
      catalog: textAt(node, 'catalog_name'),
      schema: textAt(node, 'schema_name'),
      table: textAt(node, 'table_name'),
      alias: textAt(node, 'alias'),
      byteOffset: countAt(node, 'query_location'),
    };
    const isCte =
      reference.catalog === '' &&
      (reference.schema === '' || reference.schema.toLowerCase() === 'recurring') &&
      ctes.has(reference.table.toLowerCase());
    if (!isCte) found.tables.push(reference);
    // A name with a dot or a slash in its quotes is a file's where there is no such table.
    if (!isCte && reference.schema === '' && /[./]/.test(reference.table)) found.paths.push([reference.table]);
    return;
  }
  if (node.type === 'TABLE_FUNCTION' && isRecord(node.function)) {
    const called = textAt(node.function, 'function_name').toLowerCase();
    const macro = anndataMacros.find(({ name }) => name === called);
    if (macro !== undefined) found.calls.push(macroCall(node, node.function, macro.parameters));
    else if (fileReader.test(called)) found.paths.push(constantTexts(records(node.function.children)[0]));
    else if (openReader.test(called)) found.paths.push(undefined);
  }
  if (node.class === 'COLUMN_REF' && Array.isArray(node.column_names) && node.column_names.length >= 3) {
    const [schema, table] = node.column_names;
    if (typeof schema === 'string' && typeof table === 'string') {
      found.qualifiedColumns.push({ schema, table, byteOffset: countAt(node, 'query_location') });
    }
  }
  const inner = visitCtes(node, ctes, found);
  if (node.type === 'CTE_NODE' && textAt(node, 'cte_name') !== '') {
    visit(node.query, inner, found);
    visit(node.child, new Set([...inner, textAt(node, 'cte_name').toLowerCase()]), found);
    return;
  }
  const scope =
    node.type === 'RECURSIVE_CTE_NODE' && textAt(node, 'cte_name') !== ''
      ? new Set([...inner, textAt(node, 'cte_name').toLowerCase()])
      : inner;
  for (const key in node) if (key !== 'cte_map') visit(node[key], scope, found);
}

/** Visits the WITH list in order; each entry sees those before it. Returns the names that the rest of the node sees. */
function visitCtes(node: JsonRecord, ctes: ReadonlySet<string>, found: Found): ReadonlySet<string> {
  const entries = isRecord(node.cte_map) ? records(node.cte_map.map) : [];
  if (entries.length === 0) return ctes;
  const inner = new Set(ctes);
  for (const entry of entries) {
    const name = textAt(entry, 'key').toLowerCase();
    const query =
      isRecord(entry.value) && isRecord(entry.value.query) && isRecord(entry.value.query.node)
        ? entry.value.query.node
        : {};
    const own = query.type === 'RECURSIVE_CTE_NODE' ? new Set([...inner, name]) : inner;
    visit(entry.value, own, found);
    inner.add(name);
  }
  return inner;
}

/** A call whose arguments are all constants; undefined for any other. */
function macroCall(
  node: JsonRecord,
  call: JsonRecord,
  parameters: readonly { readonly name: string }[],
): MacroCall | undefined {
  const given: Record<string, MacroArgument> = {};
  for (const [position, argument] of records(call.children).entries()) {
    const value = isRecord(argument.value) ? argument.value : {};
    const name = textAt(argument, 'alias').toLowerCase() || parameters[position]?.name;
    const constant = value.is_null === true ? null : value.value;
    const isConstant = argument.class === 'CONSTANT' && (constant === null || isScalar(constant));
    if (!isConstant || name === undefined) return undefined;
    given[name] = constant;
  }
  if (typeof given.source !== 'string') return undefined;
  return {
    name: textAt(call, 'function_name').toLowerCase(),
    arguments: given,
    byteOffset: countAt(node, 'query_location'),
  };
}

/** A constant text, or a list of nothing else. */
function constantTexts(argument: JsonRecord | undefined): readonly string[] | undefined {
  if (argument === undefined) return undefined;
  if (textAt(argument, 'function_name') === 'list_value') {
    const each = records(argument.children).map(constantTexts);
    return each.includes(undefined) ? undefined : each.flatMap((texts) => texts ?? []);
  }
  const value = argument.class === 'CONSTANT' && isRecord(argument.value) ? argument.value.value : undefined;
  return typeof value === 'string' ? [value] : undefined;
}

function isScalar(value: Json): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
