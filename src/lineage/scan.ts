import { countAt, counts, isRecord, items, type JsonRecord, records, textAt } from '../domain/json.js';
import { tableKey } from '../domain/names.js';
import { columnKey } from '../domain/query-print.js';
import {
  at,
  type Flow,
  type FlowColumn,
  flowColumn,
  type Part,
  part,
  picked,
  UnknownPlanError,
  type Walk,
} from './flow.js';
import { planHash } from './plan-hash.js';

/** Table functions that make rows of their own and read no table. */
const generators = /^(?:range|generate_series|unnest|repeat|repeat_row|duckdb_|pragma_)/;

/**
 * A table or a table function, with or without input rows (`unnest(t.list)`, `range(t.n)` beside a table).
 *
 * @param tables gets the key of a table, in the order in which scans are met
 */
export function scanFlow(walk: Walk, node: JsonRecord, tables: Set<string>): Flow {
  const input = records(node.children).length > 0 ? walk.child(node, 0) : undefined;
  const data = isRecord(node.function_data) ? node.function_data : {};
  // A DuckLake scan names its table under other keys than a scan of DuckDB's own tables.
  const table = textAt(data, 'table') || textAt(data, 'table_name');
  const schema = textAt(data, 'schema') || textAt(data, 'schema_name');
  const key = table === '' ? '' : tableKey({ schema: schema.toLowerCase(), table: table.toLowerCase() });
  const name = textAt(node, 'name');
  const names = items(node.names);
  if (key === '' && input === undefined && !generators.test(name) && node.has_serialize === false) {
    throw new UnknownPlanError(`table function ${name}, whose plan DuckDB does not show`);
  }
  if (key !== '') tables.add(key);
  // Named by its place, not by its name: a renamed table leaves the hash as it is.
  const place = `table ${[...tables].indexOf(key)}`;
  if (input !== undefined) walk.decideRows(input.columns, 'unnest');
  const identity =
    key !== ''
      ? place
      : JSON.stringify([name, node.parameters, node.named_parameters, data.files ?? data.file_list ?? null]);
  const inputParts = input === undefined ? [] : [input.rows, ...input.columns];
  const sample = isRecord(node.extra_info) ? JSON.stringify(node.extra_info.sample_options ?? null) : 'null';
  const rowsHash = planHash('get', identity, sample, ...inputParts.map((p) => p.hash));
  const rows: Part =
    key === '' ? part(rowsHash, ...inputParts) : { hash: rowsHash, rowSets: new Set([key]), columns: new Set() };
  const indexes = records(node.column_indexes).map((column) => countAt(column, 'index') ?? -1);
  const made = (indexes.length === 0 ? [-1] : indexes).map((index): FlowColumn => {
    const column = names[index];
    if (typeof column !== 'string') return flowColumn(planHash('virtual', identity), [], key === '' ? inputParts : []);
    if (key === '')
      return flowColumn(
        planHash('column', identity, column, ...inputParts.map((p) => p.hash)),
        input === undefined ? [] : input.columns,
        inputParts,
      );
    const leaf = new Set([columnKey(key, column)]);
    return {
      hash: planHash('column', identity, column.toLowerCase()),
      sources: new Map([[columnKey(key, column), 'copy']]),
      columns: leaf,
      rowSets: new Set(),
    };
  });
  const projected = picked(made, counts(node.projection_ids));
  const passed =
    input === undefined ? [] : counts(node.projected_input).map((index) => at(input.columns, index, 'passed column'));
  return { rows, order: undefined, columns: [...projected, ...passed] };
}
