import { columnMacros } from './column-macros.js';
import { listMacros } from './list-macros.js';
import type { BuiltInMacro } from './macro-call.js';
import { queryMacros } from './query-macros.js';

/** By upper-case name: what SQLMesh has, with the same arguments. */
export const builtInMacros: Readonly<Record<string, BuiltInMacro>> = {
  ...listMacros,
  ...columnMacros,
  ...queryMacros,
};
