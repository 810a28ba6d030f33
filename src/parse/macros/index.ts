import { type Diagnostic, fail, type Result, succeed } from '../../domain/diagnostic.js';
import { locate } from '../../domain/location.js';
import type { SqlText } from '../../domain/model.js';
import { tokenize } from '../tokenizer.js';
import { MacroExpander } from './expand.js';
import { originsOf, textOfPieces } from './pieces.js';
import { renderTemplate } from './render-jinja.js';
import { type MacroDefinition, type MacroScope, readLambda, withValues } from './scope.js';

export type { MacroDefinition, MacroScope } from './scope.js';
export { scopeOf, withValues } from './scope.js';
export { argumentVariables, bindingInterval, configVariables, timeVariables } from './time-variables.js';

/** Jinja first, then the macros in what it gives. Places in the result lead to the beginning of the block. */
function renderJinja(sql: SqlText, template: string, scope: MacroScope): Result<Rendered> {
  const text = renderTemplate(sql, template, scope);
  if (!text.ok) return text;
  const { jinja: _, ...plain } = sql;
  const rendered = renderMacros({ ...plain, text: text.value.trim() }, scope);
  return rendered.ok ? succeed({ ...rendered.value, originOf: () => 0 }) : rendered;
}

export interface Rendered {
  readonly sql: string;
  /** Offset in the author's statement where an offset of the rendered text comes from. */
  readonly originOf: (renderedOffset: number) => number;
  /** Names of the macros and variables used, lower case, sorted. */
  readonly used: readonly string[];
  /** A macro needed columns that are not known yet: render again once they are. */
  readonly needsColumns: boolean;
}

/**
 * Replaces `@name`, `@{name}`, `@'…'` and `@MACRO(…)`; everything else, comments included, stays as the author wrote it.
 * What a macro expands to leads back to the place of its call, what it only passes on to its own place.
 *
 * @source the macros of SQLMesh 0.236 (`core/macros.py`), over text in place of a syntax tree
 */
export function renderMacros(sql: SqlText, scope: MacroScope): Result<Rendered> {
  if (sql.jinja !== undefined) return renderJinja(sql, sql.jinja, scope);
  if (!sql.text.includes('@')) {
    const originOf = (offset: number): number => (sql.isTranslated === true ? 0 : offset);
    return succeed({ sql: sql.text, originOf, used: [], needsColumns: false });
  }
  const expander = new MacroExpander(sql, scope);
  const pieces = expander.expand();
  if (expander.errors.length > 0) return fail(...expander.errors);
  return succeed({
    sql: textOfPieces(pieces),
    originOf: sql.isTranslated === true ? () => 0 : originsOf(pieces),
    used: [...expander.used].sort(),
    needsColumns: expander.needsColumns,
  });
}

/** True where there is nothing to fill in. */
export function isPlain(sql: SqlText): boolean {
  return sql.jinja === undefined && !sql.text.includes('@');
}

/** True for `@DEF(…)`, which is a definition and no statement to run. */
export function isDefinition(sql: SqlText): boolean {
  return /^@DEF\s*\(/i.test(sql.text);
}

/**
 * The scope with what `@DEF(name, value)` and `@DEF(name, (a, b) -> body)` define, in order; a later one sees those before it.
 *
 * @returns the scope, and what is wrong with definitions that are left out of it
 */
export function withDefinitions(
  scope: MacroScope,
  definitions: readonly SqlText[],
): { readonly scope: MacroScope; readonly errors: readonly Diagnostic[] } {
  const errors: Diagnostic[] = [];
  let current = scope;
  for (const definition of definitions) {
    const { tokens } = tokenize(definition.text);
    const name = tokens[2];
    const comma = tokens[3];
    const last = tokens.at(-1);
    const isWhole = (name?.type === 'word' || name?.type === 'name') && comma?.text === ',' && last?.text === ')';
    if (!isWhole || tokens.length < 6) {
      errors.push({
        code: 'SL0206',
        severity: 'error',
        message: 'a definition is @DEF(name, value) or @DEF(name, (a, b) -> body)',
        location: locate(definition.file, definition.span),
      });
      continue;
    }
    const key = name.value.toLowerCase();
    const lambda = readLambda(tokens.slice(4, -1));
    if (lambda !== undefined) {
      current = {
        ...current,
        definitions: new Map([...current.definitions, [key, bodyOf(definition.text, lambda, last.start)]]),
      };
      continue;
    }
    const start = tokens[4]?.start ?? 0;
    const value: SqlText = {
      file: definition.file,
      span: { start: definition.span.start + start, end: definition.span.start + last.start },
      text: definition.text.slice(start, last.start),
    };
    const rendered = renderMacros(value, current);
    if (rendered.ok) current = withValues(current, [[key, rendered.value.sql.trim()]]);
    else errors.push(...rendered.errors);
  }
  return { scope: current, errors };
}

function bodyOf(text: string, lambda: NonNullable<ReturnType<typeof readLambda>>, end: number): MacroDefinition {
  const start = lambda.body[0]?.start ?? end;
  const body = text.slice(start, end);
  return { parameters: lambda.parameters, text: body, tokens: tokenize(body).tokens };
}
