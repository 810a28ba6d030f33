import type { FillRequest, FillStatement } from '../domain/kind.js';
import { ident } from '../domain/names.js';
import { insertStatement, type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/**
 * `INCREMENTAL_BY_PARTITION`: a load replaces the partitions that its rows belong to and leaves the others. A change keeps
 * the table (it is forward-only by nature), and a restatement replaces all of it.
 */
export const incrementalByPartition: KindDefinition = {
  names: ['INCREMENTAL_BY_PARTITION'],
  read(properties) {
    const batchSize = properties.count('batch_size', 1);
    const given = properties.fragment('forward_only');
    const shared = readIncrementalProperties(properties);
    if (given !== undefined && !shared.forwardOnly) {
      properties.report(
        'SL0105',
        properties.ownerSpan,
        'INCREMENTAL_BY_PARTITION is always forward-only: forward_only cannot be false',
        'leave forward_only out',
      );
    }
    return {
      ...ordinaryKind,
      ...shared,
      forwardOnly: true,
      name: 'INCREMENTAL_BY_PARTITION',
      metadataProperties: { ...shared.metadataProperties, forwardOnly: true, batchSize: batchSize ?? null },
      history: 'intervals',
      restatesWhole: true,
      needsPartitions: true,
      usesStaging: true,
      ...(batchSize === undefined ? {} : { batchSize }),
      fill: overwritePartitions,
    };
  },
};

/** Takes away the partitions of what is loaded, then writes the load. */
export function overwritePartitions(request: FillRequest): readonly FillStatement[] {
  const { target, staging, columns, query, isEmpty, partitionedBy } = request;
  if (isEmpty) return [{ type: 'write', sql: insertStatement(target, columns, query), countsRows: true }];
  const names = partitionedBy.map((_, at) => ident(`__scilake_partition_${at}`));
  const parts = partitionedBy.map((expression, at) => `${expression} AS ${names[at]}`);
  const same = partitionedBy.map((expression, at) => `loaded.${names[at]} IS NOT DISTINCT FROM (${expression})`);
  const listed = columns.map((column) => ident(column.name)).join(', ');
  return [
    {
      type: 'write',
      sql: `CREATE OR REPLACE TEMP TABLE ${staging} AS\n${query}`,
      countsRows: false,
    },
    {
      type: 'write',
      sql: `DELETE FROM ${target}\nWHERE EXISTS (SELECT 1 FROM (SELECT DISTINCT ${parts.join(', ')} FROM ${staging}) AS loaded WHERE ${same.join(' AND ')})`,
      countsRows: false,
    },
    { type: 'write', sql: insertStatement(target, columns, `SELECT ${listed}\nFROM ${staging}`), countsRows: true },
  ];
}
