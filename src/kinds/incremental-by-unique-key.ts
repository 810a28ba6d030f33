import { textOf } from '../domain/fragment.js';
import type { FillRequest, FillStatement } from '../domain/kind.js';
import { ident } from '../domain/names.js';
import { type KeyPart, plainKey, readKeys } from './keys.js';
import { insertStatement, type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';
import { type MergeClause, readMergeClauses } from './merge-clauses.js';

const duplicateRules = ['error', 'first', 'last'] as const;
type DuplicateRule = (typeof duplicateRules)[number];

/**
 * `INCREMENTAL_BY_UNIQUE_KEY`: rows replace those of the same key, by MERGE. DuckLake's MERGE applies duplicate keys of
 * one load one after the other without a word, so they are looked for first: an error, or resolved by
 * `on_duplicate_key` (Scilake's own property) together with `duplicate_order`.
 */
export const incrementalByUniqueKey: KindDefinition = {
  names: ['INCREMENTAL_BY_UNIQUE_KEY'],
  read(properties) {
    const keys = readKeys(properties);
    const clauses = readMergeClauses(properties);
    const filterFragment = properties.fragment('merge_filter');
    const filter = filterFragment === undefined ? undefined : textOf(filterFragment);
    const lookback = properties.count('lookback', 0) ?? 0;
    const batchSize = properties.count('batch_size', 1);
    const onDuplicateKey = properties.oneOf('on_duplicate_key', duplicateRules, 'error');
    const order = properties.list('duplicate_order').map(textOf);
    if (onDuplicateKey !== 'error' && order.length === 0) {
      properties.report(
        'SL0104',
        properties.ownerSpan,
        `on_duplicate_key ${onDuplicateKey} needs an order`,
        'say which row counts: duplicate_order (updated_at)',
      );
    }
    const shared = readIncrementalProperties(properties);
    return {
      ...ordinaryKind,
      ...shared,
      name: 'INCREMENTAL_BY_UNIQUE_KEY',
      rowProperties: {
        uniqueKey: keys.map((key) => key.sql.toLowerCase()),
        lookback,
        onDuplicateKey,
        duplicateOrder: order,
        ...(clauses.length === 0 ? {} : { whenMatched: clauses.map(clauseText) }),
        ...(filter === undefined ? {} : { mergeFilter: filter }),
      },
      metadataProperties: { ...shared.metadataProperties, batchSize: batchSize ?? null },
      history: 'intervals',
      restatesWhole: true,
      usesStaging: true,
      lookback,
      ...(batchSize === undefined ? {} : { batchSize }),
      fill: (request) => fillByKey(request, { keys, duplicates: { rule: onDuplicateKey, order }, clauses, filter }),
    };
  },
};

interface KeyedLoad {
  readonly keys: readonly KeyPart[];
  readonly duplicates: { readonly rule: DuplicateRule; readonly order: readonly string[] };
  readonly clauses: readonly MergeClause[];
  readonly filter: string | undefined;
}

function fillByKey(request: FillRequest, load: KeyedLoad): readonly FillStatement[] {
  const { target, staging, columns, query } = request;
  const { keys, duplicates, clauses, filter } = load;
  const keyNames = keys.map((_, at) => ident(`__scilake_key_${at}`));
  const keyColumns = keys.map((key, at) => `${key.sql} AS ${keyNames[at]}`).join(', ');
  const resolved = duplicates.rule === 'error' ? query : oneRowPerKey(query, keys, duplicates.rule, duplicates.order);
  const names = columns.map((column) => ident(column.name));
  const isJudged = clauses.length > 0 || filter !== undefined;
  return [
    {
      type: 'write',
      sql: `CREATE OR REPLACE TEMP TABLE ${staging} AS\nSELECT *, ${keyColumns}\nFROM (${resolved}\n) AS loaded`,
      countsRows: false,
    },
    {
      type: 'check',
      sql: `SELECT ${keyNames.map((name, at) => `${name} AS ${ident(plainKey(keys[at]?.sql ?? ''))}`).join(', ')}, count(*) AS rows_of_key\nFROM ${staging}\nGROUP BY ${keyNames.join(', ')}\nHAVING count(*) > 1`,
      code: 'SL0803',
      message: `the load holds several rows of one unique key (${keys.map((key) => plainKey(key.sql)).join(', ')})`,
      hint: 'make the key unique in the query, or say which row counts: on_duplicate_key last, duplicate_order (…)',
    },
    ...(isJudged
      ? judgedStatements(request, load, keyNames)
      : keys.every((key) => key.isColumn)
        ? [mergeStatement(target, staging, keys, names)]
        : replaceStatements(target, staging, keys, keyNames, columns)),
  ];
}

/**
 * `when_matched` and `merge_filter`. DuckLake's MERGE takes one UPDATE or DELETE only, so what happens to each row is
 * decided first, on the table as it was; then each clause is a MERGE of its own, and rows without a partner are inserted.
 */
function judgedStatements(
  { target, staging, columns }: FillRequest,
  { keys, clauses, filter }: KeyedLoad,
  keyNames: readonly string[],
): readonly FillStatement[] {
  const names = columns.map((column) => ident(column.name));
  const wanted: readonly MergeClause[] =
    clauses.length > 0
      ? clauses
      : [
          {
            condition: undefined,
            action: { type: 'update', assignments: names.map((name) => `${name} = source.${name}`).join(', ') },
          },
        ];
  const conditions = keyNames.map((name) => `source.${name} IS NOT DISTINCT FROM target.${name}`);
  const on = [...conditions, ...(filter === undefined ? [] : [`(${filter})`])].join(' AND ');
  const keyColumns = keys.map((key, at) => `${key.sql} AS ${keyNames[at]}`).join(', ');
  const actions = wanted.map(({ condition }, at) => `WHEN ${condition ?? 'true'} THEN ${at}`).join(' ');
  // The row's own id: a key may be an expression, which MERGE cannot take of the target's side.
  const judged = `CREATE OR REPLACE TEMP TABLE ${staging} AS
SELECT source.*, target.__scilake_row, CASE WHEN target.__scilake_row IS NOT NULL THEN CASE ${actions} END END AS __scilake_action
FROM ${staging} AS source
LEFT JOIN (SELECT *, ${keyColumns}, rowid AS __scilake_row FROM ${target}) AS target ON ${on}`;
  const merges = wanted.map(({ action }, at): FillStatement => {
    const then = action.type === 'delete' ? 'DELETE' : `UPDATE SET ${action.assignments}`;
    return {
      type: 'write',
      sql: `MERGE INTO ${target} AS target\nUSING (FROM ${staging} WHERE __scilake_action = ${at}) AS source\nON target.rowid = source.__scilake_row\nWHEN MATCHED THEN ${then}`,
      countsRows: true,
    };
  });
  const insert = insertStatement(
    target,
    columns,
    `SELECT ${names.join(', ')}\nFROM ${staging}\nWHERE __scilake_row IS NULL`,
  );
  return [
    { type: 'write', sql: judged, countsRows: false },
    ...merges,
    { type: 'write', sql: insert, countsRows: true },
  ];
}

function clauseText({ condition, action }: MergeClause): string {
  const then = action.type === 'delete' ? 'DELETE' : `UPDATE SET ${action.assignments}`;
  return `${condition ?? ''} THEN ${then}`;
}

/** NULLs of a key are one value here: the same key must never stand twice. */
function mergeStatement(
  target: string,
  staging: string,
  keys: readonly KeyPart[],
  names: readonly string[],
): FillStatement {
  const on = keys.map((key) => `target.${key.sql} IS NOT DISTINCT FROM source.${key.sql}`).join(' AND ');
  const updates = names.map((name) => `${name} = source.${name}`).join(', ');
  const values = names.map((name) => `source.${name}`).join(', ');
  const sql = `MERGE INTO ${target} AS target\nUSING ${staging} AS source\nON ${on}\nWHEN MATCHED THEN UPDATE SET ${updates}\nWHEN NOT MATCHED THEN INSERT (${names.join(', ')}) VALUES (${values})`;
  return { type: 'write', sql, countsRows: true };
}

/** MERGE cannot name an expression over the target's columns apart from the source's; a DELETE can, because only the target is in its scope. */
function replaceStatements(
  target: string,
  staging: string,
  keys: readonly KeyPart[],
  keyNames: readonly string[],
  columns: FillRequest['columns'],
): readonly FillStatement[] {
  const same = keys.map((key, at) => `loaded.${keyNames[at]} IS NOT DISTINCT FROM (${key.sql})`).join(' AND ');
  const names = columns.map((column) => ident(column.name)).join(', ');
  return [
    {
      type: 'write',
      sql: `DELETE FROM ${target}\nWHERE EXISTS (SELECT 1 FROM (SELECT ${keyNames.join(', ')} FROM ${staging}) AS loaded WHERE ${same})`,
      countsRows: false,
    },
    { type: 'write', sql: insertStatement(target, columns, `SELECT ${names}\nFROM ${staging}`), countsRows: true },
  ];
}

function oneRowPerKey(
  query: string,
  keys: readonly KeyPart[],
  rule: 'first' | 'last',
  order: readonly string[],
): string {
  const directed = rule === 'first' ? order : order.map(reversed);
  return `SELECT *\nFROM (${query}\n) AS unresolved\nQUALIFY row_number() OVER (PARTITION BY ${keys.map((key) => key.sql).join(', ')} ORDER BY ${directed.join(', ')}) = 1`;
}

const orderTerm = /^(.*?)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$/is;

/** An ORDER BY term turned round. NULLs stay last unless the term says where they stand. */
function reversed(term: string): string {
  const [, expression = term, direction = 'asc', nulls] = orderTerm.exec(term.trim()) ?? [];
  const turned = `${expression} ${direction.toLowerCase() === 'asc' ? 'DESC' : 'ASC'}`;
  if (nulls === undefined) return turned;
  return `${turned} NULLS ${nulls.toLowerCase() === 'first' ? 'LAST' : 'FIRST'}`;
}
