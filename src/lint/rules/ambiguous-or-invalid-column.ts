import type { LintRule } from '../rule.js';

/**
 * Columns that are not there, or are there twice. DuckDB refuses to bind such a query, so that no model with one gets this
 * far: they are errors (SL0202, SL0204) with and without the linter. The rule exists so that a SQLMesh configuration may name it.
 */
export const ambiguousOrInvalidColumn: LintRule = {
  name: 'ambiguousorinvalidcolumn',
  code: 'SL0903',
  check: () => [],
};
