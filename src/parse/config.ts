import { isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { cronProblem } from '../domain/cron.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Fragment } from '../domain/fragment.js';
import { locate, type TextFile } from '../domain/location.js';
import type { SqlText } from '../domain/model.js';
import { PROD } from '../domain/names.js';
import type {
  ConvertSettings,
  IngestSettings,
  MetadataSettings,
  ModelDefaults,
  ProjectConfig,
} from '../domain/project.js';
import { Section } from './config-section.js';
import { leftWarning, readGateways, sqlmeshLeft } from './sqlmesh-config.js';
import { tokenize } from './tokenizer.js';

/** The settings of a project; where there is none, those that SQLMesh reads. */
export const CONFIG_FILE = 'scilake.yaml';

export const emptyModelDefaults: ModelDefaults = {
  dialect: 'duckdb',
  cron: '@daily',
  owner: '',
  properties: {},
  preStatements: [],
  postStatements: [],
  onVirtualUpdate: [],
};

/** What a project without `scilake.yaml` gets. */
export const defaultConfig: ProjectConfig = {
  name: 'scilake',
  modelDefaults: emptyModelDefaults,
  lake: { catalog: '.scilake/lake/catalog.ducklake', schema: 'scilake', data: '.scilake/lake/data' },
  tests: 'tests',
  defaultTargetEnvironment: PROD,
  gateway: 'duckdb',
  variables: {},
  convert: {},
  ingest: {},
  metadata: { file: 'metadata.sqlite', git: 'commit' },
  settings: {},
  beforeAll: [],
  afterAll: [],
  audits: { storeRows: 100 },
  linter: { enabled: false, rules: [], warnRules: [], ignoredRules: [] },
  catalogs: [],
};

type Environment = Readonly<Record<string, string | undefined>>;

const overridePrefix = 'SCILAKE__';

/** `SCILAKE__MODEL_DEFAULTS__START=2024-01-01` sets `model_defaults.start`. */
function settingsOf(environment: Environment): readonly (readonly [readonly string[], unknown])[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (!name.startsWith(overridePrefix) || value === undefined) return [];
    const path = name.slice(overridePrefix.length).toLowerCase().split('__');
    const isPlain = /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(value);
    return [[path, isPlain ? JSON.parse(value) : value] as const];
  });
}

/** Reads and validates `scilake.yaml`. Unknown settings are errors: a misspelt one would silently keep its default. */
export function parseConfig(file: TextFile, overrides: Environment = {}): Result<ProjectConfig> {
  const errors: Diagnostic[] = [];
  const document = parseDocument(file.text, { lineCounter: new LineCounter() });
  for (const error of document.errors) {
    errors.push({
      code: 'SL0108',
      severity: 'error',
      message: error.message.split('\n')[0] ?? error.message,
      location: locate(file, { start: error.pos[0], end: error.pos[1] }),
    });
  }
  if (errors.length > 0) return fail(...errors);
  for (const [path, value] of settingsOf(overrides)) document.setIn(path, value);
  const report = (node: Node | undefined, message: string, hint?: string): void => {
    const [start, end] = node?.range ?? [0, 1];
    errors.push({
      code: 'SL0108',
      severity: 'error',
      message,
      location: locate(file, { start, end }),
      ...(hint === undefined ? {} : { hint }),
    });
  };
  if (document.contents !== null && !isMap(document.contents))
    report(document.contents, `${file.path} holds settings, one to a line`);
  const root = new Section(document.contents, '', report);
  const statements = (name: string): readonly SqlText[] => root.texts(name).map((one) => sqlOf(file, one));
  const gateways = root.sections('gateways');
  const gateway = root.text('default_gateway') ?? Object.keys(gateways)[0] ?? 'duckdb';
  const connection = readGateways(gateways, gateway);
  const isSqlmesh = file.path !== CONFIG_FILE;
  const defaultCatalog = connection.catalogs.find((catalog) => catalog.isDefault)?.name;
  const modelDefaults: ModelDefaults = {
    ...readModelDefaults(root.section('model_defaults'), file),
    ...(defaultCatalog === undefined ? {} : { catalog: defaultCatalog.toLowerCase() }),
  };
  const lake = root.section('lake');
  const config: ProjectConfig = {
    name: root.text('name') || (isSqlmesh ? root.text('project') : undefined) || defaultConfig.name,
    modelDefaults,
    lake: {
      catalog: lake.text('catalog') ?? defaultConfig.lake.catalog,
      schema: lake.text('schema') ?? defaultConfig.lake.schema,
      data: lake.text('data') ?? defaultConfig.lake.data,
    },
    tests: root.text('tests') ?? defaultConfig.tests,
    defaultTargetEnvironment: root.text('default_target_environment') ?? defaultConfig.defaultTargetEnvironment,
    gateway,
    variables: { ...root.section('variables').values(), ...gateways[gateway]?.section('variables').values() },
    convert: readConvertSettings(root.section('convert')),
    ingest: readIngestSettings(root.section('ingest')),
    metadata: readMetadataSettings(root.section('metadata')),
    settings: Object.fromEntries(
      Object.entries(root.section('settings').all()).map(([name, value]) => [name, String(value)]),
    ),
    beforeAll: statements('before_all'),
    afterAll: statements('after_all'),
    audits: readAuditSettings(root.section('audits')),
    linter: readLinter(root.section('linter')),
    catalogs: connection.catalogs,
  };
  const problem = catalogProblem(config.lake.catalog);
  if (problem !== undefined) report(lake.keyNode('catalog'), problem.message, problem.hint);
  lake.finish();
  root.ignore('project', 'disable_anonymized_analytics', 'format');
  const left = [...connection.left, ...(isSqlmesh ? sqlmeshLeft(root) : [])];
  root.finish();
  return errors.length > 0 ? fail(...errors) : succeed(config, left.length === 0 ? [] : [leftWarning(file, left)]);
}

