import { isMap, isNode, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { locate, type TextFile } from '../domain/location.js';
import type { AuditArgument, AuditCall, Model } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import type { ModelDefaults } from '../domain/project.js';
import { PropertyReader } from '../domain/property-reader.js';
import { findKind } from '../kinds/index.js';
import { auditArgument } from './model-properties.js';
import { tokenize } from './tokenizer.js';

type Report = (node: Node | null | undefined, message: string, hint?: string) => void;

const known = new Set(['name', 'columns', 'description', 'owner', 'tags', 'gateway', 'audits', 'dialect', 'start']);

/** Reads `external_models.yaml`: tables that somebody else keeps in the lake, with their columns. */
export function parseExternalModels(file: TextFile, defaults: ModelDefaults): Result<readonly Model[]> {
  const document = parseDocument(file.text);
  const errors: Diagnostic[] = [];
  const report: Report = (node, message, hint) => {
    const [start, end] = node?.range ?? [0, 1];
    errors.push({
      code: 'SL0105',
      severity: 'error',
      message,
      location: locate(file, { start, end }),
      ...(hint === undefined ? {} : { hint }),
    });
  };
  for (const error of document.errors)
    errors.push({
      code: 'SL0101',
      severity: 'error',
      message: error.message.split('\n')[0] ?? '',
      location: locate(file, { start: error.pos[0], end: error.pos[1] }),
    });
  const list = document.contents;
  if (errors.length === 0 && list !== null && !isSeq(list))
    report(list, 'expected a list of tables', '- name: raw.orders');
  const models: Model[] = [];
  for (const entry of isSeq(list) ? list.items : []) {
    if (!isMap(entry)) {
      report(isNode(entry) ? entry : list, 'expected name and columns', '- name: raw.orders\n  columns: {id: INTEGER}');
      continue;
    }
    for (const pair of entry.items) {
      if (isScalar(pair.key) && !known.has(String(pair.key.value)))
        report(pair.key, `unknown property "${String(pair.key.value)}"`, `known are ${[...known].join(', ')}`);
    }
    const name = String(entry.get('name') ?? '')
      .replaceAll('"', '')
      .toLowerCase()
      .split('.');
    const [schema, table] = name.slice(-2);
    if (name.length < 2 || schema === undefined || table === undefined) {
      report(entry, 'a table needs its name', 'name: schema.table');
      continue;
    }
    const columns = entry.get('columns');
    const hasColumns = columns !== undefined && columns !== null;
    if (hasColumns && !isMap(columns)) {
      report(entry, `${schema}.${table} needs its columns`, 'columns: {id: INTEGER, name: VARCHAR}');
      continue;
    }
    const pairs = hasColumns ? columns.items : [];
    for (const pair of pairs) {
      if (!isScalar(pair.key) || (isScalar(pair.value) && pair.value.value !== null)) continue;
      report(pair.key, `column "${String(pair.key.value)}" of ${schema}.${table} needs its type`, 'id: INTEGER');
    }
    const [start, end] = entry.range ?? [0, 1];
    const model = externalModel({
      file,
      span: { start, end },
      name: { schema, table },
      declaredColumns: pairs.flatMap((pair) =>
        isScalar(pair.key) && isScalar(pair.value)
          ? [{ name: String(pair.key.value), type: String(pair.value.value) }]
          : [],
      ),
      description: String(entry.get('description') ?? ''),
      defaults,
    });
    models.push({ ...model, audits: readYamlAudits(entry.get('audits', true), { file, report }) });
  }
  return errors.length > 0 ? fail(...errors) : succeed(models);
}

/** `audits`: a list of names, or of maps with the name and its arguments, which are SQL as in a header. */
function readYamlAudits(
  written: unknown,
  { file, report }: { readonly file: TextFile; readonly report: Report },
): readonly AuditCall[] {
  if (!isNode(written) || (isScalar(written) && written.value === null)) return [];
  if (!isSeq(written)) {
    report(written, 'expected a list of audits', 'audits: [{name: not_null, columns: "(id)"}]');
    return [];
  }
  return written.items.flatMap((entry): readonly AuditCall[] => {
    const name = isMap(entry) ? entry.get('name', true) : entry;
    if (!isScalar(name) || typeof name.value !== 'string') {
      report(isNode(entry) ? entry : written, 'an audit needs its name', '- name: not_null');
      return [];
    }
    const given = isMap(entry) ? entry.items.filter((pair) => isScalar(pair.key) && pair.key.value !== 'name') : [];
    const [start, end] = name.range ?? [0, 1];
    return [
      {
        name: name.value.toLowerCase(),
        arguments: Object.fromEntries(
          given.map((pair) => [String(pair.key).toLowerCase(), yamlArgument(pair.value, file)]),
        ),
        location: locate(file, { start, end }),
      },
    ];
  });
}

function yamlArgument(value: unknown, file: TextFile): AuditArgument {
  if (isSeq(value)) return value.items.map(String);
  const text = isScalar(value) ? String(value.value) : String(value);
  const { tokens } = tokenize(text);
  return tokens.length === 0 ? text : auditArgument({ file: { ...file, text }, tokens });
}

/** A table that somebody else keeps. @param table.declaredColumns empty where they have to be looked up */
export function externalModel(table: {
  readonly file: TextFile;
  readonly span: { readonly start: number; readonly end: number };
  readonly name: Model['name'];
  readonly declaredColumns: Model['declaredColumns'];
  readonly description: string;
  readonly defaults: ModelDefaults;
}): Model {
  const external = findKind('EXTERNAL');
  if (external === undefined) throw new Error('the registry of kinds has no EXTERNAL');
  const kind = external.read(
    new PropertyReader({ file: table.file, owner: 'external table', ownerSpan: table.span, properties: [] }),
  );
  return {
    name: table.name,
    key: tableKey(table.name),
    location: locate(table.file, table.span),
    file: table.file,
    kind,
    preStatements: [],
    postStatements: [],
    onVirtualUpdate: [],
    definitions: [],
    signals: [],
    renamedColumns: {},
    blueprint: {},
    cron: { expression: '@daily', timeZone: 'UTC' },
    intervalUnit: 'day',
    allowPartials: false,
    declaredColumns: table.declaredColumns,
    columnDescriptions: {},
    grains: [],
    audits: [],
    inlineAudits: [],
    dependsOn: [],
    partitionedBy: [],
    clusteredBy: [],
    description: table.description,
    owner: table.defaults.owner,
    tags: [],
    otherProperties: {},
  };
}
