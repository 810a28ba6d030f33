import type { Column } from './column.js';

/** What a user's macro, written in TypeScript, is told besides its arguments. */
export interface MacroContext {
  /** Columns of a model or source table; undefined while they are not known yet (the project is being loaded). */
  columnsOf(table: string): readonly Column[] | undefined;
  /** A variable as SQL text. */
  variable(name: string): string | undefined;
}

/** Renders a Jinja template. @throws Error with what is wrong with it */
export type JinjaRenderer = (template: string, context: Readonly<Record<string, unknown>>) => string;

/** A user's macro: SQL texts in, one text, several (a list of projections, say), or nothing out. */
export type MacroFunction = (
  context: MacroContext,
  given: readonly string[],
  named: Readonly<Record<string, string>>,
) => string | readonly string[] | null | undefined;
