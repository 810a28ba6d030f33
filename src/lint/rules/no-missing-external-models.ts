import type { LintRule } from '../rule.js';

/**
 * Tables that nothing declares. A query over one cannot be bound, so that they are errors (SL0203) with and without the
 * linter; `scilake lint --fix` declares those that the lake has. The rule exists so that a SQLMesh configuration may name it.
 */
export const noMissingExternalModels: LintRule = {
  name: 'nomissingexternalmodels',
  code: 'SL0904',
  check: () => [],
};
