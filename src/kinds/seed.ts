import { asText, spanOf } from '../domain/fragment.js';
import type { KindDefinition } from './kind.js';
import { insertStatement, ordinaryKind } from './kind.js';

/** SQLMesh's names of `csv_settings` beside those of DuckDB's reader. `doublequote` is DuckDB's default and only way. */
const csvOptionNames: Readonly<Record<string, string>> = {
  delimiter: 'delim',
  quotechar: 'quote',
  escapechar: 'escape',
  encoding: 'encoding',
  na_values: 'nullstr',
};

/** `SEED`: the rows of a CSV file of the project, loaded once per version of the file. */
export const seed: KindDefinition = {
  names: ['SEED'],
  read(properties) {
    const path = properties.required('path', "give the file: SEED (path '../seeds/genes.csv')");
    properties.count('batch_size', 1);
    const csvOptions: Record<string, string> = {};
    for (const pair of properties.pairs('csv_settings')) {
      const name = pair.name.toLowerCase();
      const option = csvOptionNames[name];
      if (option !== undefined) csvOptions[option] = asText(pair.value);
      else if (name !== 'doublequote') {
        const known = [...Object.keys(csvOptionNames), 'doublequote'].join(', ');
        properties.report(
          'SL0103',
          spanOf(pair.value),
          `csv_settings does not know "${pair.name}"`,
          `known are ${known}`,
        );
      }
    }
    return {
      ...ordinaryKind,
      name: 'SEED',
      history: 'once',
      restatable: false,
      rowProperties: { csvOptions },
      seed: { path: path === undefined ? '' : asText(path), csvOptions },
      fill: ({ target, columns, query, isEmpty }) => [
        ...(isEmpty ? [] : [{ type: 'write', sql: `DELETE FROM ${target}`, countsRows: false } as const]),
        { type: 'write', sql: insertStatement(target, columns, query), countsRows: true },
      ],
    };
  },
};
