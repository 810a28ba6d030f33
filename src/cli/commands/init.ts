import * as path from 'node:path';
import { type CommandDefinition, exitCodes, UsageError } from '../command.js';
import { showJson } from '../report.js';

/** A project that runs as it is: one source, a view, a table, an audit, a unit test. */
const template: Readonly<Record<string, string>> = {
  'scilake.yaml': "name: my-project\nmodel_defaults:\n  dialect: duckdb\n  start: '2024-01-01'\n  cron: '@daily'\n",
  '.gitignore': '.scilake/\n',
  'sources/penguins.sql': `SOURCE (
  name raw,
  uri 'data/penguins.csv',
  license 'CC0-1.0',
  citation 'Horst AM, Hill AP, Gorman KB (2020). palmerpenguins.',
  description 'Twelve penguins of the Palmer Archipelago'
);
`,
  'sources/data/penguins.csv': `species,island,bill_length_mm,body_mass_g
Adelie,Torgersen,39.1,3750
Adelie,Torgersen,39.5,3800
Adelie,Biscoe,37.8,3400
Adelie,Dream,39.5,3250
Chinstrap,Dream,46.5,3500
Chinstrap,Dream,50.0,3900
Chinstrap,Dream,51.3,3650
Chinstrap,Dream,45.4,3525
Gentoo,Biscoe,46.1,4500
Gentoo,Biscoe,50.0,5700
Gentoo,Biscoe,48.7,4450
Gentoo,Biscoe,,5400
`,
  'models/staging/penguins.sql': `MODEL (
  name staging.penguins,
  kind VIEW,
  description 'Penguins whose bill was measured',
  audits (not_null(columns := (species, bill_length_mm)))
);
SELECT
  species,
  island,
  bill_length_mm,
  body_mass_g
FROM raw.penguins
WHERE bill_length_mm IS NOT NULL;
`,
  'models/analytics/species.sql': `MODEL (
  name analytics.species,
  kind FULL,
  grain species,
  description 'One row per species',
  audits (unique_values(columns := (species)), assert_heavy_enough)
);
SELECT
  species,
  count(*) AS penguins,
  avg(bill_length_mm) AS mean_bill_length_mm,
  avg(body_mass_g) AS mean_body_mass_g
FROM staging.penguins
GROUP BY species;
`,
  'audits/assert_heavy_enough.sql': `AUDIT (name assert_heavy_enough, description 'No species weighs under two kilograms');
SELECT *
FROM @this_model
WHERE mean_body_mass_g < 2000;
`,
  'tests/test_species.yaml': `test_species_counts_measured_penguins:
  model: analytics.species
  inputs:
    staging.penguins:
      rows:
        - {species: Adelie, bill_length_mm: 39.0, body_mass_g: 3700}
        - {species: Adelie, bill_length_mm: 41.0, body_mass_g: 3900}
  outputs:
    query:
      rows:
        - {species: Adelie, penguins: 2, mean_bill_length_mm: 40.0, mean_body_mass_g: 3800.0}
`,
};

/** `scilake init`: makes a small working project. Never writes over a file. */
export const init: CommandDefinition = {
  configure(command) {
    command.argument('[folder]', 'folder for the project (default: this one)');
  },
  async run(context, [folder]) {
    const { shell, workspace, options } = context;
    const { files } = workspace.outside;
    const target = path.resolve(
      folder === undefined ? workspace.projectFolder : path.resolve(shell.workingFolder, folder),
    );
    const inTheWay = Object.keys(template).filter((name) => files.facts(path.join(target, name)) !== undefined);
    if (inTheWay.length > 0)
      throw new UsageError(`${target} has ${inTheWay.join(', ')} already; init writes over nothing`);
    for (const [name, text] of Object.entries(template)) files.writeText(path.join(target, name), text);
    if (options.json) showJson(shell, { folder: target, files: Object.keys(template) });
    else
      shell.out(
        `Made a project in ${target}:\n${Object.keys(template)
          .map((name) => `  ${name}\n`)
          .join('')}\nNext:  npx scilake apply\n`,
      );
    return exitCodes.done;
  },
};
