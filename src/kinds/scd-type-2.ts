import type { Column } from '../domain/column.js';
import { asText, textOf } from '../domain/fragment.js';
import type { FillRequest, FillStatement } from '../domain/kind.js';
import { ident, literal } from '../domain/names.js';
import type { PropertyReader } from '../domain/property-reader.js';
import { type KeyPart, readKeys } from './keys.js';
import { type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/** How a record's life is told: by the time that the source gives, or by the values that changed. */
interface History {
  readonly keys: readonly KeyPart[];
  readonly validFrom: string;
  readonly validTo: string;
  readonly timeType: string;
  readonly endsDeleted: boolean;
  readonly by:
    | { readonly type: 'time'; readonly updatedAt: string; readonly isValidFrom: boolean }
    | {
        readonly type: 'column';
        /** Undefined: all columns. */
        readonly columns: readonly string[] | undefined;
        readonly updatedAt: string | undefined;
        readonly isFirstAtExecution: boolean;
      };
}

const EPOCH = "'1970-01-01 00:00:00+00:00'";

/** `SCD_TYPE_2_BY_TIME`: every version of a record, told apart by the source's own `updated_at`. */
export const scdType2ByTime: KindDefinition = {
  names: ['SCD_TYPE_2_BY_TIME', 'SCD_TYPE_2'],
  read(properties) {
    const updatedAt = properties.text('updated_at_name') ?? 'updated_at';
    const isValidFrom = properties.flag('updated_at_as_valid_from', false);
    const kind = readHistory(properties, { type: 'time', updatedAt, isValidFrom });
    return {
      ...kind,
      name: 'SCD_TYPE_2_BY_TIME',
      rowProperties: { ...kind.rowProperties, updatedAt: updatedAt.toLowerCase(), updatedAtAsValidFrom: isValidFrom },
    };
  },
};

/** `SCD_TYPE_2_BY_COLUMN`: every version of a record, told apart by the values of columns. */
export const scdType2ByColumn: KindDefinition = {
  names: ['SCD_TYPE_2_BY_COLUMN'],
  read(properties) {
    const listed = properties.required('columns', 'name the columns whose change makes a new version, or *');
    const texts = listed === undefined ? [] : properties.list('columns').map(asText);
    const columns = texts.length === 1 && texts[0] === '*' ? undefined : texts;
    const updatedAt = properties.text('updated_at_name');
    const isFirstAtExecution = properties.flag('execution_time_as_valid_from', false);
    const kind = readHistory(properties, { type: 'column', columns, updatedAt, isFirstAtExecution });
    return {
      ...kind,
      name: 'SCD_TYPE_2_BY_COLUMN',
      rowProperties: {
        ...kind.rowProperties,
        columns: columns?.map((column) => column.toLowerCase()) ?? '*',
        updatedAt: updatedAt?.toLowerCase() ?? null,
        executionTimeAsValidFrom: isFirstAtExecution,
      },
    };
  },
};

function readHistory(properties: PropertyReader, by: History['by']): ReturnType<KindDefinition['read']> {
  const keys = readKeys(properties);
  const validFrom = properties.text('valid_from_name') ?? 'valid_from';
  const validTo = properties.text('valid_to_name') ?? 'valid_to';
  const endsDeleted = properties.flag('invalidate_hard_deletes', false);
  const typeFragment = properties.fragment('time_data_type');
  const timeType = typeName(typeFragment === undefined ? 'TIMESTAMP' : textOf(typeFragment));
  const batchSize = properties.count('batch_size', 1);
  const shared = readIncrementalProperties(properties, { forwardOnly: true, restatable: false });
  const history: History = { keys, validFrom, validTo, timeType, endsDeleted, by };
  return {
    ...ordinaryKind,
    ...shared,
    name: '',
    rowProperties: {
      uniqueKey: keys.map((key) => key.sql.toLowerCase()),
      validFrom: validFrom.toLowerCase(),
      validTo: validTo.toLowerCase(),
      endsDeleted,
      timeType,
      batchSize: batchSize ?? null,
    },
    metadataProperties: shared.metadataProperties,
    history: 'intervals',
    restatesWhole: true,
    usesStaging: true,
    ...(batchSize === undefined ? {} : { batchSize }),
    addedColumns: [
      { name: validFrom, type: timeType },
      { name: validTo, type: timeType },
    ],
    fill: (request) => fillHistory(request, history),
  };
}

/** A type as DuckDB prints it. */
function typeName(written: string): string {
  const type = written.trim().toUpperCase().replace(/\s+/g, ' ');
  return type === 'TIMESTAMPTZ' ? 'TIMESTAMP WITH TIME ZONE' : type === 'DATETIME' ? 'TIMESTAMP' : type;
}

/**
 * One load of a history: records that changed are closed and written anew, records that are new are written, records that
 * are gone are closed if the author wants that. The table is changed in place: what did not change is not touched.
 *
 * Where SQLMesh fills NULLs of a closed record with the values of the new one, a NULL stays a NULL here.
 *
 * @source SQLMesh 0.236, `EngineAdapter._scd_type_2`, for what valid_from and valid_to become
 */
function fillHistory(request: FillRequest, history: History): readonly FillStatement[] {
  const { target, staging, columns, isEmpty } = request;
  const { keys, by, validFrom, validTo } = history;
  const own = columns.filter((column) => !isManaged(column, history));
  const keyNames = keys.map((_, at) => ident(`__scilake_key_${at}`));
  const values = own.map((_, at) => ident(`__scilake_value_${at}`));
  const execution = timeLiteral(request.executionTime, history.timeType);
  const changedAt =
    by.type === 'time'
      ? `CAST(source.${ident(by.updatedAt)} AS ${history.timeType})`
      : by.updatedAt === undefined
        ? execution
        : `coalesce(CAST(source.${ident(by.updatedAt)} AS ${history.timeType}), ${execution})`;
  const from = validFromCase(history, { isEmpty, changedAt });
  const changed = isEmpty ? 'false' : changeCondition(history, own);
  // The newest of several records of one key counts: its time decides, or (by column) any order that is always the same.
  const order = by.type === 'time' ? `${ident(by.updatedAt)} DESC` : own.map((column) => ident(column.name)).join(', ');
  const keyed = keys.map((key, at) => `${key.sql} AS ${keyNames[at]}`).join(', ');
  const same = (a: string, b: string): string =>
    keyNames.map((name) => `${a}.${name} IS NOT DISTINCT FROM ${b}.${name}`).join(' AND ');
  const isSame = keys.map((key, at) => `loaded.${keyNames[at]} IS NOT DISTINCT FROM (${key.sql})`).join(' AND ');
  const empty = isEmpty ? ' LIMIT 0' : '';
  const prepared = `CREATE OR REPLACE TEMP TABLE ${staging} AS
WITH source AS (
  SELECT *, ${keyed}
  FROM (${request.query}
  ) AS as_written
  QUALIFY row_number() OVER (PARTITION BY ${keyNames.join(', ')} ORDER BY ${order}) = 1
), known AS (
  SELECT *, ${keyed}
  FROM ${target}${empty}
), latest AS (
  FROM known WHERE ${ident(validTo)} IS NULL
), ended AS (
  SELECT ${keyNames.join(', ')}, max(${ident(validTo)}) AS ended_at
  FROM known
  GROUP BY ALL
)
SELECT
  ${keyNames.map((name) => `source.${name}`).join(', ')},
  ${own.map((column, at) => `source.${ident(column.name)} AS ${values[at]}`).join(', ')},
  latest.${keyNames[0]} IS NULL AND latest.${ident(validFrom)} IS NULL AS __scilake_is_new,
  NOT __scilake_is_new AND (${changed}) AS __scilake_is_changed,
  ${changedAt} AS __scilake_changed_at,
  CASE WHEN __scilake_is_changed THEN __scilake_changed_at ELSE ${from} END AS __scilake_valid_from
FROM source
LEFT JOIN latest ON ${same('source', 'latest')}
LEFT JOIN ended ON ${same('source', 'ended')}`;
  const close = `UPDATE ${target}
SET ${ident(validTo)} = loaded.__scilake_changed_at
FROM ${staging} AS loaded
WHERE loaded.__scilake_is_changed AND ${ident(validTo)} IS NULL AND ${isSame}`;
  const end = `UPDATE ${target}
SET ${ident(validTo)} = ${execution}
WHERE ${ident(validTo)} IS NULL AND NOT EXISTS (SELECT 1 FROM ${staging} AS loaded WHERE ${isSame})`;
  const names = [...own.map((column) => column.name), validFrom, validTo].map(ident).join(', ');
  const write = `INSERT INTO ${target} (${names})
SELECT ${values.join(', ')}, __scilake_valid_from, CAST(NULL AS ${history.timeType})
FROM ${staging}
WHERE __scilake_is_new OR __scilake_is_changed`;
  return [
    { type: 'write', sql: prepared, countsRows: false },
    ...(isEmpty ? [] : [{ type: 'write', sql: close, countsRows: false } as const]),
    ...(isEmpty || !history.endsDeleted ? [] : [{ type: 'write', sql: end, countsRows: false } as const]),
    { type: 'write', sql: write, countsRows: true },
  ];
}

/** Since when a record that is not known, or not any more, is valid. */
function validFromCase(
  { by, timeType }: History,
  { isEmpty, changedAt }: { readonly isEmpty: boolean; readonly changedAt: string },
): string {
  const epoch = `CAST(${EPOCH} AS ${timeType})`;
  if (by.type === 'column') return isEmpty && !by.isFirstAtExecution ? epoch : changedAt;
  const first = by.isValidFrom ? changedAt : epoch;
  // A record that had ended and is back is valid since it came back, and not before its earlier life was over.
  return `CASE WHEN ended.ended_at IS NOT NULL THEN greatest(ended.ended_at, ${changedAt}) ELSE ${first} END`;
}

function changeCondition({ by }: History, own: readonly Column[]): string {
  if (by.type === 'time') return `source.${ident(by.updatedAt)} > latest.${ident(by.updatedAt)}`;
  const compared = by.columns ?? own.map((column) => column.name);
  return compared.map((name) => `source.${ident(name)} IS DISTINCT FROM latest.${ident(name)}`).join(' OR ');
}

function isManaged(column: Column, { validFrom, validTo }: History): boolean {
  const name = column.name.toLowerCase();
  return name === validFrom.toLowerCase() || name === validTo.toLowerCase();
}

function timeLiteral(instant: number, type: string): string {
  const text = new Date(instant).toISOString().replace('T', ' ').replace('Z', '');
  return `CAST(${literal(type === 'TIMESTAMP WITH TIME ZONE' ? `${text}+00:00` : text)} AS ${type})`;
}
