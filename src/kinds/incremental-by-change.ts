import type { FillRequest, FillStatement } from '../domain/kind.js';
import { ident } from '../domain/names.js';
import { type KeyPart, plainKey, readKeys } from './keys.js';
import { insertStatement, type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/**
 * `INCREMENTAL_BY_CHANGE`: reads what changed in its parent since the lake's snapshot that it read last (inserts, updates and
 * deletes, from DuckLake's change feed) and runs its query over that alone. Late rows and corrections need no lookback.
 * Its query must treat each row of one table by itself; what the key identifies is replaced.
 */
export const incrementalByChange: KindDefinition = {
  names: ['INCREMENTAL_BY_CHANGE'],
  read(properties) {
    const keys = readKeys(properties);
    const shared = readIncrementalProperties(properties);
    return {
      ...ordinaryKind,
      ...shared,
      name: 'INCREMENTAL_BY_CHANGE',
      rowProperties: { uniqueKey: keys.map((key) => key.sql.toLowerCase()) },
      history: 'intervals',
      restatesWhole: true,
      readsChanges: true,
      usesStaging: true,
      fill: (request) => fillByChange(request, keys),
    };
  },
};

function fillByChange(request: FillRequest, keys: readonly KeyPart[]): readonly FillStatement[] {
  const { target, staging, columns, query, changes } = request;
  const names = columns.map((column) => ident(column.name)).join(', ');
  const keyNames = keys.map((_, at) => ident(`__scilake_key_${at}`));
  const keyed = (from: string): string =>
    `SELECT ${keys.map((key, at) => `${key.sql} AS ${keyNames[at]}`).join(', ')} FROM ${from}`;
  const check: FillStatement = {
    type: 'check',
    sql: `SELECT ${keyNames.map((name, at) => `${name} AS ${ident(plainKey(keys[at]?.sql ?? ''))}`).join(', ')}, count(*) AS rows_of_key\nFROM (${keyed(staging)})\nGROUP BY ${keyNames.join(', ')}\nHAVING count(*) > 1`,
    code: 'SL0803',
    message: `what changed holds several rows of one unique key (${keys.map((key) => plainKey(key.sql)).join(', ')})`,
    hint: 'name the columns that identify a row of the result: unique_key (sample, gene)',
  };
  const insert: FillStatement = {
    type: 'write',
    sql: insertStatement(target, columns, `SELECT ${names}\nFROM ${staging}`),
    countsRows: true,
  };
  const load = (from: string): FillStatement => ({
    type: 'write',
    sql: `CREATE OR REPLACE TEMP TABLE ${staging} AS\n${from}`,
    countsRows: false,
  });
  if (changes === undefined) return [load(query), check, insert];
  const same = keys.map((key, at) => `gone.${keyNames[at]} IS NOT DISTINCT FROM (${key.sql})`).join(' AND ');
  return [
    load(`FROM ${changes.added}`),
    check,
    {
      type: 'write',
      sql: `DELETE FROM ${target}\nWHERE EXISTS (SELECT 1 FROM (${keyed(changes.removed)} UNION ALL ${keyed(staging)}) AS gone WHERE ${same})`,
      countsRows: false,
    },
    insert,
  ];
}
