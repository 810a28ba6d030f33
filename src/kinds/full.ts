import { insertStatement, type KindDefinition, ordinaryKind } from './kind.js';

/** `FULL`: all rows are made again each time. */
export const full: KindDefinition = {
  names: ['FULL'],
  read: () => ({
    ...ordinaryKind,
    name: 'FULL',
    fill: ({ target, columns, query, isEmpty }) => [
      ...(isEmpty ? [] : [{ type: 'write', sql: `DELETE FROM ${target}`, countsRows: false } as const]),
      { type: 'write', sql: insertStatement(target, columns, query), countsRows: true },
    ],
  }),
};
