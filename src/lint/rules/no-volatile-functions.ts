import { locate } from '../../domain/location.js';
import { tokenize } from '../../parse/tokenizer.js';
import type { LintRule } from '../rule.js';

/** A query gives the same rows when it runs again on the same data. */
export const noVolatileFunctions: LintRule = {
  name: 'novolatilefunctions',
  code: 'SL0909',
  check({ model, lineage }) {
    const { query } = model;
    if (query === undefined || !lineage.known || lineage.print.volatile.length === 0) return [];
    const names = lineage.print.volatile;
    const { start } = query.span;
    const token = tokenize(query.text).tokens.find((one) => names.includes(one.text.toLowerCase()));
    const span =
      token === undefined ? { start, end: start + 1 } : { start: start + token.start, end: start + token.end };
    return [
      {
        message: `${model.key} calls ${names.join(', ')}: it gives other rows each time`,
        location: locate(query.file, span),
        hint: 'take times from @execution_ts, @start_ts and @end_ts, and draw samples with a seed or by a hash',
      },
    ];
  },
};
