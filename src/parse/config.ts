import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { cronProblem } from '../domain/cron.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { locate, type TextFile } from '../domain/location.js';
import { PROD } from '../domain/names.js';
import { didYouMean } from '../domain/near-miss.js';
import type { ConvertSettings, ModelDefaults, ProjectConfig } from '../domain/project.js';

/** What a project without `scilake.yaml` gets. */
export const defaultConfig: ProjectConfig = {
  name: 'scilake',
  modelDefaults: { dialect: 'duckdb', cron: '@daily', owner: '' },
  lake: { catalog: '.scilake/lake/catalog.ducklake', data: '.scilake/lake/data' },
  tests: 'tests',
  defaultTargetEnvironment: PROD,
  variables: {},
  convert: {},
  settings: {},
};

type Scalar = string | number | boolean;

/** One mapping of the file: hands out its values by name and reports the names that nobody asked for. */
class Section {
  readonly #entries = new Map<string, { readonly key: Node; readonly value: unknown }>();
  readonly #asked = new Set<string>();
  readonly #report: (node: Node | undefined, message: string, hint?: string) => void;
  readonly #path: string;

  constructor(node: unknown, path: string, report: Section['report']) {
    this.#report = report;
    this.#path = path;
    if (!isMap(node)) return;
    for (const pair of node.items) {
      if (isScalar(pair.key)) this.#entries.set(String(pair.key.value), { key: pair.key, value: pair.value });
    }
  }

  get report(): (node: Node | undefined, message: string, hint?: string) => void {
    return this.#report;
  }

  section(name: string): Section {
    this.#asked.add(name);
    const entry = this.#entries.get(name);
    if (entry !== undefined && !isMap(entry.value))
      this.#report(entry.key, `"${this.#path}${name}" holds settings, one to a line`);
    return new Section(entry?.value, `${this.#path}${name}.`, this.#report);
  }

  value(name: string): Scalar | undefined {
    this.#asked.add(name);
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const raw = isScalar(entry.value) ? entry.value.value : undefined;
    if (typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean') return raw;
    this.#report(entry.key, `"${this.#path}${name}" is a single value`);
    return undefined;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : String(value);
  }

  megabytes(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= 1 && value <= 1 << 20) return value;
    this.#report(this.keyNode(name), `"${this.#path}${name}" is a number of megabytes, at least 1`);
    return undefined;
  }

  count(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1024) return value;
    this.#report(this.keyNode(name), `"${this.#path}${name}" is a whole number of at least 1`);
    return undefined;
  }

  keyNode(name: string): Node | undefined {
    return this.#entries.get(name)?.key;
  }

  /** All values of a section whose names are the user's own. */
  all(): Readonly<Record<string, Scalar>> {
    const values: Record<string, Scalar> = {};
    for (const name of this.#entries.keys()) {
      const value = this.value(name);
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  finish(): void {
    for (const [name, { key }] of this.#entries) {
      if (this.#asked.has(name)) continue;
      const hint = didYouMean(name, this.#asked) ?? `known here are ${[...this.#asked].sort().join(', ')}`;
      this.#report(key, `unknown setting "${this.#path}${name}"`, hint);
    }
  }
}

/** Reads and validates `scilake.yaml`. Unknown settings are errors: a misspelt one would silently keep its default. */
export function parseConfig(file: TextFile): Result<ProjectConfig> {
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
    report(document.contents, 'scilake.yaml holds settings, one to a line');
  const root = new Section(document.contents, '', report);
  const modelDefaults = readModelDefaults(root.section('model_defaults'));
  const lake = root.section('lake');
  const config: ProjectConfig = {
    name: root.text('name') ?? defaultConfig.name,
    modelDefaults,
    lake: {
      catalog: lake.text('catalog') ?? defaultConfig.lake.catalog,
      data: lake.text('data') ?? defaultConfig.lake.data,
    },
    tests: root.text('tests') ?? defaultConfig.tests,
    defaultTargetEnvironment: root.text('default_target_environment') ?? defaultConfig.defaultTargetEnvironment,
    variables: root.section('variables').all(),
    convert: readConvertSettings(root.section('convert')),
    settings: Object.fromEntries(
      Object.entries(root.section('settings').all()).map(([name, value]) => [name, String(value)]),
    ),
  };
  if (/^(?:[a-z]+:|\/\/)/i.test(config.lake.catalog) && !/^[a-z]:[\\/]/i.test(config.lake.catalog)) {
    const isSqlite = /sqlite/i.test(config.lake.catalog);
    report(
      lake.keyNode('catalog'),
      isSqlite
        ? 'a SQLite catalog is refused: a third of concurrent transactions on it fail'
        : 'the catalog is a file path in this version',
      'give a path such as .scilake/lake/catalog.ducklake',
    );
  }
  lake.finish();
  root.finish();
  return errors.length > 0 ? fail(...errors) : succeed(config);
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

function readModelDefaults(section: Section): ModelDefaults {
  const dialect = section.text('dialect') ?? 'duckdb';
  const start = section.text('start');
  const cron = section.text('cron') ?? '@daily';
  const kind = section.text('kind');
  const problem = cronProblem(cron);
  if (problem !== undefined) section.report(section.keyNode('cron'), `"${cron}" is no cron: ${problem}`);
  const defaults = {
    dialect,
    cron,
    owner: section.text('owner') ?? '',
    ...(start === undefined ? {} : { start }),
    ...(kind === undefined ? {} : { kind }),
  };
  section.finish();
  return defaults;
}
