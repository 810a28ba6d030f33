import { type KindDefinition, ordinaryKind } from './kind.js';

/** `VIEW`: no rows of its own, its query runs when it is read. */
export const view: KindDefinition = {
  names: ['VIEW'],
  read(properties) {
    if (properties.flag('materialized', false)) {
      properties.warn(
        'SL0105',
        properties.ownerSpan,
        'DuckLake has no materialized views',
        'use kind FULL to keep the rows',
      );
    }
    return { ...ordinaryKind, name: 'VIEW', storage: 'view', fill: () => [] };
  },
};
