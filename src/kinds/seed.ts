import { asText, listItems, spanOf } from '../domain/fragment.js';
import type { SeedFile } from '../domain/kind.js';
import type { KindDefinition } from './kind.js';
import { insertStatement, ordinaryKind } from './kind.js';

/** SQLMesh's names of `csv_settings` beside those of DuckDB's reader. `doublequote` is DuckDB's default and only way. */
const csvOptionNames: Readonly<Record<string, string>> = {
  delimiter: 'delim',
  quotechar: 'quote',
  escapechar: 'escape',
  encoding: 'encoding',
};

/** What pandas, and so SQLMesh, reads as NULL unless `keep_default_na false` is given. */
const usualNulls = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>', 'N/A', 'NA'],
  ...['NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];

/** `SEED`: the rows of a CSV file of the project, loaded once per version of the file. */
export const seed: KindDefinition = {
  names: ['SEED'],
  read(properties) {
    const path = properties.required('path', "give the file: SEED (path '../seeds/genes.csv')");
    properties.count('batch_size', 1);
    const csvOptions: Record<string, string | readonly string[]> = {};
    let nulls: readonly string[] = [];
    let isUsual = true;
    for (const pair of properties.pairs('csv_settings')) {
      const name = pair.name.toLowerCase();
      const option = csvOptionNames[name];
      if (option !== undefined) csvOptions[option] = asText(pair.value);
      else if (name === 'na_values') nulls = listItems(pair.value).map(asText);
      else if (name === 'keep_default_na') isUsual = asText(pair.value).toLowerCase() !== 'false';
      else if (name !== 'doublequote') {
        const known = [...Object.keys(csvOptionNames), 'na_values', 'keep_default_na', 'doublequote'].join(', ');
        properties.report(
          'SL0103',
          spanOf(pair.value),
          `csv_settings does not know "${pair.name}"`,
          `known are ${known}`,
        );
      }
    }
    // DuckDB wants one text at least: an empty field then, which is what it takes by itself.
    const texts = [...new Set([...nulls, ...(isUsual ? usualNulls : [])])];
    csvOptions.nullstr = texts.length > 0 ? texts : [''];
    const file: SeedFile = { path: path === undefined ? '' : asText(path), csvOptions };
    return {
      ...ordinaryKind,
      name: 'SEED',
      history: 'once',
      restatable: false,
      rowProperties: { csvOptions },
      seed: file,
      fill: ({ target, columns, query, isEmpty }) => [
        ...(isEmpty ? [] : [{ type: 'write', sql: `DELETE FROM ${target}`, countsRows: false } as const]),
        { type: 'write', sql: insertStatement(target, columns, query), countsRows: true },
      ],
    };
  },
};
