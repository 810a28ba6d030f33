import { type KindDefinition, ordinaryKind } from './kind.js';

/** `EXTERNAL`: a table that somebody else keeps; the project only says what columns it has. */
export const external: KindDefinition = {
  names: ['EXTERNAL'],
  read: () => ({ ...ordinaryKind, name: 'EXTERNAL', storage: 'outside', restatable: false, fill: () => [] }),
};
