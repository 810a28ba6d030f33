import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import {
  asPair,
  depthChange,
  type Fragment,
  insideParentheses,
  listItems,
  splitAt,
  type Token,
  textOf,
} from '../domain/fragment.js';
import { locate, type TextFile } from '../domain/location.js';
import { type MacroScope, renderMacros, withValues } from './macros/index.js';
import { bareText } from './macros/pieces.js';
import { tokenize } from './tokenizer.js';

/** A file as one of the models that it stands for. */
export interface Blueprint {
  /** The same lines, with variables of the header filled in. */
  readonly file: TextFile;
  /** The blueprint's variables as SQL, by lower-case name. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * The models that a file stands for: one for each entry of `blueprints (…)`, itself where it has none. Variables in the header
 * are filled in; what only a run can say (`@start_ds` in an audit's condition) stays.
 */
export function readBlueprints(file: TextFile, scope: MacroScope): Result<readonly Blueprint[]> {
  // The MODEL block is nearly always free of macros, and so is nearly every file.
  if (!file.text.includes('@') && !/\bblueprints\b/i.test(file.text)) return succeed([{ file, values: {} }]);
  const { tokens } = tokenize(file.text);
  const header = headerTokens(tokens);
  if (header === undefined) return succeed([{ file, values: {} }]);
  const listed = splitAt({ file, tokens: header.slice(2, -1) }, ',').find(isBlueprints);
  if (listed === undefined) {
    return succeed([{ file: filledFile(file, header, scope), values: {} }]);
  }
  const entries = blueprintEntries(listed, scope);
  if (!entries.ok) return entries;
  return succeed(
    entries.value.map((values) => ({
      file: filledFile(file, header, withValues(scope, Object.entries(values)), spanOfTokens(listed.tokens)),
      values,
    })),
  );
}

function isBlueprints(property: Fragment): boolean {
  return property.tokens[0]?.text.toLowerCase() === 'blueprints';
}

/** `MODEL ( … )` with its brackets; undefined where there is none. */
function headerTokens(tokens: readonly Token[]): readonly Token[] | undefined {
  const start = tokens.findIndex(
    (token, at) => token.type === 'word' && token.text.toUpperCase() === 'MODEL' && tokens[at + 1]?.text === '(',
  );
  if (start < 0) return undefined;
  let depth = 0;
  for (let at = start + 1; at < tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) return tokens.slice(start, at + 1);
  }
  return undefined;
}

function blueprintEntries(property: Fragment, scope: MacroScope): Result<readonly Readonly<Record<string, string>>[]> {
  const { file } = property;
  const value: Fragment = { file, tokens: property.tokens.slice(1) };
  const span = spanOfTokens(value.tokens);
  const problem = (message: string): Diagnostic => ({
    code: 'SL0105',
    severity: 'error',
    message,
    location: locate(file, span),
    hint: 'blueprints ((name := a, id := 1), (name := b, id := 2))',
  });
  if (value.tokens.length === 0) return fail(problem('"blueprints" lists the models that the file stands for'));
  // A macro may make the list; what it makes is read like what is written.
  const rendered = renderMacros({ file, span, text: textOf(value) }, scope);
  if (!rendered.ok) return rendered;
  const text = rendered.value.sql;
  const made: Fragment = { file: { path: file.path, text }, tokens: tokenize(text).tokens };
  const inside = insideParentheses(made);
  const isList = inside !== undefined && inside.tokens[0]?.text === '(';
  const items = value.tokens[0]?.type === 'macro' && !isList ? splitAt(made, ',') : isList ? listItems(made) : [made];
  const entries: Record<string, string>[] = [];
  const errors: Diagnostic[] = [];
  for (const item of items) {
    const entry: Record<string, string> = {};
    for (const part of listItems(item)) {
      const pair = asPair(part);
      if (pair === undefined || pair.value.tokens.length === 0)
        errors.push(problem(`"${textOf(part)}" names no variable`));
      else entry[pair.name.toLowerCase()] = textOf(pair.value);
    }
    entries.push(entry);
  }
  return errors.length > 0 ? fail(...errors) : succeed(entries);
}

/** The file with the header's variables replaced, on the same lines: what stands below keeps its place. */
function filledFile(
  file: TextFile,
  header: readonly Token[],
  scope: MacroScope,
  removed?: { readonly start: number; readonly end: number },
): TextFile {
  let text = '';
  let copied = 0;
  for (const [at, token] of header.entries()) {
    if (token.start < copied) continue;
    if (removed !== undefined && token.start === removed.start) {
      const comma = header[header.findIndex((one) => one.start >= removed.end)];
      const end = comma?.text === ',' ? comma.end : removed.end;
      text += file.text.slice(copied, removed.start) + file.text.slice(removed.start, end).replace(/[^\n]/g, ' ');
      copied = end;
      continue;
    }
    if (token.type !== 'macro') continue;
    const replacement = headerValue(header, at, file, scope);
    if (replacement === undefined) continue;
    text += file.text.slice(copied, token.start) + replacement.text;
    copied = replacement.end;
  }
  return copied === 0 ? file : { path: file.path, text: text + file.text.slice(copied) };
}

function headerValue(
  header: readonly Token[],
  at: number,
  file: TextFile,
  scope: MacroScope,
): { readonly text: string; readonly end: number } | undefined {
  const token = header[at];
  if (token === undefined) return undefined;
  const value = scope.values.get(token.text.replace(/[@{}]/g, '').toLowerCase());
  if (value !== undefined) return { text: token.text.startsWith('@{') ? bareText(value) : value, end: token.end };
  if (header[at + 1]?.text !== '(' || header[at + 1]?.start !== token.end) return undefined;
  let depth = 0;
  for (let close = at + 1; close < header.length; close++) {
    const inner = header[close];
    if (inner !== undefined) depth += depthChange(inner);
    if (depth !== 0 || inner === undefined) continue;
    const span = { start: token.start, end: inner.end };
    const rendered = renderMacros({ file, span, text: file.text.slice(span.start, span.end) }, scope);
    return rendered.ok ? { text: rendered.value.sql, end: inner.end } : undefined;
  }
  return undefined;
}

function spanOfTokens(tokens: readonly Token[]): { readonly start: number; readonly end: number } {
  return { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0 };
}
