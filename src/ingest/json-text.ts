import type { JsonPath } from '../domain/api/json-path.js';

/** A value inside a JSON text that JSON.parse has taken: where it stands. Numbers of any length stay as they are written. */
export interface JsonSpan {
  /** Of the first character. */
  readonly start: number;
  /** Behind the last. */
  readonly end: number;
}

export function wholeSpan(text: string): JsonSpan {
  const start = afterSpace(text, 0);
  return { start, end: endOf(text, start) };
}

/** The values of an object with their keys, or none of anything else. */
export function* membersOf(text: string, { start }: JsonSpan): Generator<{ readonly key: string } & JsonSpan> {
  if (text[start] !== '{') return;
  let at = afterSpace(text, start + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const key = stringOf(text.slice(at, keyEnd));
    // Behind the colon.
    const from = afterSpace(text, afterSpace(text, keyEnd) + 1);
    const end = endOf(text, from);
    yield { key, start: from, end };
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
}

/** The items of a list, or none of anything else. */
export function* itemsOf(text: string, { start }: JsonSpan): Generator<JsonSpan> {
  if (text[start] !== '[') return;
  let at = afterSpace(text, start + 1);
  while (text[at] !== ']' && at < text.length) {
    const end = endOf(text, at);
    yield { start: at, end };
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
}

/** Where a path leads; undefined where there is nothing. Of a key that stands twice the last counts, as everywhere. */
export function spanAt(text: string, path: JsonPath, from = wholeSpan(text)): JsonSpan | undefined {
  let found: JsonSpan | undefined = from;
  for (const step of path) {
    if (found === undefined) return undefined;
    let next: JsonSpan | undefined;
    if (typeof step === 'number') {
      let position = 0;
      for (const item of itemsOf(text, found)) {
        if (position === step) next = item;
        position += 1;
      }
    } else for (const member of membersOf(text, found)) if (member.key === step) next = member;
    found = next;
  }
  return found;
}

/** A text, the digits of a number, `true` or `false`; undefined for everything else. */
export function scalarAt(text: string, path: JsonPath): string | undefined {
  const span = spanAt(text, path);
  if (span === undefined) return undefined;
  const raw = text.slice(span.start, span.end);
  if (raw.startsWith('"')) return stringOf(raw);
  return raw === 'null' || /^[[{]/.test(raw) ? undefined : raw;
}

/** A value on one line: without the space between its parts, and otherwise character by character what it was. */
export function onOneLine(text: string, { start, end }: JsonSpan): string {
  const parts: string[] = [];
  let from = start;
  let at = start;
  while (at < end) {
    if (text[at] === '"') at = endOfString(text, at);
    else if (isSpace(text.charCodeAt(at))) {
      parts.push(text.slice(from, at));
      at = afterSpace(text, at);
      from = at;
    } else at += 1;
  }
  parts.push(text.slice(from, end));
  return parts.join('');
}

function stringOf(raw: string): string {
  const value: unknown = JSON.parse(raw);
  return typeof value === 'string' ? value : '';
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the value that begins here. */
function endOf(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  let at = start;
  if (first !== '{' && first !== '[') {
    while (at < text.length && !isSpace(text.charCodeAt(at)) && !',]}'.includes(text[at] ?? '')) at += 1;
    return at;
  }
  let depth = 0;
  do {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

/** Behind the closing quote of a string that begins here. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}
