import type { SignalCall } from '../domain/code.js';
import {
  asCall,
  asDottedName,
  asPair,
  asText,
  canonicalText,
  type Fragment,
  insideParentheses,
  listItems,
  spanOf,
  textOf,
} from '../domain/fragment.js';
import type { JsonValue } from '../domain/kind.js';
import { locate } from '../domain/location.js';
import type { AuditArgument, AuditCall, DeclaredName, Model } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { PropertyReader } from '../domain/property-reader.js';

/** Properties of SQLMesh that are read and kept as metadata, because no DuckLake table depends on them. */
const passiveProperties = [
  'virtual_properties',
  'session_properties',
  'references',
  'ignored_rules',
  'formatting',
  'optimize_query',
  'gateway',
  'project',
  'grants',
  'grants_target_layer',
  'table_format',
  'storage_format',
  'physical_properties',
  'column_tags',
] as const;

/** `columns (name TYPE, …)`. */
export function readColumns(properties: PropertyReader): Model['declaredColumns'] {
  return properties.pairs('columns').map((pair) => ({ name: pair.name, type: textOf(pair.value) }));
}

/** `grain` and `grains`: each a list of columns. */
export function readGrains(properties: PropertyReader): Model['grains'] {
  const grain = properties.fragment('grain');
  const single = grain === undefined ? [] : [listItems(grain).map(asText)];
  return [...single, ...properties.list('grains').map((item) => listItems(item).map(asText))];
}

/** `audits (name(argument := value), …)`. */
export function readAuditCalls(properties: PropertyReader): readonly AuditCall[] {
  return properties.list('audits').flatMap((item) => {
    const call = asCall(item);
    if (call === undefined) {
      properties.report('SL0105', spanOf(item), 'expected an audit: name or name(argument := value)');
      return [];
    }
    const given: Record<string, AuditArgument> = {};
    for (const argument of call.arguments) {
      const pair = asPair(argument);
      if (pair === undefined || pair.value.tokens.length === 0)
        properties.report('SL0105', spanOf(argument), `audit arguments are named: ${call.name}(column := …)`);
      else given[pair.name.toLowerCase()] = auditArgument(pair.value);
    }
    return [{ name: call.name.toLowerCase(), arguments: given, location: locate(properties.file, call.nameSpan) }];
  });
}

/** `signals (name(argument := value), …)`. */
export function readSignals(properties: PropertyReader): readonly SignalCall[] {
  return properties.list('signals').flatMap((item) => {
    const call = asCall(item);
    if (call === undefined) {
      properties.report('SL0105', spanOf(item), 'expected a signal: name or name(argument := value)');
      return [];
    }
    const given: Record<string, string> = {};
    for (const part of call.arguments) {
      const pair = asPair(part);
      if (pair === undefined || pair.value.tokens.length === 0)
        properties.report('SL0105', spanOf(part), `arguments of signals are named: ${call.name}(column := …)`);
      else given[pair.name.toLowerCase()] = asText(pair.value);
    }
    return [{ name: call.name.toLowerCase(), arguments: given }];
  });
}

/** `(a, b)` and `[a, b]` are lists, everything else is one piece of SQL. */
export function auditArgument(value: Fragment): AuditArgument {
  const isList =
    insideParentheses(value) !== undefined || (value.tokens[0]?.text === '[' && value.tokens.at(-1)?.text === ']');
  return isList ? listItems(value).map(textOf) : textOf(value);
}

/** The lower-case parts of a name; that of the default catalog in front of two others is left out. */
export function withoutCatalog(
  parts: readonly string[] | undefined,
  catalog: string | undefined,
): readonly string[] | undefined {
  const lower = parts?.map((part) => part.toLowerCase());
  return lower?.length === 3 && lower[0] === catalog ? lower.slice(1) : lower;
}

/** Names in `depends_on` and `sources`, without the catalog in front. */
export function readDeclared(
  properties: PropertyReader,
  property: 'depends_on' | 'sources',
  catalog?: string,
): readonly DeclaredName[] {
  return properties.list(property).flatMap((item) => {
    const parts = withoutCatalog(asDottedName(item), catalog);
    const location = locate(properties.file, spanOf(item));
    if (property === 'sources' && parts !== undefined) return [{ key: parts.join('.'), location }];
    const [schema, table] = parts ?? [];
    if (schema !== undefined && table !== undefined && parts?.length === 2)
      return [{ key: tableKey({ schema, table }), location }];
    properties.report('SL0105', spanOf(item), `"${property}" lists models as schema.table, not ${textOf(item)}`);
    return [];
  });
}

/** What is recorded and has no effect, as canonical text. */
export function readPassive(properties: PropertyReader): Readonly<Record<string, JsonValue>> {
  const kept: Record<string, JsonValue> = {};
  for (const name of passiveProperties) {
    const value = properties.fragment(name);
    if (value !== undefined) kept[name] = canonicalText(value);
  }
  return kept;
}
