import { asText, spanOf } from '../fragment.js';
import type { PropertyReader } from '../property-reader.js';

/** Steps from the top of a JSON value: keys of objects and positions in lists, from 0. Empty: the value itself. */
export type JsonPath = readonly (string | number)[];

const step = /\.?(?:\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]|([^.[\]*?'"\s]+))/y;

/**
 * Reads `results.items`, `data[0].items`, `data['a.b']`, with or without `$` in front.
 *
 * @returns undefined for anything else: patterns, filters and slices mean several places
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: (string | number)[] = [];
  let at = /^\$(?=$|[.[])/.test(text) ? 1 : 0;
  while (at < text.length) {
    step.lastIndex = at;
    const found = step.exec(text);
    if (found === null || (at === 0 && text.startsWith('.'))) return undefined;
    const [whole, position, single, double, key] = found;
    steps.push(position === undefined ? (single ?? double ?? key ?? '') : Number(position));
    at += whole.length;
  }
  return text === '' ? undefined : steps;
}

/** The path as it is written. */
export function pathText(path: JsonPath): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : /^[\w@$-]+$/.test(part) ? `.${part}` : `['${part}']`))
    .join('');
  return text === '' ? '$' : text.replace(/^\./, '');
}

/** A property that names one place in the answer; undefined where it is not given, or is none. */
export function readPath(properties: PropertyReader, name: string): JsonPath | undefined {
  const value = properties.fragment(name);
  if (value === undefined) return undefined;
  const path = parseJsonPath(asText(value));
  if (path === undefined)
    properties.report(
      'SL0105',
      spanOf(value),
      `"${name}" is the path of one place in the answer, not ${asText(value)}`,
      "write 'results.items', 'data[0].items' or 'a[''odd.key'']'",
    );
  return path;
}
