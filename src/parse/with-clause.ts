import { depthChange, type Token } from '../domain/fragment.js';
import { tokenize } from './tokenizer.js';

/** The WITH clause that a query begins with. */
export interface WithClause {
  /** As written, without quotes, in their order. */
  readonly names: readonly string[];
  /** Where the query behind it starts, in the text. */
  readonly end: number;
}

/** Reads the WITH clause in front of a query; undefined when it begins with something else. */
export function withClause(sql: string): WithClause | undefined {
  const { tokens } = tokenize(sql);
  const isWord = (at: number, word: string): boolean => tokens[at]?.text.toUpperCase() === word;
  if (!isWord(0, 'WITH')) return undefined;
  const names: string[] = [];
  for (let at = isWord(1, 'RECURSIVE') ? 2 : 1; ; ) {
    const name = tokens[at];
    if (name === undefined) return undefined;
    names.push(name.value);
    // Columns and USING KEY may stand between the name and AS.
    for (at++; at < tokens.length && !isWord(at, 'AS'); at++) if (tokens[at]?.text === '(') at = closing(tokens, at);
    for (at++; isWord(at, 'NOT') || isWord(at, 'MATERIALIZED'); ) at++;
    if (tokens[at]?.text !== '(') return undefined;
    at = closing(tokens, at);
    const last = tokens[at];
    if (last === undefined) return undefined;
    if (tokens[at + 1]?.text !== ',') return { names, end: last.end };
    at += 2;
  }
}

/** @returns index of the parenthesis that closes the one at `open`; past the end when none does */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) return at;
  }
  return tokens.length;
}
