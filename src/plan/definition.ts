import type { BoundModel } from '../domain/bound-project.js';
import { canonicalJson, digest } from '../domain/digest.js';
import type { JsonObject, JsonValue } from '../domain/kind.js';
import type { Audit, SqlText } from '../domain/model.js';

/** Parts of a definition that decide which rows there are: a difference is breaking. */
const rowParts = ['kind', 'rowProperties', 'preStatements'] as const;
/** Parts that decide how the table is laid out or made, and that no reader sees: a difference rebuilds the model alone. */
const layoutParts = ['partitionedBy', 'clusteredBy', 'stamp', 'intervalUnit', 'postStatements'] as const;
/** Parts whose effect is judged by what they do to the bound query, not by their text. */
const judgedParts = new Set([
  'query',
  'declaredColumns',
  'contentHash',
  'dependsOn',
  'blueprint',
  'definitions',
  'code',
]);

/** All that a model's file says, normalised: equal for files that differ in the layout of their header only. */
export function modelDefinition(bound: BoundModel, audits: ReadonlyMap<string, Audit>): JsonObject {
  const { model } = bound;
  // What the linter and the formatter are told says nothing about the table.
  const { ignored_rules: _, formatting: __, ...otherProperties } = model.otherProperties;
  const texts = (statements: readonly SqlText[]): readonly string[] => statements.map((statement) => statement.text);
  return {
    kind: model.kind.name,
    rowProperties: model.kind.rowProperties,
    kindMetadata: model.kind.metadataProperties,
    query: model.query?.text ?? '',
    contentHash: bound.contentHash,
    blueprint: model.blueprint,
    definitions: texts(model.definitions),
    code: model.code?.hash ?? '',
    signals: model.signals.map((signal) => ({ name: signal.name, arguments: signal.arguments })),
    preStatements: texts(model.preStatements),
    postStatements: texts(model.postStatements),
    onVirtualUpdate: texts(model.onVirtualUpdate),
    cron: model.cron.expression,
    cronTimeZone: model.cron.timeZone,
    intervalUnit: model.intervalUnit,
    start: model.start ?? null,
    end: model.end ?? null,
    allowPartials: model.allowPartials,
    declaredColumns: model.declaredColumns.map((column) => `${column.name.toLowerCase()} ${column.type.toUpperCase()}`),
    columnDescriptions: bound.columnDescriptions,
    renamedColumns: model.renamedColumns,
    grains: model.grains.map((grain) => grain.join(', ')),
    audits: model.audits.map((call) => {
      const audit = model.inlineAudits.find((candidate) => candidate.name === call.name) ?? audits.get(call.name);
      return {
        name: call.name,
        arguments: call.arguments,
        query: [...(audit?.definitions ?? []), ...(audit === undefined ? [] : [audit.query])]
          .map((statement) => statement.text)
          .join(';\n'),
        blocking: audit?.blocking ?? true,
        skip: audit?.skip ?? false,
      };
    }),
    dependsOn: model.dependsOn.map((dependency) => dependency.key),
    partitionedBy: model.partitionedBy,
    clusteredBy: model.clusteredBy,
    description: model.description,
    owner: model.owner,
    tags: model.tags,
    stamp: model.stamp ?? null,
    otherProperties,
  };
}

/** Hash of what decides the rows besides the query. */
export function semanticsOf(definition: JsonObject): string {
  return digest(...rowParts.map((part) => canonicalJson(definition[part] ?? null)));
}

/** Hash of what decides how the table is laid out. */
export function layoutOf(definition: JsonObject): string {
  return digest(...layoutParts.map((part) => canonicalJson(definition[part] ?? null)));
}

/** How two definitions of one model differ, by part. */
export interface DefinitionDifference {
  readonly rows: readonly string[];
  readonly layout: readonly string[];
  readonly metadata: readonly string[];
  /** The query's text, or what is judged together with it. */
  readonly text: boolean;
}

export function compareDefinitions(before: JsonObject, after: JsonObject): DefinitionDifference {
  const differs = (part: string): boolean => canonicalJson(before[part] ?? null) !== canonicalJson(after[part] ?? null);
  const rows = rowParts.filter(differs);
  const layout = layoutParts.filter(differs);
  const named = new Set<string>([...rowParts, ...layoutParts]);
  const others = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (part) => !named.has(part) && differs(part),
  );
  return {
    rows,
    layout,
    metadata: others.filter((part) => !judgedParts.has(part)),
    text: others.some((part) => judgedParts.has(part)),
  };
}

export function isSameDefinition(difference: DefinitionDifference): boolean {
  return difference.rows.length + difference.layout.length + difference.metadata.length === 0 && !difference.text;
}

/** A part of a definition in words: `partitionedBy` → `partitioned by`. */
export function partInWords(part: string): string {
  const named: Readonly<Record<string, string>> = {
    kind: 'kind',
    rowProperties: 'properties of the kind',
    kindMetadata: 'properties of the kind',
    onVirtualUpdate: 'on-virtual-update statements',
    otherProperties: 'other properties',
  };
  return named[part] ?? part.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** One part of a definition as text, for messages. */
export function partText(definition: JsonObject, part: string): string {
  const value: JsonValue = definition[part] ?? null;
  return typeof value === 'string' ? value : canonicalJson(value);
}
