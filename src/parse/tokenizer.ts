import type { Token } from '../domain/fragment.js';
import type { Span } from '../domain/location.js';

/** Something that starts and never ends. */
export interface LexicalProblem {
  readonly span: Span;
  readonly message: string;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  readonly problems: readonly LexicalProblem[];
}

const space = /\s+/y;
const lineComment = /--[^\n]*/y;
const number = /(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?/y;
const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const macro = /@(?:\{[\p{L}_][\p{L}\p{N}_]*\}|[\p{L}_][\p{L}\p{N}_]*)/uy;
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const doubled = /:=|=>|->|::|\|\||<=|>=|<>|!=/y;

/**
 * Cuts DuckDB SQL (and header blocks) into tokens: quoted names and strings with doubled quotes, `E'…'` escapes,
 * `$tag$…$tag$`, nested block comments, `@macros`. It decides no grammar; DuckDB does that.
 */
export function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  const problems: LexicalProblem[] = [];
  const push = (type: Token['type'], start: number, end: number, value?: string): void => {
    const piece = text.slice(start, end);
    tokens.push({ type, text: piece, value: value ?? piece, start, end });
  };
  let at = 0;
  const matches = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : -1;
  };
  while (at < text.length) {
    const start = at;
    const char = text[at] ?? '';
    let end = matches(space);
    if (end < 0) end = matches(lineComment);
    if (end > 0) {
      at = end;
      continue;
    }
    if (text.startsWith('/*', at)) {
      at = endOfComment(text, at);
      if (at < 0) {
        problems.push({ span: { start, end: start + 2 }, message: 'this comment is never closed' });
        at = text.length;
      }
    } else if (char === "'" || ((char === 'E' || char === 'e') && text[at + 1] === "'")) {
      const escapes = char !== "'";
      const open = escapes ? at + 1 : at;
      at = endOfQuoted(text, open, "'", escapes);
      if (at < 0) {
        problems.push({ span: { start, end: start + 1 }, message: 'this string is never closed' });
        at = text.length;
      }
      push('string', start, at, text.slice(open + 1, at - 1).replaceAll("''", "'"));
    } else if (char === '"') {
      at = endOfQuoted(text, at, '"', false);
      if (at < 0) {
        problems.push({ span: { start, end: start + 1 }, message: 'this quoted name is never closed' });
        at = text.length;
      }
      push('name', start, at, text.slice(start + 1, at - 1).replaceAll('""', '"'));
    } else if (char === '$' && matches(dollarTag) > 0) {
      const bodyStart = matches(dollarTag);
      const tag = text.slice(at, bodyStart);
      const close = text.indexOf(tag, bodyStart);
      if (close < 0) problems.push({ span: { start, end: bodyStart }, message: `this ${tag} string is never closed` });
      at = close < 0 ? text.length : close + tag.length;
      push('string', start, at, text.slice(bodyStart, close < 0 ? text.length : close));
    } else {
      at = matches(word);
      if (at > 0) push('word', start, at);
      else {
        at = start;
        const endOfNumber = /[\d.]/.test(char) ? matches(number) : -1;
        const endOfMacro = char === '@' ? matches(macro) : -1;
        const type = endOfNumber > 0 ? 'number' : endOfMacro > 0 ? 'macro' : 'symbol';
        // Exactly one of the three is positive where a token longer than one character stands.
        at = Math.max(endOfNumber, endOfMacro, type === 'symbol' ? matches(doubled) : -1, start + 1);
        push(type, start, at);
      }
    }
  }
  return { tokens, problems };
}

function endOfQuoted(text: string, open: number, quote: string, escapes: boolean): number {
  for (let at = open + 1; at < text.length; at++) {
    if (escapes && text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return -1;
}

/** DuckDB follows PostgreSQL: block comments nest. */
function endOfComment(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length - 1; at++) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth++;
      at++;
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}
