import { depthChange, type Token } from '../domain/fragment.js';
import { tokenize } from './tokenizer.js';

const clauses = new Set([
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'WINDOW',
  'QUALIFY',
  'ORDER',
  'LIMIT',
  'UNION',
  'EXCEPT',
  'INTERSECT',
]);

/**
 * Comments on the projections of a query's outermost SELECT: what stands behind a projection, or behind its comma, on the
 * same line. SQLMesh reads them as descriptions of the columns, and so does Scilake.
 *
 * @returns one entry for each projection, undefined where it has no comment; undefined when the query has no such list,
 *          or a star in it makes the projections uncountable
 */
export function columnComments(sql: string): readonly (string | undefined)[] | undefined {
  if (!sql.includes('--') && !sql.includes('/*')) return undefined;
  const { tokens } = tokenize(sql);
  const projections = outermostProjections(tokens);
  if (projections === undefined || projections.some(holdsStar)) return undefined;
  return projections.map((projection, index) => {
    const end = projection.at(-1)?.end ?? 0;
    const next =
      projections[index + 1]?.[0]?.start ??
      tokens.find((token) => token.start >= end && clauses.has(token.text.toUpperCase()))?.start ??
      sql.length;
    return commentIn(sql.slice(end, next));
  });
}

/** Tokens of each projection of the first SELECT outside all parentheses. */
export function outermostProjections(tokens: readonly Token[]): readonly (readonly Token[])[] | undefined {
  let depth = 0;
  let projections: Token[][] | undefined;
  for (const token of tokens) {
    depth += depthChange(token);
    const word = token.type === 'word' ? token.text.toUpperCase() : '';
    if (depth === 0 && word === 'SELECT' && projections === undefined) projections = [[]];
    else if (projections !== undefined && depth === 0 && clauses.has(word)) break;
    else if (projections !== undefined && depth === 0 && token.text === ',') projections.push([]);
    else projections?.at(-1)?.push(token);
  }
  return projections?.filter((projection) => projection.length > 0);
}

/** `*`, `t.*`, `COLUMNS(…)`: one projection that gives several columns. A product (`a * b`) has something on its left. */
export function holdsStar(projection: readonly Token[]): boolean {
  const [first] = projection;
  const isColumns = first?.type === 'word' && first.text.toUpperCase() === 'COLUMNS';
  return (
    isColumns || projection.some((token, at) => token.text === '*' && (at === 0 || projection[at - 1]?.text === '.'))
  );
}

/** The first comment of a stretch between projections, if it begins on the stretch's first line. */
function commentIn(between: string): string | undefined {
  const line = /^[^\S\n]*,?[^\S\n]*--([^\n]*)/.exec(between)?.[1];
  const block = /^[^\S\n]*,?[^\S\n]*\/\*([\s\S]*?)\*\//.exec(between)?.[1];
  const comment = (line ?? block)?.trim();
  return comment === '' ? undefined : comment;
}
