import { depthChange, type Fragment, insideParentheses, type Token } from '../domain/fragment.js';
import { ident } from '../domain/names.js';
import type { PropertyReader } from '../domain/property-reader.js';

/** `WHEN MATCHED [AND condition] THEN UPDATE SET … | DELETE`, in the order in which they are tried. */
export interface MergeClause {
  /** SQL over `target` and `source`; undefined: always. */
  readonly condition: string | undefined;
  readonly action: { readonly type: 'delete' } | { readonly type: 'update'; readonly assignments: string };
}

/** Reads `when_matched (WHEN MATCHED … THEN … WHEN MATCHED …)`. */
export function readMergeClauses(properties: PropertyReader): readonly MergeClause[] {
  const value = properties.fragment('when_matched');
  if (value === undefined) return [];
  const { tokens } = insideParentheses(value) ?? value;
  const clauses: MergeClause[] = [];
  for (const piece of splitClauses(tokens)) {
    const clause = readClause(value, piece);
    if (clause !== undefined) clauses.push(clause);
    else {
      const [first] = piece;
      const last = piece.at(-1);
      properties.report(
        'SL0105',
        { start: first?.start ?? 0, end: last?.end ?? 0 },
        'this is no clause of when_matched',
        'WHEN MATCHED AND source.gone THEN DELETE, or WHEN MATCHED THEN UPDATE SET target.x = source.x',
      );
    }
  }
  return clauses;
}

/** Cuts before each WHEN that belongs to no CASE. */
function splitClauses(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const pieces: Token[][] = [];
  let depth = 0;
  let cases = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    const word = token.type === 'word' ? token.text.toUpperCase() : '';
    if (word === 'CASE') cases++;
    if (word === 'END' && cases > 0) cases--;
    if (depth === 0 && cases === 0 && word === 'WHEN') pieces.push([]);
    if (pieces.length === 0) pieces.push([]);
    pieces.at(-1)?.push(token);
  }
  return pieces.filter((piece) => piece.length > 0);
}

function readClause({ file }: Fragment, tokens: readonly Token[]): MergeClause | undefined {
  const word = (at: number): string => tokens[at]?.text.toUpperCase() ?? '';
  const text = (from: readonly Token[]): string => {
    const last = from.at(-1);
    return from[0] === undefined || last === undefined ? '' : file.text.slice(from[0].start, last.end);
  };
  if (word(0) !== 'WHEN' || word(1) !== 'MATCHED') return undefined;
  const then = indexOfThen(tokens);
  if (then < 0) return undefined;
  const condition = word(2) === 'AND' ? text(tokens.slice(3, then)) : undefined;
  if (condition === undefined && then !== 2) return undefined;
  if (word(then + 1) === 'DELETE' && then + 2 === tokens.length) return { condition, action: { type: 'delete' } };
  if (word(then + 1) !== 'UPDATE' || word(then + 2) !== 'SET') return undefined;
  const assignments = readAssignments(tokens.slice(then + 3), text);
  return assignments === undefined ? undefined : { condition, action: { type: 'update', assignments } };
}

/** The THEN of the clause itself, not one of a CASE in its condition. */
function indexOfThen(tokens: readonly Token[]): number {
  let cases = 0;
  for (const [at, token] of tokens.entries()) {
    const word = token.type === 'word' ? token.text.toUpperCase() : '';
    if (word === 'CASE') cases++;
    else if (word === 'END' && cases > 0) cases--;
    else if (word === 'THEN' && cases === 0) return at;
  }
  return -1;
}

/** `target.x = source.x, …`: the left side names a column of the target, with or without saying so. */
function readAssignments(tokens: readonly Token[], text: (from: readonly Token[]) => string): string | undefined {
  const items: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    if (depth === 0 && token.text === ',') items.push([]);
    else items.at(-1)?.push(token);
  }
  const assignments: string[] = [];
  for (const item of items) {
    const equals = item.findIndex((token) => token.text === '=');
    const column = item[equals - 1];
    const isTarget = equals === 1 || (equals === 3 && item[1]?.text === '.');
    if (column === undefined || !isTarget || equals + 1 >= item.length) return undefined;
    assignments.push(`${ident(column.value)} = ${text(item.slice(equals + 1))}`);
  }
  return assignments.join(', ');
}