/** Why a catalog cannot be kept there. */
function catalogProblem(catalog: string): { readonly message: string; readonly hint: string } | undefined {
  if (/^postgres(?:ql)?:\/\//i.test(catalog)) {
    if (!URL.canParse(catalog) || new URL(catalog).pathname.length < 2)
      return { message: 'this is no address of a database', hint: 'postgres://user@host:5432/database' };
    // Settings are in git, and addresses are shown.
    return new URL(catalog).password === '' && !new URL(catalog).searchParams.has('password')
      ? undefined
      : { message: 'the address of the catalog holds a password', hint: 'give it by PGPASSWORD or ~/.pgpass' };
  }
  if (!/^(?:[a-z]+:|\/\/)/i.test(catalog) || /^[a-z]:[\\/]/i.test(catalog)) return undefined;
  return {
    message: /sqlite/i.test(catalog)
      ? 'a SQLite catalog is refused: a third of concurrent transactions on it fail'
      : 'the catalog is a file or a PostgreSQL database',
    hint: 'give a path such as .scilake/lake/catalog.ducklake, or postgres://user@host:5432/database',
  };
}

function readMetadataSettings(section: Section): MetadataSettings {
  const file = section.text('file') ?? defaultConfig.metadata.file;
  const said = section.text('git') ?? defaultConfig.metadata.git;
  const git = (['commit', 'stage', 'leave'] as const).find((known) => known === said);
  if (git === undefined)
    section.report(section.keyNode('git'), `"metadata.git" is commit, stage or leave, not ${said}`);
  if (file.startsWith('/') || file.split(/[\\/]/).includes('..'))
    section.report(section.keyNode('file'), '"metadata.file" is a path inside the project');
  section.finish();
  return { file, git: git ?? 'leave' };
}

function readConvertSettings(section: Section): ConvertSettings {
  const sortMemoryMb = section.megabytes('sort_memory_mb');
  const memoryMb = section.megabytes('memory_mb');
  const atOnce = section.count('at_once');
  section.finish();
  return {
    ...(sortMemoryMb === undefined ? {} : { sortMemoryMb }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
    ...(atOnce === undefined ? {} : { atOnce }),
  };
}

function readIngestSettings(section: Section): IngestSettings {
  const atOnce = section.count('at_once');
  const bandwidthMb = section.megabytes('bandwidth_mb');
  section.finish();
  return {
    ...(atOnce === undefined ? {} : { atOnce }),
    ...(bandwidthMb === undefined ? {} : { bandwidthMb }),
  };
}

/** Header properties that a project may give all its models, beside those that are read on their own. */
const defaultProperties = [
  'cron_tz',
  'interval_unit',
  'allow_partials',
  'enabled',
  'formatting',
  'optimize_query',
  'table_format',
  'storage_format',
  'physical_properties',
  'virtual_properties',
  'session_properties',
  'audits',
  'gateway',
  'on_destructive_change',
  'on_additive_change',
  'batch_concurrency',
] as const;

function readModelDefaults(section: Section, file: TextFile): ModelDefaults {
  const dialect = section.text('dialect') ?? 'duckdb';
  const start = section.text('start');
  const cron = section.text('cron') ?? '@daily';
  const kind = section.text('kind');
  const problem = cronProblem(cron);
  if (problem !== undefined) section.report(section.keyNode('cron'), `"${cron}" is no cron: ${problem}`);
  const properties: Record<string, Fragment> = {};
  for (const name of defaultProperties) {
    const texts = section.texts(name);
    if (texts.length > 0) properties[name] = fragmentOf(texts.map((one) => one.text));
  }
  const statements = (name: string): readonly SqlText[] => section.texts(name).map((one) => sqlOf(file, one));
  const defaults: ModelDefaults = {
    dialect,
    cron,
    owner: section.text('owner') ?? '',
    ...(start === undefined ? {} : { start }),
    ...(kind === undefined ? {} : { kind }),
    properties,
    preStatements: statements('pre_statements'),
    postStatements: statements('post_statements'),
    onVirtualUpdate: statements('on_virtual_update'),
  };
  section.finish();
  return defaults;
}

/** A setting as it would stand in a header. */
function fragmentOf(texts: readonly string[]): Fragment {
  const [only = ''] = texts;
  const text = texts.length === 1 ? only : `(${texts.join(', ')})`;
  return { file: { path: 'scilake.yaml', text }, tokens: tokenize(text).tokens };
}

/** A statement of the configuration, at its place in the file. */
function sqlOf(file: TextFile, { text, node }: { readonly text: string; readonly node: Node | undefined }): SqlText {
  const [start = 0, end = 1] = node?.range ?? [];
  return { file, span: { start, end }, text: text.trim().replace(/;$/, '') };
}

function readAuditSettings(section: Section): ProjectConfig['audits'] {
  const storeRows = section.count('store_rows', { minimum: 0, maximum: 100_000 }) ?? defaultConfig.audits.storeRows;
  section.finish();
  return { storeRows };
}

function readLinter(section: Section): ProjectConfig['linter'] {
  const rules = (name: string): readonly string[] => section.texts(name).map((one) => one.text.toLowerCase());
  section.ignore('use_project_index');
  const linter = {
    enabled: section.text('enabled') === 'true',
    rules: rules('rules'),
    warnRules: rules('warn_rules'),
    ignoredRules: rules('ignored_rules'),
  };
  section.finish();
  return linter;
}
