import { overwritePartitions } from './incremental-by-partition.js';
import { insertStatement, type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/**
 * `INCREMENTAL_UNMANAGED`: each load is appended, or (`insert_overwrite`) replaces its partitions. Nothing knows which rows
 * belong to which interval, so that a change keeps the table and, unless the author says otherwise, nothing is restated.
 */
export const incrementalUnmanaged: KindDefinition = {
  names: ['INCREMENTAL_UNMANAGED'],
  read(properties) {
    const insertOverwrite = properties.flag('insert_overwrite', false);
    const shared = readIncrementalProperties(properties, { forwardOnly: true, restatable: false });
    return {
      ...ordinaryKind,
      ...shared,
      name: 'INCREMENTAL_UNMANAGED',
      rowProperties: { insertOverwrite },
      history: 'intervals',
      restatesWhole: true,
      ...(insertOverwrite ? { usesStaging: true, needsPartitions: true } : {}),
      fill: (request) =>
        insertOverwrite
          ? overwritePartitions(request)
          : [{ type: 'write', sql: insertStatement(request.target, request.columns, request.query), countsRows: true }],
    };
  },
};
