import { asText } from '../domain/fragment.js';
import { type KindDefinition, ordinaryKind, readIncrementalProperties } from './kind.js';

/**
 * `CUSTOM`: the project says itself how rows come into the table, by a materialization in `materializations/`. Its function is
 * put in place of `fill` when the project is loaded.
 */
export const custom: KindDefinition = {
  names: ['CUSTOM'],
  read(properties) {
    const declared = properties.required(
      'materialization',
      "name the function that fills the table: CUSTOM (materialization 'append_new')",
    );
    const materialization = declared === undefined ? '' : asText(declared).toLowerCase();
    const given = Object.fromEntries(
      properties.pairs('materialization_properties').map((pair) => [pair.name.toLowerCase(), asText(pair.value)]),
    );
    const lookback = properties.count('lookback', 0) ?? 0;
    const batchSize = properties.count('batch_size', 1);
    properties.count('batch_concurrency', 1);
    const shared = readIncrementalProperties(properties);
    return {
      ...ordinaryKind,
      ...shared,
      name: 'CUSTOM',
      history: 'intervals',
      usesStaging: true,
      lookback,
      rowProperties: { materialization, properties: given, lookback },
      metadataProperties: { ...shared.metadataProperties, batchSize: batchSize ?? null },
      ...(batchSize === undefined ? {} : { batchSize }),
      materialization: { name: materialization, properties: given },
      fill() {
        throw new Error(`materialization ${materialization} was not put in place`);
      },
    };
  },
};
