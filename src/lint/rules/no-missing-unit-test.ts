import type { LintRule } from '../rule.js';

/** Every model with a query has a unit test. */
export const noMissingUnitTest: LintRule = {
  name: 'nomissingunittest',
  code: 'SL0906',
  check({ model }, { testedModels }) {
    if (model.query === undefined || testedModels.has(model.key)) return [];
    return [
      {
        message: `${model.key} has no unit test`,
        location: model.location,
        hint: `scilake create_test ${model.key} writes one`,
      },
    ];
  },
};
