import type { CommandEntry } from '../command.js';

/** Every command there is, in the order of the help page. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'make a small working project in an empty folder',
    load: async () => (await import('./init.js')).init,
  },
  {
    name: 'import',
    summary: 'say what becomes of a SQLMesh project, or make a Scilake project of it',
    load: async () => (await import('./import.js')).importCommand,
  },
  { name: 'plan', summary: 'show what apply would do', load: async () => (await import('./plan.js')).planCommand },
  {
    name: 'apply',
    summary: 'build what changed and move the environment to it',
    load: async () => (await import('./apply.js')).applyCommand,
  },
  {
    name: 'run',
    summary: 'build the intervals that cron says are due',
    load: async () => (await import('./run.js')).runCommand,
  },
  {
    name: 'query',
    aliases: ['fetchdf'],
    summary: 'run SQL over the tables of an environment',
    load: async () => (await import('./query.js')).query,
  },
  {
    name: 'evaluate',
    summary: "run a model's query without keeping the rows",
    load: async () => (await import('./evaluate.js')).evaluate,
  },
  {
    name: 'render',
    summary: "show a model's SQL as it would run",
    load: async () => (await import('./render.js')).render,
  },
  {
    name: 'lineage',
    summary: 'show which columns come from which',
    load: async () => (await import('./lineage.js')).lineage,
  },
  {
    name: 'trace',
    summary: 'show the raw files behind a column, with DOI and license',
    load: async () => (await import('./trace.js')).trace,
  },
  {
    name: 'provenance',
    summary: 'show what a table or column was made from: files, checksums, licenses, runs',
    load: async () => (await import('./provenance.js')).provenance,
  },
  {
    name: 'reproduce',
    summary: 'build a plan or a model again from what is recorded, and compare the rows',
    load: async () => (await import('./reproduce.js')).reproduceCommand,
  },
  {
    name: 'sources',
    summary: 'list the sources: state, age, size, license',
    load: async () => (await import('./sources.js')).sources,
  },
  {
    name: 'source',
    summary: 'add a source: look at what an address means, and write its declaration',
    load: async () => (await import('./source.js')).source,
  },
  {
    name: 'ingest',
    summary: 'fetch, convert and register sources, without building models',
    load: async () => (await import('./ingest.js')).ingestCommand,
  },
  {
    name: 'git',
    summary: 'let git show and merge the provenance file',
    load: async () => (await import('./git.js')).gitCommand,
  },
  {
    name: 'why',
    summary: 'say why a model would be built again, or not',
    load: async () => (await import('./why.js')).why,
  },
  { name: 'test', summary: 'run the unit tests of models', load: async () => (await import('./test.js')).test },
  {
    name: 'create_test',
    aliases: ['create-test'],
    summary: 'write a unit test with rows of an environment',
    load: async () => (await import('./create-test.js')).createTest,
  },
  {
    name: 'lint',
    summary: 'hold models against rules of style and care',
    load: async () => (await import('./lint.js')).lint,
  },
  {
    name: 'format',
    summary: 'lay out the SQL files of the project',
    load: async () => (await import('./format.js')).format,
  },
  {
    name: 'audit',
    summary: 'audit what is built, without building',
    load: async () => (await import('./audit.js')).auditCommand,
  },
  {
    name: 'graph',
    summary: 'show sources, models and audits and what reads what',
    load: async () => (await import('./graph.js')).graph,
  },
  {
    name: 'create_external_models',
    aliases: ['create-external-models'],
    summary: 'declare the tables that models read and nobody here makes',
    load: async () => (await import('./create-external-models.js')).createExternalModels,
  },
  {
    name: 'table_diff',
    aliases: ['table-diff'],
    summary: 'compare tables of two environments, or two tables, by columns and rows',
    load: async () => (await import('./table-diff.js')).tableDiff,
  },
  {
    name: 'log',
    summary: 'list what has moved environments: plans and rollbacks, who, when, from which commit',
    load: async () => (await import('./log.js')).log,
  },
  {
    name: 'show',
    summary: 'show one plan that was applied: changes, steps, rows, time',
    load: async () => (await import('./show.js')).show,
  },
  {
    name: 'blame',
    summary: 'say which plan made which version of a model',
    load: async () => (await import('./blame.js')).blameCommand,
  },
  {
    name: 'diff',
    summary: 'compare two environments or moments: schemas and rows of every model',
    load: async () => (await import('./diff.js')).diff,
  },
  {
    name: 'rollback',
    summary: 'put an environment back to what it was, without building',
    load: async () => (await import('./rollback.js')).rollbackCommand,
  },
  {
    name: 'environments',
    summary: 'list the environments of the lake',
    load: async () => (await import('./environments.js')).environments,
  },
  {
    name: 'check_intervals',
    aliases: ['check-intervals'],
    summary: 'show which intervals an environment lacks',
    load: async () => (await import('./check-intervals.js')).checkIntervals,
  },
  {
    name: 'table_name',
    aliases: ['table-name'],
    summary: 'show which table holds a model',
    load: async () => (await import('./table-name.js')).tableName,
  },
  {
    name: 'convert',
    summary: 'turn a raw file into parquet, without a project',
    load: async () => (await import('./convert.js')).convert,
  },
  {
    name: 'anndata',
    summary: 'write tables back into an h5ad file',
    load: async () => (await import('./anndata.js')).anndata,
  },
  {
    name: 'info',
    aliases: ['doctor'],
    summary: 'show versions, extension, lake and state',
    load: async () => (await import('./info.js')).info,
  },
  {
    name: 'clean',
    summary: 'remove what is kept to be quick, and nothing else',
    load: async () => (await import('./clean.js')).clean,
  },
  {
    name: 'destroy',
    summary: 'remove the lake with all its data',
    load: async () => (await import('./destroy.js')).destroy,
  },
];
