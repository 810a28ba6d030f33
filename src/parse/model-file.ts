import type { ModelCode } from '../domain/code.js';
import { cronProblem, intervalUnitOf, isTimeZone } from '../domain/cron.js';
import { type Diagnostic, fail, gather, type Result, succeed } from '../domain/diagnostic.js';
import { asCall, asDottedName, asText, spanOf, textOf } from '../domain/fragment.js';
import { type IntervalUnit, intervalUnits, unitMs } from '../domain/interval.js';
import type { ModelKind } from '../domain/kind.js';
import { locate, type TextFile } from '../domain/location.js';
import type { Audit, Model } from '../domain/model.js';
import { type TableName, tableKey } from '../domain/names.js';
import { didYouMean } from '../domain/near-miss.js';
import type { ModelDefaults } from '../domain/project.js';
import { PropertyReader } from '../domain/property-reader.js';
import { findKind, kinds } from '../kinds/index.js';
import { auditBody, readAudit } from './audit-file.js';
import { dialectName, isKnownDialect, knownDialects } from './dialects.js';
import { readBlueprints } from './header-macros.js';
import { type MacroScope, scopeOf } from './macros/index.js';
import {
  readAuditCalls,
  readColumns,
  readDeclared,
  readGrains,
  readPassive,
  readSignals,
  withoutCatalog,
} from './model-properties.js';
import { placeStatements } from './place-statements.js';
import { type HeaderBlock, type SqlStatement, splitStatements } from './statements.js';

/** Properties that change what is built and that Scilake does not build yet: ignoring them would be a wrong result. */
const unsupportedProperties = ['physical_version', 'virtual_environment_mode'] as const;

/**
 * Reads one file of the models folder: its model with the statements around the query, and audits written in it; one
 * model for each of its blueprints.
 *
 * @param scope variables that the header may name
 */
export function parseModelFile(
  file: TextFile,
  defaults: ModelDefaults,
  scope: MacroScope = scopeOf(new Map()),
): Result<readonly Model[]> {
  const blueprints = readBlueprints(file, scope);
  if (!blueprints.ok) return blueprints;
  const models = gather(
    blueprints.value.map((blueprint) => {
      const read = parseOneModel(blueprint.file, defaults);
      if (!read.ok) return read;
      return succeed(
        read.value.map((model): Model => ({ ...model, blueprint: blueprint.values })),
        read.warnings,
      );
    }),
  );
  return models.ok ? succeed(models.value.flat(), models.warnings) : models;
}

/** A model written in TypeScript: its header as it would stand in a SQL file, and its body. */
export function parseCodeModel(header: TextFile, code: ModelCode, defaults: ModelDefaults): Result<readonly Model[]> {
  return parseOneModel(header, defaults, code);
}

function parseOneModel(file: TextFile, defaults: ModelDefaults, code?: ModelCode): Result<readonly Model[]> {
  const { statements, errors } = splitStatements(file);
  const headers = statements.filter((statement): statement is HeaderBlock => statement.type === 'header');
  const found: Diagnostic[] = [...errors];
  const header = headers.find((block) => block.name === 'MODEL');
  if (header === undefined) {
    if (errors.length === 0 && headers.length === 0) {
      found.push({
        code: 'SL0107',
        severity: 'error',
        message: 'this file has no MODEL block',
        location: locate(file, { start: 0, end: 1 }),
        hint: 'begin it with MODEL (name schema.table, kind FULL);',
      });
    }
    return found.length > 0 ? fail(...found) : succeed([]);
  }
  for (const other of headers.filter((block) => block !== header && block.name !== 'AUDIT')) {
    found.push({
      code: 'SL0106',
      severity: 'error',
      message: `a model file holds one MODEL block, this is a second ${other.name}`,
      location: locate(file, other.nameSpan),
    });
  }
  const { sql, inlineAudits, auditErrors } = assignStatements(file, statements);
  found.push(...auditErrors);
  return readModel({ header, sql, inlineAudits, defaults, found, code });
}

