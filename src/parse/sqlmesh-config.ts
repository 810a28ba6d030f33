import type { Diagnostic } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import { locate, type TextFile } from '../domain/location.js';
import type { AttachedCatalog } from '../domain/project.js';
import type { Section } from './config-section.js';

/** A setting of SQLMesh that is not followed. */
export interface LeftSetting {
  readonly name: string;
  readonly effect: 'none' | 'lost';
}

/** Root settings of SQLMesh 0.236 that change nothing here: how its own state, screens and workers are set up. */
const withoutEffect = [
  'project',
  'default_scheduler',
  'default_test_connection',
  'users',
  'username',
  'ui',
  'log_limit',
  'cache_dir',
  'migration',
  'infer_python_dependencies',
  'physical_table_naming_convention',
  'disable_anonymized_analytics',
  'format',
  'snapshot_ttl',
  'environment_ttl',
  'janitor',
  'pinned_environments',
] as const;

/** Root settings of SQLMesh 0.236 that ask for something which Scilake does not do. */
const lost = [
  'default_connection',
  'notification_targets',
  'ignore_patterns',
  'time_column_format',
  'loader',
  'loader_kwargs',
  'env_vars',
  'physical_schema_mapping',
  'environment_suffix_target',
  'environment_catalog_mapping',
  'virtual_environment_mode',
  'gateway_managed_virtual_layer',
  'cicd_bot',
  'run',
  'plan',
  'model_naming',
  'dbt',
] as const;

/** What a file of SQLMesh sets at its root and Scilake does not follow. The names count as known from here on. */
export function sqlmeshLeft(root: Section): readonly LeftSetting[] {
  root.ignore(...withoutEffect, ...lost);
  const given = new Set(root.names);
  return [
    ...withoutEffect.filter((name) => given.has(name)).map((name) => ({ name, effect: 'none' as const })),
    ...lost.filter((name) => given.has(name)).map((name) => ({ name, effect: 'lost' as const })),
  ];
}

/** One warning for all of them. */
export function leftWarning(file: TextFile, left: readonly LeftSetting[]): Diagnostic {
  const named = (effect: LeftSetting['effect']): string =>
    left
      .filter((setting) => setting.effect === effect)
      .map((setting) => setting.name)
      .join(', ');
  const parts = [
    ...(named('none') === '' ? [] : [`these change nothing here: ${named('none')}`]),
    ...(named('lost') === '' ? [] : [`these do not carry over: ${named('lost')}`]),
  ];
  return {
    code: 'SL0132',
    severity: 'warning',
    message: `settings of SQLMesh in ${file.path}: ${parts.join('; ')}`,
    location: locate(file, { start: 0, end: 1 }),
    hint: 'docs/sqlmesh.md says for each what there is instead',
  };
}

/** `{{ env_var('NAME', 'default') }}`, the only Jinja that settings need. */
export function withVariables(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    /\{\{\s*env_var\(\s*(['"])(\w+)\1\s*(?:,\s*(['"])(.*?)\3\s*)?\)\s*\}\}/g,
    (_, _quote, name: string, _other, fallback: string | undefined) => variables[name] ?? fallback ?? '',
  );
}

interface Connection {
  readonly catalogs: readonly AttachedCatalog[];
  readonly left: readonly LeftSetting[];
}

/** Settings of a DuckDB connection that mean nothing for files that are only read. */
const idle = ['type', 'concurrent_tasks', 'register_comments', 'pre_ping', 'pretty_sql', 'shared_connection'];

/** The DuckDB files of the chosen gateway's connection. Other gateways count for their variables only. */
export function readGateways(gateways: Readonly<Record<string, Section>>, chosen: string): Connection {
  const catalogs: AttachedCatalog[] = [];
  const left: LeftSetting[] = [];
  for (const [gateway, section] of Object.entries(gateways)) {
    const hasDefaults = section.names.includes('model_defaults');
    section.ignore('connection', 'state_connection', 'test_connection', 'scheduler', 'state_schema', 'variables');
    section.ignore('model_defaults');
    const path = `gateways.${gateway}`;
    if (hasDefaults) left.push({ name: `${path}.model_defaults`, effect: 'lost' });
    if (gateway === chosen && section.names.includes('connection')) {
      const values = section.section('connection').values();
      const type = String(values.type ?? 'duckdb').toLowerCase();
      if (type === 'duckdb') catalogs.push(...catalogsOf(values, left, path));
      else left.push({ name: `${path}.connection of type ${type}`, effect: 'lost' });
    }
    section.finish();
  }
  return { catalogs, left };
}

function catalogsOf(
  values: Readonly<Record<string, unknown>>,
  left: LeftSetting[],
  gateway: string,
): readonly AttachedCatalog[] {
  const known = new Set([...idle, 'database', 'catalogs']);
  for (const [name, value] of Object.entries(values)) {
    const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
    if (!known.has(name) && !isEmpty) left.push({ name: `${gateway}.connection.${name}`, effect: 'lost' });
  }
  const { database, catalogs } = values;
  const named: readonly (readonly [string, unknown])[] = isRecord(catalogs)
    ? Object.entries(catalogs)
    : typeof database === 'string'
      ? [[stemOf(database), database]]
      : [];
  return named.flatMap(([name, value], at) => {
    const file = typeof value === 'string' ? value : isRecord(value) ? value.path : undefined;
    const type = isRecord(value) && typeof value.type === 'string' ? value.type.toLowerCase() : 'duckdb';
    if (typeof file !== 'string' || file === '' || file === ':memory:') return [];
    // Other systems need an extension, a server or a token each: said, not tried.
    if (type !== 'duckdb' || /^[a-z]{2,}:/i.test(file)) {
      left.push({ name: `${gateway}.connection: catalog ${name}`, effect: 'lost' });
      return [];
    }
    return [{ name, path: file, isDefault: at === 0 }];
  });
}

/** DuckDB calls a database after its file. */
function stemOf(file: string): string {
  return (file.split(/[\\/]/).at(-1) ?? file).replace(/\.[^.]*$/, '');
}
