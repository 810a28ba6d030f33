import { locate } from '../../domain/location.js';
import { holdsStar, outermostProjections } from '../../parse/column-comments.js';
import { tokenize } from '../../parse/tokenizer.js';
import type { Finding, LintRule } from '../rule.js';

/** Every outermost projection has a name that its author gave it, not one that DuckDB made of an expression. Two of one name are an error anyway (SL0207). */
export const noAmbiguousProjections: LintRule = {
  name: 'noambiguousprojections',
  code: 'SL0907',
  check({ model, columns }) {
    const { query } = model;
    const projections = query === undefined ? undefined : outermostProjections(tokenize(query.text).tokens);
    if (query === undefined || projections === undefined || query.jinja !== undefined) return [];
    // A star or a macro may give several columns: the others can no longer be told by their places.
    if (projections.some((one) => holdsStar(one) || one.some((token) => token.type === 'macro'))) return [];
    return projections.flatMap((projection, at): readonly Finding[] => {
      const name = columns[at]?.name ?? '';
      const [first] = projection;
      const last = projection.at(-1);
      const isNamed = projection.some((token) => token.text.toUpperCase() === 'AS' || token.text === ':');
      const isOwn = last?.type === 'name' || /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name);
      if (first === undefined || last === undefined || isNamed || isOwn) return [];
      const { start } = query.span;
      return [
        {
          message: `a projection of ${model.key} has no name; DuckDB calls it ${name}`,
          location: locate(query.file, { start: start + first.start, end: start + last.end }),
          hint: 'name it with AS',
        },
      ];
    });
  },
};
