import { ident } from '../../../domain/names.js';
import type { JsonNode } from './parse-value.js';
import type { StructField, ValueType } from './shape.js';

/** A type as DuckDB writes it. */
export function sqlType(type: ValueType): string {
  switch (type.kind) {
    case 'scalar':
      return type.sql;
    case 'json':
      return 'VARCHAR';
    case 'list':
      return `${sqlType(type.item)}[]`;
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${ident(field.name)} ${sqlType(field.type)}`).join(', ')})`;
  }
}

/** A value as one line of JSON in its final type and with its final names, for `read_json`. */
export function valueText(node: JsonNode, type: ValueType): string {
  if (node.kind === 'null') return 'null';
  if (type.kind === 'json') return JSON.stringify(sourceText(node));
  switch (node.kind) {
    case 'boolean':
      return node.isTrue ? 'true' : 'false';
    case 'number':
      // DuckDB would read a long one as DOUBLE on its way into DECIMAL.
      return type.kind === 'scalar' && type.sql.startsWith('DECIMAL') ? `"${node.text}"` : node.text;
    case 'text':
      return JSON.stringify(node.text);
    case 'list': {
      if (type.kind !== 'list') throw new Error('a list has the type of something else');
      return `[${node.items.map((item) => valueText(item, type.item)).join(',')}]`;
    }
    case 'object': {
      if (type.kind !== 'struct') throw new Error('an object has the type of something else');
      return recordText(node.members, type.fields);
    }
  }
}

/** An object with the names of its fields. */
export function recordText(members: ReadonlyMap<string, JsonNode>, fields: readonly StructField[]): string {
  const parts = fields.flatMap(({ key, name, type }) => {
    const value = members.get(key);
    return value === undefined ? [] : [`${JSON.stringify(name)}:${valueText(value, type)}`];
  });
  return `{${parts.join(',')}}`;
}

/** The value as the file has it. */
export function sourceText(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return node.isTrue ? 'true' : 'false';
    case 'number':
      return node.text;
    case 'text':
      return JSON.stringify(node.text);
    case 'list':
    case 'object':
      return node.source;
  }
}
