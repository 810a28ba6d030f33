import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Audit, AuditArgument, AuditCall } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import { anyRow, parseThreshold, type Threshold } from '../domain/threshold.js';
import { argumentVariables, type MacroScope, renderMacros, withDefinitions, withValues } from './macros/index.js';
import { tokenize } from './tokenizer.js';

/** An audit as a model asks for it. */
export interface AttachedAudit {
  readonly audit: Audit;
  readonly call: AuditCall;
  readonly errorIf: Threshold | undefined;
  readonly warnIf: Threshold;
}

/** Arguments of a call that are no variables of the audit's query. */
const callArguments = ['blocking', 'warn_if', 'error_if'] as const;

/**
 * Pairs the audits that a model asks for with their definitions; the call may overrule `blocking` and say from how many
 * rows on the audit warns or blocks. Skipped ones are left out.
 */
export function attachAudits(
  calls: readonly AuditCall[],
  inline: readonly Audit[],
  known: ReadonlyMap<string, Audit>,
): readonly AttachedAudit[] {
  return calls.flatMap((call) => {
    const audit = inline.find((candidate) => candidate.name === call.name) ?? known.get(call.name);
    if (audit === undefined || audit.skip) return [];
    const overruled = call.arguments.blocking;
    const isBlocking = overruled === undefined ? audit.blocking : bare(overruled).toLowerCase() !== 'false';
    const warnIf = thresholdOf(call, 'warn_if');
    // With a limit for the warning alone, nothing is said about blocking.
    const errorIf = thresholdOf(call, 'error_if') ?? (isBlocking && warnIf === undefined ? anyRow : undefined);
    return [{ audit, call, errorIf, warnIf: warnIf ?? anyRow }];
  });
}

function thresholdOf(call: AuditCall, name: 'warn_if' | 'error_if'): Threshold | undefined {
  const given = call.arguments[name];
  return given === undefined ? undefined : parseThreshold(bare(given));
}

function bare(argument: AuditArgument): string {
  return String(argument).replace(/^'(.*)'$/s, '$1');
}

/** What is wrong with a call that its text alone shows: arguments that are missing, or mean nothing to the audit. */
export function auditCallProblems(
  call: AuditCall,
  audit: Audit,
  scopeOf: () => Pick<MacroScope, 'values' | 'functions' | 'definitions'>,
): Result<undefined> {
  for (const name of ['warn_if', 'error_if'] as const) {
    const given = call.arguments[name];
    if (given !== undefined && parseThreshold(bare(given)) === undefined)
      return fail({
        code: 'SL0805',
        severity: 'error',
        message: `${name} of audit ${call.name} is a number of rows, not ${String(given)}`,
        location: call.location,
        hint: `write ${name} := '>10'`,
      });
  }
  const names = variablesOf(audit);
  const open = names.filter((name) => isEmpty(call.arguments[name] ?? audit.defaults[name]));
  // Most calls give all there is to give, and a scope takes time to set up.
  const scope = open.length === 0 ? undefined : scopeOf();
  const missing = open.filter((name) => scope !== undefined && !isKnown(name, scope));
  if (missing.length > 0) return fail(lacks(call, missing));
  const taken = [...names, ...Object.keys(audit.defaults)];
  const ignored = Object.keys(call.arguments).filter(
    (name) => !taken.includes(name) && !callArguments.some((known) => known === name),
  );
  return succeed(
    undefined,
    ignored.map((name) => ({
      code: 'SL0807',
      severity: 'warning',
      message: `audit ${call.name} does nothing with "${name}"`,
      location: call.location,
      hint: didYouMean(name, [...taken, ...callArguments]) ?? `it takes ${[...new Set(taken)].sort().join(', ')}`,
    })),
  );
}

/** An empty list is no argument; an empty default is one. */
function isEmpty(argument: AuditArgument | undefined): boolean {
  return argument === undefined || (typeof argument !== 'string' && argument.length === 0);
}

function isKnown(
  name: string,
  { values, functions, definitions }: ReturnType<Parameters<typeof auditCallProblems>[2]>,
): boolean {
  return name === 'this_model' || values.has(name) || functions.has(name) || definitions.has(name);
}

function lacks(call: AuditCall, missing: readonly string[]): Diagnostic {
  return {
    code: 'SL0805',
    severity: 'error',
    message: `audit ${call.name} lacks an argument: ${missing.join(', ')}`,
    location: call.location,
    hint: `write ${call.name}(${missing[0]} := …)`,
  };
}

/** Variables that an audit's query names: arguments, and what it takes from the project. */
function variablesOf(audit: Audit): readonly string[] {
  const names = new Set<string>();
  const own = new Set<string>();
  for (const { text } of [...audit.definitions, audit.query]) {
    const { tokens } = tokenize(text);
    for (const [at, token] of tokens.entries()) {
      const next = tokens[at + 1];
      const name = token.text.replace(/[@{}]/g, '').toLowerCase();
      if (next?.text === '->') for (const parameter of parametersBefore(tokens, at)) own.add(parameter);
      if (token.type !== 'macro') continue;
      if (name === 'def' && next?.text === '(') own.add(tokens[at + 2]?.value.toLowerCase() ?? '');
      else if (next?.text !== '(' || next.start !== token.end || token.text.startsWith('@{')) names.add(name);
    }
    // Names inside @'…' and "@…" are found as the expander finds them.
    for (const token of tokens.filter((one) => one.type === 'name' || one.type === 'string'))
      if (token.type === 'name')
        for (const [, name = ''] of token.value.matchAll(/@\{?([\p{L}_][\p{L}\p{N}_]*)/gu))
          names.add(name.toLowerCase());
  }
  return [...names].filter((name) => !own.has(name) && name !== 'this_model');
}

/** The names in front of an arrow, whose last token is at an index. */
function parametersBefore(tokens: ReturnType<typeof tokenize>['tokens'], last: number): readonly string[] {
  if (tokens[last]?.text !== ')') return [tokens[last]?.value.toLowerCase() ?? ''];
  const open = tokens.slice(0, last).findLastIndex((token) => token.text === '(');
  return tokens.slice(open + 1, last).map((token) => token.value.toLowerCase());
}

/**
 * The query of an audit on one table.
 *
 * @param thisModel  SQL that stands for the audited rows: a table's name or a parenthesised SELECT
 * @param scope      variables and macros of the model
 */
export function auditQuery(attached: AttachedAudit, thisModel: string, scope: MacroScope): Result<string> {
  const { audit, call } = attached;
  const given: Readonly<Record<string, AuditArgument>> = { ...audit.defaults, ...call.arguments };
  const problems = auditCallProblems(call, audit, () => scope);
  if (!problems.ok) return problems;
  // Arguments may name variables themselves: condition := ds >= @start_ds. What is unknown there stays, and DuckDB refuses it.
  const filled = [...argumentVariables(given)].map(([name, value]): readonly [string, string] => {
    const argument = renderMacros({ ...audit.query, text: value }, scope);
    return [name, argument.ok ? argument.value.sql : value];
  });
  const variables = withDefinitions(withValues(scope, [...filled, ['this_model', thisModel]]), audit.definitions);
  if (variables.errors.length > 0) return fail(...variables.errors);
  const rendered = renderMacros(audit.query, variables.scope);
  return rendered.ok ? succeed(rendered.value.sql) : rendered;
}
