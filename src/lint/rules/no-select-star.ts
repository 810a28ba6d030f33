import type { BoundModel } from '../../domain/bound-project.js';
import type { Token } from '../../domain/fragment.js';
import { locate } from '../../domain/location.js';
import { ident } from '../../domain/names.js';
import { holdsStar, outermostProjections } from '../../parse/column-comments.js';
import { tokenize } from '../../parse/tokenizer.js';
import type { Fix, LintRule } from '../rule.js';

/** The outermost projections name their columns, also where a star could be expanded. */
export const noSelectStar: LintRule = {
  name: 'noselectstar',
  code: 'SL0901',
  check(bound) {
    const { query } = bound.model;
    if (query === undefined || query.jinja !== undefined) return [];
    const { tokens } = tokenize(query.text);
    const projections = outermostProjections(tokens);
    const star = projections?.find(holdsStar);
    const [first] = tokens;
    const isFromAlone = projections === undefined && first?.text.toUpperCase() === 'FROM';
    const token = star?.find((one) => one.text === '*') ?? star?.[0] ?? (isFromAlone ? first : undefined);
    if (token === undefined) return [];
    const { start } = query.span;
    const fix = star === undefined || projections === undefined ? undefined : expansion(bound, projections, star);
    return [
      {
        message: `${bound.model.key} takes whatever columns there are`,
        location: locate(query.file, { start: start + token.start, end: start + token.end }),
        hint: fix === undefined ? 'name the columns' : 'name the columns; scilake lint --fix does it',
        ...(fix === undefined ? {} : { fix }),
      },
    ];
  },
};

/** The columns that DuckDB finds in place of the star; undefined where the star is more than a star, or not the only one. */
function expansion(
  { model, columns, lineage }: BoundModel,
  projections: readonly (readonly Token[])[],
  star: readonly Token[],
): Fix | undefined {
  const { query } = model;
  const [first] = star;
  const last = star.at(-1);
  const isPlain = star.every((token, at) =>
    at === star.length - 1 ? token.text === '*' : at % 2 === 1 ? token.text === '.' : token.type !== 'symbol',
  );
  const others = projections.filter((projection) => projection !== star);
  const isUnclear = others.some((other) => holdsStar(other) || other.some((token) => token.type === 'macro'));
  const isDistinct = first?.text.toUpperCase() === 'DISTINCT';
  if (query === undefined || first === undefined || last === undefined || !isPlain || isUnclear || isDistinct)
    return undefined;
  if (!lineage.known) return undefined;
  const before = projections.indexOf(star);
  const own = columns.slice(0, columns.length - (model.kind.addedColumns ?? []).length);
  const expanded = own.slice(before, own.length - (projections.length - before - 1));
  if (expanded.length === 0) return undefined;
  const table = query.text.slice(first.start, last.start);
  const { start } = query.span;
  return {
    file: query.file,
    span: { start: start + first.start, end: start + last.end },
    text: expanded.map((column) => `${table}${plainName(column.name)}`).join(', '),
  };
}

function plainName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) ? name : ident(name);
}

/** Words that DuckDB takes for keywords where a column is meant. */
const reserved = new Set(
  'all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default deferrable desc describe distinct do else end except false fetch for foreign from group having in initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer pivot_wider placing primary qualify references returning select show some summarize symmetric table then to trailing true union unique unpivot using variadic when where window with'.split(
    ' ',
  ),
);
