import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { asText, type Fragment, insideParentheses, listItems, textOf } from '../domain/fragment.js';
import { locate, type TextFile } from '../domain/location.js';
import type { Audit, AuditArgument, SqlText } from '../domain/model.js';
import { PropertyReader } from '../domain/property-reader.js';
import { type HeaderBlock, splitStatements } from './statements.js';

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
    const next = statements[at + 1];
    const audit = readAudit(file, statement, next?.type === 'sql' ? next.sql : undefined);
    if (audit.ok) audits.push(audit.value);
    else found.push(...audit.errors);
    if (next?.type === 'sql') at++;
  }
  return found.length > 0 ? fail(...found) : succeed(audits);
}

/** Reads one AUDIT block with the query that follows it. */
export function readAudit(file: TextFile, header: HeaderBlock, query: SqlText | undefined): Result<Audit> {
  const properties = new PropertyReader({
    file,
    owner: 'AUDIT',
    ownerSpan: header.nameSpan,
    properties: header.properties,
  });
  const name = properties.required('name', 'AUDIT (name assert_something);');
  const defaults: Record<string, AuditArgument> = {};
  for (const pair of properties.pairs('defaults')) defaults[pair.name.toLowerCase()] = argument(pair.value);
  const audit = {
    name: name === undefined ? '' : asText(name).toLowerCase(),
    defaults,
    blocking: properties.flag('blocking', true),
    skip: properties.flag('skip', false),
    description: properties.text('description') ?? '',
    location: locate(file, header.nameSpan),
  };
  properties.text('dialect');
  properties.text('owner');
  properties.texts('tags');
  if (properties.flag('standalone', false)) {
    properties.report(
      'SL0105',
      header.nameSpan,
      'standalone audits are not supported yet',
      'attach the audit to a model: audits (name)',
    );
  }
  properties.finish();
  if (query === undefined)
    properties.report('SL0107', header.nameSpan, 'this audit has no query', 'write a SELECT that returns the bad rows');
  if (properties.diagnostics.length > 0 || query === undefined) return fail(...properties.diagnostics);
  return succeed({ ...audit, query });
}

function argument(value: Fragment): AuditArgument {
  return insideParentheses(value) === undefined ? textOf(value) : listItems(value).map(textOf);
}