function assignStatements(
  file: TextFile,
  statements: ReturnType<typeof splitStatements>['statements'],
): {
  readonly sql: readonly SqlStatement[];
  readonly inlineAudits: readonly Audit[];
  readonly auditErrors: readonly Diagnostic[];
} {
  const sql: SqlStatement[] = [];
  const inlineAudits: Audit[] = [];
  const auditErrors: Diagnostic[] = [];
  for (let at = 0; at < statements.length; at++) {
    const statement = statements[at];
    if (statement?.type === 'sql') sql.push(statement);
    else if (statement?.name === 'AUDIT') {
      const { last, ...body } = auditBody(statements, at);
      const audit = readAudit(file, statement, body);
      if (audit.ok) inlineAudits.push(audit.value);
      else auditErrors.push(...audit.errors);
      at = last;
    }
  }
  return { sql, inlineAudits, auditErrors };
}

interface ModelParts {
  readonly header: HeaderBlock;
  readonly sql: readonly SqlStatement[];
  readonly inlineAudits: readonly Audit[];
  readonly defaults: ModelDefaults;
  readonly found: Diagnostic[];
  readonly code: ModelCode | undefined;
}

function readModel({ header, sql, inlineAudits, defaults, found, code }: ModelParts): Result<readonly Model[]> {
  const { file } = header;
  const properties = new PropertyReader({
    file,
    owner: 'MODEL',
    ownerSpan: header.nameSpan,
    properties: header.properties,
    defaults: defaults.properties,
  });
  const name = readName(properties, defaults.catalog);
  const kind = readKind(properties, defaults);
  const enabled = properties.flag('enabled', true);
  const { cron, intervalUnit, allowPartials } = readSchedule(properties, defaults);
  const placed = placeStatements(sql, kind, properties, code !== undefined);
  const statements = {
    ...placed,
    preStatements: [...defaults.preStatements, ...placed.preStatements],
    postStatements: [...placed.postStatements, ...defaults.postStatements],
    onVirtualUpdate: [...placed.onVirtualUpdate, ...defaults.onVirtualUpdate],
  };
  const start = properties.text('start') ?? defaults.start;
  const end = properties.text('end');
  const stamp = properties.text('stamp');
  const hasSources = properties.fragment('sources') !== undefined;
  const dialect = properties.text('dialect') ?? defaults.dialect;
  const foreign = readDialect(properties, dialect);
  for (const unsupported of unsupportedProperties) {
    const value = properties.fragment(unsupported);
    if (value !== undefined)
      properties.report(
        'SL0105',
        spanOf(value),
        `"${unsupported}" is not supported yet`,
        'remove it; the result without it would not be what it asks for',
      );
  }
  const partitionedBy = properties.list('partitioned_by').map(textOf);
  if (kind.needsPartitions === true && partitionedBy.length === 0) {
    properties.report(
      'SL0104',
      header.nameSpan,
      `kind ${kind.name} needs "partitioned_by"`,
      'name the columns or expressions by which rows are replaced: partitioned_by (cluster)',
    );
  }
  const model: Model = {
    name,
    key: tableKey(name),
    location: locate(file, header.nameSpan),
    file,
    kind,
    ...(foreign === undefined ? {} : { dialect: foreign }),
    ...statements,
    blueprint: {},
    cron,
    intervalUnit,
    allowPartials,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(stamp === undefined ? {} : { stamp }),
    ...(code === undefined ? {} : { code }),
    declaredColumns: readColumns(properties),
    columnDescriptions: Object.fromEntries(
      properties.pairs('column_descriptions').map((pair) => [pair.name.toLowerCase(), asText(pair.value)]),
    ),
    renamedColumns: Object.fromEntries(
      properties.pairs('renamed_columns').map((pair) => [pair.name.toLowerCase(), asText(pair.value).toLowerCase()]),
    ),
    grains: readGrains(properties),
    audits: readAuditCalls(properties),
    signals: readSignals(properties),
    inlineAudits,
    dependsOn: readDeclared(properties, 'depends_on', defaults.catalog),
    ...(hasSources ? { declaredSources: readDeclared(properties, 'sources') } : {}),
    partitionedBy,
    clusteredBy: properties.list('clustered_by').map(textOf),
    description: properties.text('description') ?? '',
    owner: properties.text('owner') ?? defaults.owner,
    tags: properties.texts('tags'),
    otherProperties: readPassive(properties),
  };
  properties.finish();
  const diagnostics = [...found, ...properties.diagnostics];
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return { ok: false, errors: diagnostics };
  return succeed(enabled ? [model] : [], diagnostics);
}

