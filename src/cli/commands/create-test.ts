import * as path from 'node:path';
import { stringify } from 'yaml';
import { outputsOf, type TestTable } from '../../check/run-unit-tests.js';
import type { BoundProject } from '../../domain/bound-project.js';
import { messageOf } from '../../domain/diagnostic.js';
import { environmentName, PROD } from '../../domain/names.js';
import type { TestRow, UnitTest } from '../../domain/unit-test.js';
import { load, withEnvironment } from '../../workflow.js';
import {
  type CommandContext,
  type CommandDefinition,
  exitCodes,
  flagOption,
  textOption,
  textOptions,
  UsageError,
} from '../command.js';
import { reportErrors, showJson } from '../report.js';
import { jsonCell } from '../show-rows.js';
import { unknownModel } from './load-model.js';
import { executionTimeOf } from './plan-options.js';

/** `scilake create_test MODEL --query s.t "SELECT …"`: a unit test with rows of an environment as inputs and what the model makes of them as outputs. */
export const createTest: CommandDefinition = {
  configure(command) {
    command
      .argument('<model>', 'schema.table')
      .option(
        '-q, --query <table query...>',
        'rows of an upstream table: --query s.t "FROM s.t LIMIT 3"; may be repeated',
      )
      .option('-v, --var <name value...>', 'a variable, or start, end, execution_time; may be repeated')
      .option('-n, --name <name>', 'name of the test (default: test_ and the table)')
      .option('--path <file>', 'file below the folder of tests (default: the name, .yaml)')
      .option('--env <environment>', 'environment to read (default: prod)')
      .option('--include-ctes', 'expect the rows of every CTE as well')
      .option('-o, --overwrite', 'replace a file that is there');
  },
  async run(context, [name = ''], options) {
    const { workspace, shell } = context;
    const loaded = await load(workspace);
    if (!loaded.ok) return reportErrors(context, loaded.errors);
    const project = loaded.value;
    const bound = project.models.find((candidate) => candidate.model.key === name.toLowerCase());
    if (bound === undefined) return reportErrors(context, unknownModel(name, project).errors);
    const testName = textOption(options, 'name') ?? `test_${bound.model.name.table}`;
    const file = `${project.project.config.tests}/${fileName(textOption(options, 'path') ?? testName)}`;
    const target = path.join(workspace.projectFolder, file);
    if (workspace.outside.files.facts(target) !== undefined && !flagOption(options, 'overwrite'))
      throw new UsageError(`${file} is there already; give --overwrite, or another --path`);
    const inputs = await inputsOf(context, project, options);
    if (typeof inputs === 'number') return inputs;
    const variables = Object.fromEntries(pairs(textOptions(options, 'var'), '--var'));
    const unit: UnitTest = {
      name: testName,
      location: bound.model.location,
      model: bound.model.key,
      description: '',
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([table, rows]) => [table, { rows: { type: 'rows', rows }, columns: {} }]),
      ),
      expected: undefined,
      ctes: {},
      variables,
    };
    const outputs = await outputsOf(unit, project, {
      ...workspace.outside,
      projectFolder: workspace.projectFolder,
      executionTime: executionTimeOf(context).executionTime,
    });
    if (!outputs.ok) return reportErrors(context, outputs.errors);
    const { query, ctes } = outputs.value;
    const withCtes = flagOption(options, 'includeCtes') && Object.keys(ctes).length > 0;
    const body = {
      model: bound.model.key,
      inputs: Object.fromEntries(Object.entries(inputs).map(([table, rows]) => [table, { rows }])),
      outputs: {
        ...(withCtes
          ? { ctes: Object.fromEntries(Object.entries(ctes).map(([cte, table]) => [cte, { rows: rowsOf(table) }])) }
          : {}),
        query: { rows: rowsOf(query) },
      },
      ...(Object.keys(variables).length === 0 ? {} : { vars: variables }),
    };
    workspace.outside.files.writeText(target, stringify({ [testName]: body }, { lineWidth: 0 }));
    if (context.options.json) showJson(shell, { test: testName, file });
    else
      shell.out(
        `${file} expects ${query.rows.length} ${query.rows.length === 1 ? 'row' : 'rows'} of ${bound.model.key}\n`,
      );
    return exitCodes.done;
  },
};

function fileName(given: string): string {
  return /\.ya?ml$/i.test(given) ? given : `${given}.yaml`;
}

/** Runs the queries on the environment; a number is the exit code of a failure that has been reported. */
async function inputsOf(
  context: CommandContext,
  project: BoundProject,
  options: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, readonly TestRow[]>> | number> {
  const queries = pairs(textOptions(options, 'query'), '--query');
  const environment = environmentName(textOption(options, 'env') ?? PROD);
  const inputs: Record<string, readonly TestRow[]> = {};
  if (queries.length === 0) return inputs;
  return withEnvironment(context.workspace, project.project.config, environment, async (database) => {
    for (const [table, sql] of queries) {
      try {
        inputs[table.toLowerCase()] = rowsOf(await database.table(sql));
      } catch (thrown) {
        return reportErrors(context, [
          { code: 'SL0210', severity: 'error', message: `${table}: ${messageOf(thrown)}` },
        ]);
      }
    }
    return inputs;
  });
}

/** @throws UsageError when one half of a pair is missing */
function pairs(words: readonly string[], option: string): readonly (readonly [string, string])[] {
  if (words.length % 2 === 1)
    throw new UsageError(`${option} takes two words at a time, a name and what it stands for`);
  return words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ''] as const] : []));
}

function rowsOf({ columns, rows }: TestTable): readonly TestRow[] {
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name, type }, at) => [name, jsonCell(row[at] ?? null, type)])),
  );
}
