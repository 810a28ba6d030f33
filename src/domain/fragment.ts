import type { Span, TextFile } from './location.js';

/** A piece of a header or a statement as the tokenizer cut it. Comments and white space are not tokens. */
export interface Token {
  /** `word`: bare name or keyword; `name`: "quoted"; `string`: 'quoted' or $tag$quoted$tag$; `macro`: @word or @{word}; `symbol`: anything else. */
  readonly type: 'word' | 'name' | 'string' | 'number' | 'macro' | 'symbol';
  /** Its text in the file. */
  readonly text: string;
  /** Without quotes; the same as `text` for what has none. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A run of tokens: the value of a header property, or a part of one. Never empty. */
export interface Fragment {
  readonly file: TextFile;
  readonly tokens: readonly Token[];
}

export function spanOf(fragment: Fragment): Span {
  return { start: fragment.tokens[0]?.start ?? 0, end: fragment.tokens.at(-1)?.end ?? 0 };
}

/** The fragment as it stands in the file, comments included. */
export function textOf(fragment: Fragment): string {
  const { start, end } = spanOf(fragment);
  return fragment.file.text.slice(start, end);
}

/** The fragment on one line with single blanks, comments dropped: equal for what is written differently only in layout. */
export function canonicalText(fragment: Fragment): string {
  return fragment.tokens.map((token) => (token.type === 'word' ? token.text.toLowerCase() : token.text)).join(' ');
}

const opening: Readonly<Record<string, number>> = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };

/** +1 for an opening bracket, -1 for a closing one, 0 for every other token. */
export function depthChange(token: Token): number {
  return token.type === 'symbol' ? (opening[token.text] ?? 0) : 0;
}

/** Splits at a symbol that stands outside all brackets; empty pieces are dropped (a trailing comma is fine). */
export function splitAt(fragment: Fragment, symbol: string): readonly Fragment[] {
  const pieces: Token[][] = [[]];
  let depth = 0;
  for (const token of fragment.tokens) {
    depth += depthChange(token);
    if (depth === 0 && token.type === 'symbol' && token.text === symbol) pieces.push([]);
    else pieces.at(-1)?.push(token);
  }
  return pieces.filter((tokens) => tokens.length > 0).map((tokens) => ({ file: fragment.file, tokens }));
}

/** What stands between a pair of parentheses that encloses the whole fragment; undefined when none does. An empty pair gives no tokens. */
export function insideParentheses(fragment: Fragment): Fragment | undefined {
  const { tokens, file } = fragment;
  if (tokens[0]?.text !== '(' || tokens.at(-1)?.text !== ')') return undefined;
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    depth += depthChange(token);
    if (depth === 0 && at < tokens.length - 1) return undefined;
  }
  return { file, tokens: tokens.slice(1, -1) };
}

/** The items of a parenthesised list; a value without parentheses is a list of one. `[a, b]` is read like `(a, b)`. */
export function listItems(fragment: Fragment): readonly Fragment[] {
  const inside = insideParentheses(fragment) ?? insideBrackets(fragment);
  return inside === undefined ? [fragment] : splitAt(inside, ',');
}

function insideBrackets(fragment: Fragment): Fragment | undefined {
  const { tokens, file } = fragment;
  return tokens[0]?.text === '[' && tokens.at(-1)?.text === ']' ? { file, tokens: tokens.slice(1, -1) } : undefined;
}

/** `name (…)` or a bare `name`: a kind, an audit with its arguments. */
export interface Call {
  readonly name: string;
  readonly nameSpan: Span;
  readonly arguments: readonly Fragment[];
}

/** Reads `name` or `name (argument, …)`; undefined when the fragment is neither. */
export function asCall(fragment: Fragment): Call | undefined {
  const [first, ...rest] = fragment.tokens;
  if (first === undefined || (first.type !== 'word' && first.type !== 'name' && first.type !== 'string'))
    return undefined;
  const nameSpan = { start: first.start, end: first.end };
  if (rest.length === 0) return { name: first.value, nameSpan, arguments: [] };
  const inside = insideParentheses({ file: fragment.file, tokens: rest });
  if (inside === undefined) return undefined;
  return { name: first.value, nameSpan, arguments: splitAt(inside, ',') };
}

/** A named value: `name := value`, `name = value`, or (in headers) `name value`. */
export interface Pair {
  readonly name: string;
  readonly nameSpan: Span;
  /** Empty when nothing follows the name. */
  readonly value: Fragment;
}

/** Reads a pair; undefined when the fragment does not start with a name. */
export function asPair(fragment: Fragment): Pair | undefined {
  const [first, ...rest] = fragment.tokens;
  if (first === undefined || (first.type !== 'word' && first.type !== 'name' && first.type !== 'string'))
    return undefined;
  const assigned =
    rest[0]?.type === 'symbol' && (rest[0].text === ':=' || rest[0].text === '=' || rest[0].text === '=>');
  return {
    name: first.value,
    nameSpan: { start: first.start, end: first.end },
    value: { file: fragment.file, tokens: assigned ? rest.slice(1) : rest },
  };
}

/** The parts of a dotted name (`a`, `a.b`, `"a b".c`), unquoted; undefined when the fragment is anything else. A quoted string that holds a dotted name counts. */
export function asDottedName(fragment: Fragment): readonly string[] | undefined {
  const only = fragment.tokens.length === 1 ? fragment.tokens[0] : undefined;
  if (only?.type === 'string') return only.value.split('.');
  const parts: string[] = [];
  for (const [at, token] of fragment.tokens.entries()) {
    if (at % 2 === 1) {
      if (token.text !== '.') return undefined;
    } else if (token.type === 'word' || token.type === 'name') parts.push(token.value);
    else return undefined;
  }
  return fragment.tokens.length % 2 === 1 ? parts : undefined;
}

/** A single value as text: a string without its quotes, a word, a number, or the fragment's own text where it is several tokens (`1 year ago`). */
export function asText(fragment: Fragment): string {
  const only = fragment.tokens.length === 1 ? fragment.tokens[0] : undefined;
  return only === undefined ? textOf(fragment) : only.value;
}
