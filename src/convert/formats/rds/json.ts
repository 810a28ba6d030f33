import type { Json } from '../../json.js';
import { attribute, describeValue, hasClass, members, NA_INTEGER, type RValue, textsOf } from './values.js';

const MAX_DEPTH = 32;
const MAX_ITEMS = 100_000;

/** A small value as JSON: named lists are objects, vectors arrays; what is no data, or too much of it, is named in a text. */
export function toJson(value: RValue): Json {
  return json(value, { left: MAX_ITEMS }, 0);
}

function json(value: RValue, budget: { left: number }, depth: number): Json {
  budget.left -= 1;
  if (depth > MAX_DEPTH || budget.left < 0) return `<${describeValue(value)}>`;
  switch (value.type) {
    case 'null':
      return null;
    case 'symbol':
      return value.name;
    case 'pairs':
    case 'list': {
      const hasNames = value.type === 'pairs' || attribute(value, 'names') !== undefined;
      const items = members(value).map(([name, item]) => [name, json(item, budget, depth + 1)] as const);
      return hasNames ? Object.fromEntries(items) : items.map(([, item]) => item);
    }
    case 'S4':
    case 'environment':
    case 'opaque':
      return `<${describeValue(value)}>`;
    default: {
      budget.left -= value.values.length;
      if (budget.left < 0) return `<${value.type} of length ${value.values.length}>`;
      const levels = textsOf(attribute(value, 'levels'));
      const items: readonly Json[] =
        value.type === 'character'
          ? value.values
          : value.type === 'logical'
            ? Array.from(value.values, (v) => (v === NA_INTEGER ? null : v !== 0))
            : value.type === 'integer'
              ? Array.from(value.values, (v) =>
                  v === NA_INTEGER ? null : hasClass(value, 'factor') ? (levels[v - 1] ?? v) : v,
                )
              : Array.from(value.values);
      return items.length === 1 ? (items[0] ?? null) : items;
    }
  }
}
