import type { Token } from '../../domain/fragment.js';
import { hideMacros } from '../hide-macros.js';
import { tokenize } from '../tokenizer.js';
import { commentsIn } from './comments.js';
import { reservedWords } from './reserved.js';

/** Lays out one statement; throws where it cannot read it. */
export type SqlPrinter = (sql: string) => string;

export type FormattedStatement =
  | { readonly type: 'formatted'; readonly sql: string }
  /** The statement stays as it is. */
  | { readonly type: 'kept'; readonly why: string };

/**
 * One statement, laid out by a printer that knows no macros: each stands in its text as a plain name while it works. What
 * comes back must hold the same tokens and comments in the same order; only white space and the case of DuckDB's reserved
 * words may differ.
 */
export function formatStatement(sql: string, print: SqlPrinter): FormattedStatement {
  const before = tokenize(sql);
  if (before.problems.length > 0) return { type: 'kept', why: before.problems[0]?.message ?? '' };
  const { text, stand } = hideMacros(sql, before.tokens);
  let printed: string;
  try {
    printed = print(text);
  } catch (thrown) {
    return { type: 'kept', why: thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown) };
  }
  // Case first: behind it, places in the text still are those of the printer's tokens.
  const cased = withCase(printed, tokenize(text).tokens);
  const aligned = alignComments(cased);
  const shown = [...stand].reduce((whole, [name, macro]) => whole.replace(name, () => macro), aligned).trim();
  const why = difference(sql, shown);
  return why === undefined ? { type: 'formatted', sql: shown } : { type: 'kept', why };
}

/** What is not the same in two texts of a statement, in words; undefined where only the layout differs. */
export function difference(before: string, after: string): string | undefined {
  const [a, b] = [tokenize(before).tokens, tokenize(after).tokens];
  const changed = a.findIndex((token, at) => !isSame(token, b[at], isKeyword(a, at)));
  if (changed >= 0 || a.length !== b.length)
    return `"${a[changed < 0 ? a.length : changed]?.text ?? 'its end'}" would change`;
  const [x, y] = [commentTexts(before, a), commentTexts(after, b)];
  return x.length === y.length && x.every((comment, at) => comment === y[at]) ? undefined : 'a comment would change';
}

function isSame(a: Token, b: Token | undefined, isWord: boolean): boolean {
  if (b === undefined || a.type !== b.type) return false;
  return a.text === b.text || (isWord && a.text.toUpperCase() === b.text);
}

/** Comments with the count of tokens before each, without the layout inside. */
function commentTexts(text: string, tokens: readonly Token[]): readonly string[] {
  const ends = [0, ...tokens.map((token) => token.end)];
  return ends.flatMap((end, at) =>
    commentsIn(text, end, tokens[at]?.start ?? text.length).map(
      (comment) => `${at} ${comment.text.replace(/\s+/g, ' ').trim()}`,
    ),
  );
}

/**
 * The printer's text with the author's words, reserved ones in upper case: a printer may take a column for a keyword. A call
 * stays a call: a printer that does not know the function sets its parenthesis apart.
 */
function withCase(printed: string, written: readonly Token[]): string {
  const { tokens } = tokenize(printed);
  let text = '';
  let copied = 0;
  for (const [at, token] of tokens.entries()) {
    const own = written[at];
    if (own?.text === '(' && isCall(written, at) && printed.slice(copied, token.start) === ' ') copied = token.start;
    if (token.type !== 'word' || own?.type !== 'word' || own.text.toUpperCase() !== token.text.toUpperCase()) continue;
    text += printed.slice(copied, token.start) + (isKeyword(written, at) ? own.text.toUpperCase() : own.text);
    copied = token.end;
  }
  return text + printed.slice(copied);
}

/** Whether a parenthesis stands right behind a word that is no keyword. */
function isCall(tokens: readonly Token[], at: number): boolean {
  const [before, own] = [tokens[at - 1], tokens[at]];
  return before?.type === 'word' && before.end === own?.start && !isKeyword(tokens, at - 1);
}

const joinWords = new Set([
  'LEFT',
  'RIGHT',
  'INNER',
  'FULL',
  'CROSS',
  'OUTER',
  'NATURAL',
  'ASOF',
  'SEMI',
  'ANTI',
  'POSITIONAL',
]);
const comparing = new Set(['LIKE', 'ILIKE', 'BETWEEN', 'SIMILAR', 'GLOB', 'IS', 'ISNULL', 'NOTNULL']);

function isKeyword(tokens: readonly Token[], at: number): boolean {
  const word = upper(tokens[at]);
  const before = tokens[at - 1];
  // After a dot and after AS, any word is a name.
  if (before?.text === '.') return false;
  if (upper(before) === 'AS') return upper(tokens[0]) === 'CREATE' && /^(?:SELECT|WITH)$/.test(word);
  const next = upper(tokens[at + 1]);
  if (reservedWords.has(word)) return true;
  if (word === 'JOIN') return at > 0;
  if (joinWords.has(word)) return next === 'JOIN' || next === 'OUTER' || joinWords.has(next);
  if (word === 'BY') return /^(?:GROUP|ORDER|PARTITION)$/.test(upper(before));
  if (word === 'PARTITION') return next === 'BY';
  if (word === 'OVER') return before?.text === ')';
  if (word === 'FILTER') return before?.text === ')' && tokens[at + 1]?.text === '(';
  if (word === 'EXISTS') return tokens[at + 1]?.text === '(' || /^(?:IF|NOT)$/.test(upper(before));
  if (comparing.has(word)) return isOperand(before) && tokens[at + 1] !== undefined && tokens[at + 1]?.text !== ',';
  return false;
}

function isOperand(token: Token | undefined): boolean {
  return token !== undefined && (token.type !== 'symbol' || token.text === ')' || token.text === ']');
}

function upper(token: Token | undefined): string {
  return token?.type === 'word' ? token.text.toUpperCase() : '';
}

/** Puts comments at the ends of lines that follow each other under each other. */
function alignComments(text: string): string {
  const { tokens } = tokenize(text);
  const ends = [0, ...tokens.map((token) => token.end)];
  const starts = ends.flatMap((end, at) =>
    commentsIn(text, end, tokens[at]?.start ?? text.length)
      .filter((comment) => comment.text.startsWith('--') && comment.breaksBefore === 0 && end > 0)
      .map((comment) => comment.start),
  );
  const byLine = new Map(starts.map((start) => [text.slice(0, start).split('\n').length - 1, start]));
  let offset = 0;
  const lines = text.split('\n').map((line, at) => {
    const start = byLine.get(at);
    const column = start === undefined ? undefined : start - offset;
    offset += line.length + 1;
    return column === undefined
      ? { code: line, comment: undefined }
      : { code: line.slice(0, column).trimEnd(), comment: line.slice(column) };
  });
  return lines
    .map(({ code, comment }, at) => (comment === undefined ? code : `${code.padEnd(runWidth(lines, at))} ${comment}`))
    .join('\n');
}

function runWidth(
  lines: readonly { readonly code: string; readonly comment: string | undefined }[],
  at: number,
): number {
  let [first, last] = [at, at];
  while (lines[first - 1]?.comment !== undefined) first--;
  while (lines[last + 1]?.comment !== undefined) last++;
  return Math.max(...lines.slice(first, last + 1).map(({ code }) => code.length));
}
