import type { Column } from '../domain/column.js';
import { countAt, isRecord, items, type Json, records, textAt } from '../domain/json.js';

/** Types whose name in a plan is the one that the driver prints. */
const plainTypes = new Set([
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
  'FLOAT',
  'DOUBLE',
  'VARCHAR',
  'BLOB',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMP WITH TIME ZONE',
  'INTERVAL',
  'UUID',
]);

/**
 * Names and types of a query's result, from the bound plan of `CREATE TABLE … AS` that query.
 *
 * @returns undefined where the plan cannot answer for sure: a type that it prints otherwise than the driver does, or a
 *   name that may have been changed because it was there twice (`a`, `a` becomes `a`, `a_1`)
 */
export function columnsOfCreateTable(plan: Json): readonly Column[] | undefined {
  if (!isRecord(plan) || plan.type !== 'LOGICAL_CREATE_TABLE' || !isRecord(plan.info)) return undefined;
  const listed = isRecord(plan.info.columns) ? records(plan.info.columns.columns) : [];
  const columns: Column[] = [];
  for (const column of listed) {
    const type = typeText(column.type);
    if (type === undefined) return undefined;
    columns.push({ name: textAt(column, 'name'), type });
  }
  if (columns.length === 0) return undefined;
  const names = new Set(columns.map((column) => column.name.toLowerCase()));
  const mayBeRenamed = columns.some(({ name }) => {
    const stem = /^(.*)_\d+$/.exec(name)?.[1];
    return stem !== undefined && names.has(stem.toLowerCase());
  });
  return mayBeRenamed ? undefined : columns;
}

/** A type as the driver prints it, or undefined. */
function typeText(type: Json): string | undefined {
  if (!isRecord(type)) return undefined;
  const id = textAt(type, 'id');
  const details = type.type_info;
  if (!isRecord(details)) return plainTypes.has(id) ? id : undefined;
  if (textAt(details, 'alias') !== '') return undefined;
  switch (id) {
    case 'DECIMAL':
      return `DECIMAL(${countAt(details, 'width')},${countAt(details, 'scale')})`;
    case 'LIST': {
      const child = typeText(details.child_type);
      return child === undefined ? undefined : `${child}[]`;
    }
    case 'MAP': {
      const [key, value] = fieldTypes(details.child_type)?.map((field) => field.type) ?? [];
      return key === undefined || value === undefined ? undefined : `MAP(${key}, ${value})`;
    }
    case 'STRUCT': {
      const fields = fieldTypes(type);
      return fields === undefined
        ? undefined
        : `STRUCT(${fields.map((field) => `"${field.name.replaceAll('"', '""')}" ${field.type}`).join(', ')})`;
    }
    default:
      return undefined;
  }
}

function fieldTypes(type: Json): readonly Column[] | undefined {
  const details = isRecord(type) && isRecord(type.type_info) ? type.type_info : {};
  const fields: Column[] = [];
  for (const field of items(details.child_types)) {
    const inner = isRecord(field) ? typeText(field.second) : undefined;
    if (!isRecord(field) || inner === undefined) return undefined;
    fields.push({ name: textAt(field, 'first'), type: inner });
  }
  return fields.length === 0 || fields.some((field) => field.name === '') ? undefined : fields;
}
