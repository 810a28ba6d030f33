import { locate } from '../../domain/location.js';
import { holdsStar, outermostProjections } from '../../parse/column-comments.js';
import { tokenize } from '../../parse/tokenizer.js';
import type { LintRule } from '../rule.js';

/** A star stands only over tables whose columns are known: over others, what it gives changes with a file. */
export const invalidSelectStarExpansion: LintRule = {
  name: 'invalidselectstarexpansion',
  code: 'SL0902',
  check({ model, lineage, columns }) {
    const { query } = model;
    if (query === undefined || (lineage.known && columns.length > 0)) return [];
    const star = outermostProjections(tokenize(query.text).tokens)?.find(holdsStar)?.[0];
    if (star === undefined) return [];
    const start = query.span.start + star.start;
    return [
      {
        message: `what the star of ${model.key} stands for is known only when it runs`,
        location: locate(query.file, { start, end: query.span.start + star.end }),
        hint: 'declare the columns of what it reads, as a source or in external_models.yaml, or name them here',
      },
    ];
  },
};
