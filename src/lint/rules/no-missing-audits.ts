import type { LintRule } from '../rule.js';

/** Every model with rows has an audit. */
export const noMissingAudits: LintRule = {
  name: 'nomissingaudits',
  code: 'SL0905',
  check({ model }) {
    if (model.audits.length > 0 || model.kind.storage === 'inline' || model.kind.storage === 'outside') return [];
    return [
      {
        message: `${model.key} has no audit`,
        location: model.location,
        hint: 'say what must hold: audits (not_null(columns := (id)))',
      },
    ];
  },
};
