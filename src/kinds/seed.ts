import { asPair, asText, type Fragment, listItems, spanOf } from '../domain/fragment.js';
import type { SeedFile } from '../domain/kind.js';
import type { PropertyReader } from '../domain/property-reader.js';
import type { KindDefinition } from './kind.js';
import { insertStatement, ordinaryKind } from './kind.js';

/** SQLMesh's names of `csv_settings` beside those of DuckDB's reader. `doublequote` is DuckDB's default and only way. */
const csvOptionNames: Readonly<Record<string, string>> = {
  delimiter: 'delim',
  quotechar: 'quote',
  escapechar: 'escape',
  encoding: 'encoding',
};
const otherSettings = ['skipinitialspace', 'lineterminator', 'na_values', 'keep_default_na', 'doublequote'] as const;

/** Characters that are written with a backslash in settings. */
const escapes: Readonly<Record<string, string>> = {
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
  '\\f': '\f',
  '\\v': '\v',
  '\\\\': '\\',
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
    const settings = readSettings(properties);
    const file: SeedFile = { path: path === undefined ? '' : asText(path), ...settings };
    return {
      ...ordinaryKind,
      name: 'SEED',
      history: 'once',
      restatable: false,
      rowProperties: { csvOptions: file.csvOptions, ...(file.layout === undefined ? {} : { layout: file.layout }) },
      seed: file,
      fill: ({ target, columns, query, isEmpty }) => [
        ...(isEmpty ? [] : [{ type: 'write', sql: `DELETE FROM ${target}`, countsRows: false } as const]),
        { type: 'write', sql: insertStatement(target, columns, query), countsRows: true },
      ],
    };
  },
};

function readSettings(properties: PropertyReader): Pick<SeedFile, 'csvOptions' | 'layout'> {
  const csvOptions: Record<string, string | readonly string[]> = {};
  let nulls: readonly string[] = [];
  let isUsual = true;
  let skipsBlanks = false;
  let lineEnd: string | undefined;
  const nullsByColumn: Record<string, readonly string[]> = {};
  const isTrue = (value: Fragment): boolean => asText(value).toLowerCase() === 'true';
  for (const pair of properties.pairs('csv_settings')) {
    const name = pair.name.toLowerCase();
    const option = csvOptionNames[name];
    const text = asText(pair.value);
    if (option !== undefined) csvOptions[option] = escapes[text] ?? text;
    else if (name === 'na_values') {
      const items = listItems(pair.value);
      const columns = items.map(asPair).map((column) => (column?.value.tokens.length === 0 ? undefined : column));
      nulls = items.flatMap((item, at) => (columns[at] === undefined ? [asText(item)] : []));
      for (const column of columns)
        if (column !== undefined) nullsByColumn[column.name.toLowerCase()] = listItems(column.value).map(asText);
    } else if (name === 'keep_default_na') isUsual = text.toLowerCase() !== 'false';
    else if (name === 'skipinitialspace') skipsBlanks = isTrue(pair.value);
    else if (name === 'lineterminator') {
      const character = escapes[text] ?? text;
      if (character.length === 1) lineEnd = character;
      else properties.report('SL0103', spanOf(pair.value), 'lineterminator is one character', "lineterminator = '\\n'");
    } else if (name !== 'doublequote')
      properties.report(
        'SL0103',
        spanOf(pair.value),
        `csv_settings does not know "${pair.name}"`,
        `known are ${[...Object.keys(csvOptionNames), ...otherSettings].join(', ')}`,
      );
  }
  // DuckDB wants one text at least: an empty field then, which is what it takes by itself.
  const texts = [...new Set([...nulls, ...(isUsual ? usualNulls : [])])];
  csvOptions.nullstr = texts.length > 0 ? texts : [''];
  const isPlain = !skipsBlanks && lineEnd === undefined && Object.keys(nullsByColumn).length === 0;
  if (isPlain) return { csvOptions };
  return { csvOptions, layout: { skipsBlanks, nulls: nullsByColumn, ...(lineEnd === undefined ? {} : { lineEnd }) } };
}
