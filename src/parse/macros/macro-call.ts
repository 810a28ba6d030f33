import type { Column } from '../../domain/column.js';
import type { Constant } from './constant-expression.js';
import type { Pieces } from './pieces.js';
import type { MacroScope } from './scope.js';

/** A macro was used otherwise than it can be. */
export class MacroProblem extends Error {
  override readonly name = 'MacroProblem';
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export type MacroArgument =
  | { readonly type: 'sql'; readonly pieces: Pieces }
  | { readonly type: 'lambda'; readonly apply: (item: Pieces | readonly Pieces[]) => Pieces | undefined };

export interface MacroCall {
  readonly given: readonly MacroArgument[];
  /** By lower-case name. */
  readonly named: ReadonlyMap<string, Pieces>;
  /** Where the call stands. */
  readonly origin: number;
  readonly scope: MacroScope;
  /** A text with `@x` in it replaced by bare values. */
  filled(text: string): string;
  /** @throws NotConstantError */
  constant(text: string): Constant;
  columnsOf(table: string): readonly Column[] | undefined;
}

/** Gives one text, several (items of a list), or nothing. */
export type BuiltInMacro = (call: MacroCall) => Pieces | readonly Pieces[] | undefined;

/** The arguments that are SQL. @throws MacroProblem when one is a lambda */
export function sqlArguments(call: MacroCall): readonly Pieces[] {
  return call.given.map((one) => {
    if (one.type === 'lambda') throw new MacroProblem('takes SQL here, not a lambda');
    return one.pieces;
  });
}

/** An argument by name or by place. */
export function argument(call: MacroCall, name: string, at: number): Pieces | undefined {
  return call.named.get(name) ?? sqlArguments(call)[at];
}

export function requiredArgument(call: MacroCall, name: string, at: number): Pieces {
  const found = argument(call, name, at);
  if (found === undefined) throw new MacroProblem(`lacks its argument "${name}"`);
  return found;
}
