import type { LintRule } from './rule.js';
import { ambiguousOrInvalidColumn } from './rules/ambiguous-or-invalid-column.js';
import { invalidSelectStarExpansion } from './rules/invalid-select-star-expansion.js';
import { noAmbiguousProjections } from './rules/no-ambiguous-projections.js';
import { noFileReaders } from './rules/no-file-readers.js';
import { noMissingAudits } from './rules/no-missing-audits.js';
import { noMissingExternalModels } from './rules/no-missing-external-models.js';
import { noMissingUnitTest } from './rules/no-missing-unit-test.js';
import { noSelectStar } from './rules/no-select-star.js';
import { noVolatileFunctions } from './rules/no-volatile-functions.js';

/** Every rule there is: SQLMesh's by its names, then our own. */
export const lintRules: readonly LintRule[] = [
  noSelectStar,
  invalidSelectStarExpansion,
  ambiguousOrInvalidColumn,
  noMissingAudits,
  noMissingUnitTest,
  noMissingExternalModels,
  noAmbiguousProjections,
  noFileReaders,
  noVolatileFunctions,
];
