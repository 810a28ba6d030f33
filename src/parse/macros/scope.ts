import type { Column } from '../../domain/column.js';
import type { Fragment, Token } from '../../domain/fragment.js';
import type { JinjaRenderer, MacroFunction } from '../../domain/macro.js';

/** A macro written as `@DEF(name, (a, b) -> body)`. */
export interface MacroDefinition {
  readonly parameters: readonly string[];
  /** The body's own text and its tokens, with offsets in that text. */
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Everything that `@` can stand for at one place. */
export interface MacroScope {
  /** SQL by lower-case name. */
  readonly values: ReadonlyMap<string, string>;
  readonly functions: ReadonlyMap<string, MacroFunction>;
  readonly definitions: ReadonlyMap<string, MacroDefinition>;
  /** Columns of a table, where they are known: `@STAR` and `@UNION` ask for them. */
  readonly columnsOf: (table: string) => readonly Column[] | undefined;
  readonly jinja?: JinjaRenderer;
}

/** A scope of variables alone. */
export function scopeOf(values: ReadonlyMap<string, string>): MacroScope {
  return { values, functions: new Map(), definitions: new Map(), columnsOf: () => undefined };
}

/** The scope with more variables, which hide those of the same name. */
export function withValues(scope: MacroScope, values: Iterable<readonly [string, string]>): MacroScope {
  return { ...scope, values: new Map([...scope.values, ...values]) };
}

/** `x -> body` or `(x, y) -> body`; undefined for anything else. */
export function readLambda(
  tokens: Fragment['tokens'],
): { readonly parameters: readonly string[]; readonly body: readonly Token[] } | undefined {
  const arrow = tokens.findIndex((token) => token.text === '->');
  if (arrow < 1) return undefined;
  const head = tokens.slice(0, arrow);
  const isList = head[0]?.text === '(' && head.at(-1)?.text === ')';
  const names = isList ? head.slice(1, -1).filter((token) => token.text !== ',') : head;
  if ((!isList && names.length !== 1) || names.some((token) => token.type !== 'word' && token.type !== 'name'))
    return undefined;
  return { parameters: names.map((token) => token.value.toLowerCase()), body: tokens.slice(arrow + 1) };
}
