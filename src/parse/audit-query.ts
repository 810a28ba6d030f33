import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import type { Audit, AuditArgument, AuditCall } from '../domain/model.js';
import { argumentVariables, type MacroScope, renderMacros, withValues } from './macros/index.js';

/** An audit as a model asks for it. */
export interface AttachedAudit {
  readonly audit: Audit;
  readonly call: AuditCall;
  readonly isBlocking: boolean;
}

/** Pairs the audits that a model asks for with their definitions; the call may overrule `blocking`. Skipped ones are left out. */
export function attachAudits(
  calls: readonly AuditCall[],
  inline: readonly Audit[],
  known: ReadonlyMap<string, Audit>,
): readonly AttachedAudit[] {
  return calls.flatMap((call) => {
    const audit = inline.find((candidate) => candidate.name === call.name) ?? known.get(call.name);
    if (audit === undefined || audit.skip) return [];
    const overruled = call.arguments.blocking;
    return [
      {
        audit,
        call,
        isBlocking: overruled === undefined ? audit.blocking : String(overruled).toLowerCase() !== 'false',
      },
    ];
  });
}

/** `@any(columns, @item IS NULL)` and `@list(columns)`: how the built-in audits spread a list argument. */
const spread = /@any\((\w+),\s*((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)|@list\((\w+)\)/g;

/**
 * The query of an audit on one table.
 *
 * @param thisModel  SQL that stands for the audited rows: a table's name or a parenthesised SELECT
 * @param scope      variables and macros of the model
 */
export function auditQuery(attached: AttachedAudit, thisModel: string, scope: MacroScope): Result<string> {
  const given: Readonly<Record<string, AuditArgument>> = { ...attached.audit.defaults, ...attached.call.arguments };
  const missing = new Set<string>();
  const itemsOf = (name: string): readonly string[] => {
    const value = given[name];
    if (value === undefined) missing.add(name);
    return value === undefined ? ['NULL'] : typeof value === 'string' ? [value] : value;
  };
  const text = attached.audit.query.text.replace(
    spread,
    (_, any: string | undefined, pattern: string, list: string | undefined) =>
      any === undefined
        ? itemsOf(list ?? '').join(', ')
        : `(${itemsOf(any)
            .map((item) => pattern.replaceAll('@item', () => item))
            .join(' OR ')})`,
  );
  // Arguments may name variables themselves: condition := ds >= @start_ds. What is unknown there stays, and DuckDB refuses it.
  const filled = [...argumentVariables(given)].map(([name, value]): readonly [string, string] => {
    const argument = renderMacros({ ...attached.audit.query, text: value }, scope);
    return [name, argument.ok ? argument.value.sql : value];
  });
  const variables = withValues(scope, [...filled, ['this_model', thisModel]]);
  const rendered = renderMacros({ ...attached.audit.query, text }, variables);
  if (missing.size === 0 && rendered.ok) return succeed(rendered.value.sql);
  const errors: readonly Diagnostic[] = rendered.ok ? [] : rendered.errors;
  const missed = missing.size > 0 ? [...missing].join(', ') : errors.map((error) => error.message).join('; ');
  return fail({
    code: 'SL0805',
    severity: 'error',
    message: `audit ${attached.call.name} lacks an argument: ${missed}`,
    location: attached.call.location,
    hint: `write ${attached.call.name}(${[...missing][0] ?? 'column'} := …)`,
  });
}
