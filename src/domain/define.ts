import type { Materialization, ModelCodeContext, ModelCodeResult, Signal } from './code.js';
import type { MacroContext, MacroFunction } from './macro.js';

/** Properties of a header in camel case (`dependsOn`): text as it would stand in a `MODEL` block, lists and pairs as values. */
export interface ModelHeader {
  readonly name: string;
  readonly kind: string;
  /** Types by name: a model in TypeScript declares its columns. */
  readonly columns: Readonly<Record<string, string>>;
  readonly [property: string]: unknown;
}

/** What a file of `models/` exports. */
export interface DefinedModel {
  readonly scilakeModel: true;
  readonly header: ModelHeader;
  readonly run: ModelRun;
}

type ModelRun = (context: ModelCodeContext) => ModelCodeResult | Promise<ModelCodeResult>;

/** A model in TypeScript: its header, and a function that gives SQL or rows for each interval that is built. */
export function defineModel(header: ModelHeader, run: ModelRun): DefinedModel {
  return { scilakeModel: true, header, run };
}

/** A macro in TypeScript: arguments as SQL text in, SQL text out. Named arguments come last, in one object. */
export function defineMacro<Given extends readonly unknown[]>(
  macro: (context: MacroContext, ...given: Given) => ReturnType<MacroFunction>,
): typeof macro {
  return macro;
}

/** What a model may wait for before its intervals are built. */
export function defineSignal(signal: Signal): Signal {
  return signal;
}

/** How a table of kind CUSTOM is filled: gives the statements of one transaction. */
export function defineMaterialization(materialization: Materialization): Materialization {
  return materialization;
}