/** The dialect that statements have to be translated from; undefined for DuckDB's own. */
function readDialect(properties: PropertyReader, text: string): string | undefined {
  const dialect = dialectName(text);
  if (dialect === 'duckdb') return undefined;
  if (isKnownDialect(dialect)) return dialect;
  const written = properties.fragment('dialect');
  const span = written === undefined ? properties.ownerSpan : spanOf(written);
  properties.report('SL0105', span, `there is no dialect "${text}"`, didYouMean(dialect, knownDialects));
  return undefined;
}

function readName(properties: PropertyReader, catalog: string | undefined): TableName {
  const value = properties.required('name', 'MODEL (name schema.table, …)');
  if (value === undefined) return { schema: '', table: '' };
  const parts = withoutCatalog(asDottedName(value), catalog);
  const [schema, table, extra] = parts ?? [];
  if (schema !== undefined && table !== undefined && extra === undefined) return { schema, table };
  const hint = parts?.length === 3 ? 'leave the catalog out: a project has one lake' : 'write it as schema.table';
  properties.report('SL0105', spanOf(value), `a model's name has two parts, not ${textOf(value)}`, hint);
  return { schema: schema ?? '', table: table ?? '' };
}

function readKind(properties: PropertyReader, defaults: ModelDefaults): ModelKind {
  const value = properties.fragment('kind');
  const call = value === undefined ? undefined : asCall(value);
  const span = value === undefined ? properties.ownerSpan : (call?.nameSpan ?? spanOf(value));
  const name = call?.name ?? (value === undefined ? (defaults.kind ?? 'VIEW') : textOf(value));
  const known = findKind(name);
  if (known === undefined || (value !== undefined && call === undefined)) {
    const names = kinds.map((kind) => kind.names[0]);
    properties.report(
      'SL0105',
      span,
      `there is no kind "${name}"`,
      didYouMean(name, names) ?? `known are ${names.join(', ')}`,
    );
  }
  const definition = known ?? findKind('VIEW');
  if (definition === undefined) throw new Error('the registry of kinds has no VIEW');
  const own = new PropertyReader({
    file: properties.file,
    owner: `kind ${definition.names[0]}`,
    ownerSpan: span,
    properties: call?.arguments ?? [],
    defaults: defaults.properties,
  });
  own.text('dialect');
  const kind = definition.read(own);
  if (known !== undefined) {
    own.finish();
    properties.adopt(own.diagnostics);
  }
  return kind;
}

function readSchedule(
  properties: PropertyReader,
  defaults: ModelDefaults,
): Pick<Model, 'cron' | 'intervalUnit' | 'allowPartials'> {
  const written = properties.fragment('cron');
  const expression = written === undefined ? defaults.cron : asText(written);
  const problem = cronProblem(expression);
  if (problem !== undefined)
    properties.report(
      'SL0105',
      written === undefined ? properties.ownerSpan : spanOf(written),
      `"${expression}" is no cron: ${problem}`,
    );
  const zone = properties.fragment('cron_tz');
  const timeZone = zone === undefined ? 'UTC' : asText(zone);
  if (zone !== undefined && !isTimeZone(timeZone))
    properties.report(
      'SL0105',
      spanOf(zone),
      `"${timeZone}" is no time zone`,
      'give its IANA name, such as Europe/Warsaw',
    );
  const cron = {
    expression: problem === undefined ? expression.trim().toLowerCase() : '@daily',
    timeZone: isTimeZone(timeZone) ? timeZone : 'UTC',
  };
  const allowPartials = properties.flag('allow_partials', false);
  const inferred = intervalUnitOf(cron);
  const unit: IntervalUnit = properties.oneOf('interval_unit', intervalUnits, inferred);
  const unitFragment = properties.fragment('interval_unit');
  if (unitFragment !== undefined && unitMs(unit) > unitMs(inferred) && !allowPartials) {
    properties.report(
      'SL0105',
      spanOf(unitFragment),
      `interval_unit ${unit} is longer than the period of cron ${expression}`,
      'shorten it, or set allow_partials true',
    );
  }
  return { cron, intervalUnit: unit, allowPartials };
}
