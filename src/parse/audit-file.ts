import { cronProblem } from '../domain/cron.js';
import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import {
  asDottedName,
  asText,
  type Fragment,
  insideParentheses,
  listItems,
  spanOf,
  textOf,
} from '../domain/fragment.js';
import { locate, type TextFile } from '../domain/location.js';
import type { Audit, AuditArgument, DeclaredName, SqlText, StandaloneAudit } from '../domain/model.js';
import { tableKey } from '../domain/names.js';
import { PropertyReader } from '../domain/property-reader.js';
import { isDefinition } from './macros/index.js';
import { type HeaderBlock, type Statement, splitStatements } from './statements.js';

/** Reads a file of the audits folder: one or several `AUDIT (…); SELECT …`. */
export function parseAuditFile(file: TextFile): Result<readonly Audit[]> {
  const { statements, errors } = splitStatements(file);
  const audits: Audit[] = [];
  const found: Diagnostic[] = [...errors];
  for (let at = 0; at < statements.length; at++) {
    const statement = statements[at];
    if (statement === undefined) continue;
    if (statement.type === 'sql' || statement.name !== 'AUDIT') {
      const span =
        statement.type === 'sql'
          ? { start: statement.sql.span.start, end: statement.sql.span.start + 1 }
          : statement.nameSpan;
      found.push({
        code: 'SL0107',
        severity: 'error',
        message: 'expected an AUDIT block',
        location: locate(file, span),
        hint: 'begin it with AUDIT (name assert_something);',
      });
      continue;
    }
    const { last, ...body } = auditBody(statements, at);
    const audit = readAudit(file, statement, body);
    if (audit.ok) audits.push(audit.value);
    else found.push(...audit.errors);
    at = last;
  }
  return found.length > 0 ? fail(...found) : succeed(audits);
}

/** What stands behind an AUDIT block. */
export interface AuditBody {
  readonly definitions: readonly SqlText[];
  readonly query: SqlText | undefined;
}

/** The `@DEF`s and the query that belong to the AUDIT block at an index. @returns also the index of the last of them */
export function auditBody(statements: readonly Statement[], at: number): AuditBody & { readonly last: number } {
  const definitions: SqlText[] = [];
  let last = at;
  for (let next = statements[last + 1]; next?.type === 'sql'; next = statements[last + 1]) {
    last++;
    if (!isDefinition(next.sql)) return { definitions, query: next.sql, last };
    definitions.push(next.sql);
  }
  return { definitions, query: undefined, last };
}

/** Reads one AUDIT block with the query that follows it. */
export function readAudit(file: TextFile, header: HeaderBlock, body: AuditBody): Result<Audit> {
  const properties = new PropertyReader({
    file,
    owner: 'AUDIT',
    ownerSpan: header.nameSpan,
    properties: header.properties,
  });
  const name = properties.required('name', 'AUDIT (name assert_something);');
  const defaults: Record<string, AuditArgument> = {};
  for (const pair of properties.pairs('defaults')) defaults[pair.name.toLowerCase()] = argument(pair.value);
  const standalone = readStandalone(properties);
  const audit = {
    name: name === undefined ? '' : asText(name).toLowerCase(),
    defaults,
    // What stands alone watches; what is asked for by a model guards it.
    blocking: properties.flag('blocking', standalone === undefined),
    skip: properties.flag('skip', false),
    description: properties.text('description') ?? '',
    definitions: body.definitions,
    location: locate(file, header.nameSpan),
    ...(standalone === undefined ? {} : { standalone }),
  };
  const dialect = properties.fragment('dialect');
  if (dialect !== undefined && !['duckdb', ''].includes(asText(dialect).toLowerCase()))
    properties.report(
      'SL0105',
      spanOf(dialect),
      `audits are written in DuckDB's dialect, not ${asText(dialect)}`,
      'translate the query, or leave "dialect" out',
    );
  properties.text('owner');
  properties.texts('tags');
  properties.finish();
  if (body.query === undefined)
    properties.report('SL0107', header.nameSpan, 'this audit has no query', 'write a SELECT that returns the bad rows');
  if (properties.diagnostics.length > 0 || body.query === undefined) return fail(...properties.diagnostics);
  return succeed({ ...audit, query: body.query });
}

/** What only audits that stand alone have: when they are due, and what they read besides what their query shows. */
function readStandalone(properties: PropertyReader): StandaloneAudit | undefined {
  const isStandalone = properties.flag('standalone', false);
  const cron = properties.fragment('cron');
  const expression = cron === undefined ? '@daily' : asText(cron);
  const timeZone = properties.text('cron_tz') ?? 'UTC';
  const problem = cronProblem(expression);
  if (cron !== undefined && problem !== undefined)
    properties.report('SL0105', spanOf(cron), `"${expression}" is no cron: ${problem}`);
  const dependsOn = properties.list('depends_on').flatMap((item): readonly DeclaredName[] => {
    const [schema, table, more] = asDottedName(item)?.map((part) => part.toLowerCase()) ?? [];
    if (schema !== undefined && table !== undefined && more === undefined)
      return [{ key: tableKey({ schema, table }), location: locate(properties.file, spanOf(item)) }];
    properties.report('SL0105', spanOf(item), `"depends_on" lists models as schema.table, not ${textOf(item)}`);
    return [];
  });
  for (const passive of ['interval_unit', 'start', 'end', 'stamp'] as const) properties.text(passive);
  if (isStandalone)
    return {
      cron: { expression: problem === undefined ? expression.trim().toLowerCase() : '@daily', timeZone },
      dependsOn,
    };
  for (const name of ['cron', 'depends_on'] as const) {
    const value = properties.fragment(name);
    if (value !== undefined)
      properties.report(
        'SL0105',
        spanOf(value),
        `"${name}" is for audits that stand alone`,
        'add standalone true, or leave it out: the audit then runs with the models that ask for it',
      );
  }
  return undefined;
}

function argument(value: Fragment): AuditArgument {
  return insideParentheses(value) === undefined ? textOf(value) : listItems(value).map(textOf);
}
