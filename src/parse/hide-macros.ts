import { depthChange, type Token } from '../domain/fragment.js';
import { tokenize } from './tokenizer.js';

/** The statement with a name in place of each macro. */
export function withoutMacros(sql: string): string {
  return hideMacros(sql, tokenize(sql).tokens).text;
}

export interface Hidden {
  readonly text: string;
  /** Names that stand for macros. */
  readonly stand: ReadonlyMap<string, string>;
}

/** Puts a name in place of each macro, of its length: lines break where they would with the macro itself. */
export function hideMacros(sql: string, tokens: readonly Token[]): Hidden {
  const stand = new Map<string, string>();
  let prefix = 'mac';
  while (sql.toLowerCase().includes(prefix)) prefix += 'x';
  let text = '';
  let copied = 0;
  for (let at = 0; at < tokens.length; at++) {
    const end = macroEnd(tokens, at);
    const [first, last] = [tokens[at], tokens[end - 1]];
    if (end === at || first === undefined || last === undefined) continue;
    const macro = sql.slice(first.start, last.end);
    const length = (macro.split('\n')[0] ?? '').length;
    const name = `${prefix}${stand.size}_`.padEnd(Math.min(length, 60), 'x');
    stand.set(name, macro);
    text += sql.slice(copied, first.start) + name;
    copied = last.end;
    at = end - 1;
  }
  return { text: text + sql.slice(copied), stand };
}

/** Index behind the macro that begins at an index, with names that touch it and the arguments of a call; the same index where none does. */
function macroEnd(tokens: readonly Token[], start: number): number {
  let end = start;
  let hasMacro = false;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    const before = tokens[at - 1];
    if (token === undefined || (at > start && token.start !== before?.end)) break;
    const isQuotedMacro =
      token.text === '@' && /^['"]/.test(tokens[at + 1]?.text ?? '') && tokens[at + 1]?.start === token.end;
    if (token.type === 'macro' || isQuotedMacro) {
      hasMacro = true;
      end = isQuotedMacro ? at + 2 : at + 1;
      if (isQuotedMacro) at++;
      else if (tokens[at + 1]?.text === '(' && tokens[at + 1]?.start === token.end) {
        end = closing(tokens, at + 1) + 1;
        at = end - 1;
      }
    } else if (token.type === 'word' || token.type === 'number' || (hasMacro && token.text === '.')) end = at + 1;
    else break;
  }
  return hasMacro ? end : start;
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) return at;
  }
  return tokens.length - 1;
}
