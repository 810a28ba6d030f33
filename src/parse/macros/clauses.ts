import { depthChange, type Token } from '../../domain/fragment.js';

/** `@WHERE(condition) …` and the like: the keyword that stands there when the condition holds. */
export const clauseKeywords: Readonly<Record<string, string>> = {
  WITH: 'WITH',
  JOIN: 'JOIN',
  WHERE: 'WHERE',
  GROUP_BY: 'GROUP BY',
  HAVING: 'HAVING',
  ORDER_BY: 'ORDER BY',
  LIMIT: 'LIMIT',
};

export const clauseMacroNames: ReadonlySet<string> = new Set(Object.keys(clauseKeywords));

const clauseWords = new Set([
  'WHERE',
  'GROUP',
  'HAVING',
  'WINDOW',
  'QUALIFY',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'UNION',
  'EXCEPT',
  'INTERSECT',
]);
const joinWords = new Set([
  'JOIN',
  'LEFT',
  'RIGHT',
  'FULL',
  'INNER',
  'OUTER',
  'CROSS',
  'SEMI',
  'ANTI',
  'NATURAL',
  'ASOF',
  'POSITIONAL',
]);
const queryWords = new Set([
  'SELECT',
  'FROM',
  'VALUES',
  'PIVOT',
  'UNPIVOT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'TABLE',
]);

/** @returns index of the token before which a clause that began at `from` ends */
export function clauseEnd(tokens: readonly Token[], from: number, clause: string): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    depth += depthChange(token);
    if (depth < 0 || (depth === 0 && token.text === ';')) return at;
    if (depth !== 0 || token.text === ')') continue;
    const word = token.type === 'word' ? token.text.toUpperCase() : '';
    if (clause === 'WITH') {
      if (queryWords.has(word)) return at;
      continue;
    }
    const previous = tokens[at - 1]?.text.toUpperCase();
    const isClause = clauseWords.has(word) && !(word === 'GROUP' && previous === 'WITHIN');
    const macro = token.type === 'macro' ? token.text.slice(1).toUpperCase() : '';
    const isJoin = joinWords.has(word) && tokens[at + 1]?.text !== '(';
    if (isClause || clauseMacroNames.has(macro) || (clause === 'JOIN' && isJoin)) return at;
  }
  return tokens.length;
}

/** @returns the length of a text without the words at its end that say what kind of join follows */
export function withoutJoinWords(text: string): number {
  const words = [...joinWords].filter((word) => word !== 'JOIN').join('|');
  return text.replace(new RegExp(`(?:\\s+(?:${words}))+\\s*$`, 'i'), ' ').length;
}
