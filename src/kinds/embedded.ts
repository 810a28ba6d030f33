import { type KindDefinition, ordinaryKind } from './kind.js';

/** `EMBEDDED`: no object in the lake; its query serves inside the models that read it. */
export const embedded: KindDefinition = {
  names: ['EMBEDDED'],
  read: () => ({ ...ordinaryKind, name: 'EMBEDDED', storage: 'inline', fill: () => [] }),
};
