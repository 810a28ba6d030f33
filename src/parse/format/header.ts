import { depthChange, type Token } from '../../domain/fragment.js';
import { type Comment, commentLines, commentsIn } from './comments.js';

const WIDTH = 100;
const INDENT = '  ';

/** One property of a block, with the comments that belong to it. */
interface Property {
  readonly leading: readonly Comment[];
  readonly lines: readonly string[];
  trailing: Comment | undefined;
}

/**
 * A header block with one property on each line. Lists that are too long, and lists of several calls, get a line for each
 * item. A property with comments inside stays as its author laid it out.
 *
 * @param tokens of the block: its name, a parenthesis, the properties, a parenthesis
 */
export function formatHeader(text: string, tokens: readonly Token[]): string {
  const [name, open] = tokens;
  const close = tokens.at(-1);
  if (name === undefined || open === undefined || close === undefined) throw new Error('a header block has brackets');
  const properties: Property[] = [];
  let from = open.end;
  let pending: readonly Comment[] = [];
  const takeGap = (end: number): void => {
    const comments = commentsIn(text, from, end);
    const last = properties.at(-1);
    const [first, ...rest] = comments;
    // What stands behind a property on its own line belongs to it.
    const isTrailing = first !== undefined && first.breaksBefore === 0 && last !== undefined && pending.length === 0;
    if (isTrailing && last.trailing === undefined) {
      last.trailing = first;
      pending = rest;
    } else pending = [...pending, ...comments];
  };
  for (const { items, end } of propertiesOf(tokens.slice(2, -1), close.start)) {
    const [first] = items;
    const last = items.at(-1);
    if (first === undefined || last === undefined) continue;
    takeGap(first.start);
    properties.push({ leading: pending, lines: propertyLines(text, items), trailing: undefined });
    pending = [];
    from = last.end;
    if (end > last.end) takeGap(end);
    from = end;
  }
  takeGap(close.start);
  return [`${name.text.toUpperCase()} (`, ...drawn(properties), ...commentLines(pending, INDENT), ')'].join('\n');
}

function drawn(properties: readonly Property[]): readonly string[] {
  const ending = (at: number): string => (at < properties.length - 1 ? ',' : '');
  const lengths = properties.map(({ lines, trailing }, at) =>
    trailing === undefined ? 0 : `${lines.at(-1) ?? ''}${ending(at)}`.length,
  );
  const width = Math.max(0, ...lengths);
  return properties.flatMap(({ leading, lines, trailing }, at) => {
    const last = `${lines.at(-1) ?? ''}${ending(at)}`;
    const closing = trailing === undefined ? last : `${last.padEnd(width)} ${trailing.text}`;
    return [...commentLines(leading, INDENT), ...lines.slice(0, -1), closing];
  });
}

/** The tokens of each property, and where its comma (or the block) ends. */
function propertiesOf(
  tokens: readonly Token[],
  blockEnd: number,
): readonly { readonly items: readonly Token[]; readonly end: number }[] {
  const found: { items: Token[]; end: number }[] = [{ items: [], end: blockEnd }];
  let depth = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    const current = found.at(-1);
    if (depth === 0 && token.text === ',' && current !== undefined) {
      current.end = token.end;
      found.push({ items: [], end: blockEnd });
    } else current?.items.push(token);
  }
  return found;
}

function propertyLines(text: string, tokens: readonly Token[]): readonly string[] {
  const [first, ...rest] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return [];
  const hasComments = rest.some((token, at) => commentsIn(text, tokens[at]?.end ?? 0, token.start).length > 0);
  if (hasComments) return [`${INDENT}${text.slice(first.start, last.end)}`];
  const name = first.type === 'word' ? { ...first, text: first.text.toLowerCase() } : first;
  return broken(text, [name, ...rest], { indent: INDENT, isProperty: true });
}

interface Placed {
  readonly indent: string;
  /** Its first word is a property's name, which stands apart from a list. */
  readonly isProperty: boolean;
}

/** On one line where that fits, else with the last list broken up. */
function broken(text: string, tokens: readonly Token[], { indent, isProperty }: Placed): readonly string[] {
  const flat = `${indent}${flatText(text, tokens, isProperty)}`;
  const list = lastList(tokens);
  if (list === undefined) return [flat];
  const isMany = list.items.filter((item) => item.some((token) => token.text === '(')).length > 1;
  if (flat.length <= WIDTH && !isMany) return [flat];
  const head = `${indent}${flatText(text, list.head, isProperty)}`;
  const items = list.items.flatMap((item, at) => {
    const lines = broken(text, item, { indent: `${indent}${INDENT}`, isProperty: false });
    const comma = at < list.items.length - 1 ? ',' : '';
    return [...lines.slice(0, -1), `${lines.at(-1) ?? ''}${comma}`];
  });
  return [head, ...items, `${indent})`];
}

/** A value that ends with a parenthesised list of several items: what stands before it, bracket included, and the items. */
function lastList(
  tokens: readonly Token[],
): { readonly head: readonly Token[]; readonly items: readonly (readonly Token[])[] } | undefined {
  if (tokens.at(-1)?.text !== ')') return undefined;
  let depth = 0;
  let open = tokens.length - 1;
  for (; open >= 0; open--) {
    const token = tokens[open];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) break;
  }
  if (open < 0) return undefined;
  const items: Token[][] = [[]];
  depth = 0;
  for (const token of tokens.slice(open + 1, -1)) {
    depth += depthChange(token);
    if (depth === 0 && token.text === ',') items.push([]);
    else items.at(-1)?.push(token);
  }
  const whole = items.filter((item) => item.length > 0);
  return whole.length === 0 ? undefined : { head: tokens.slice(0, open + 1), items: whole };
}

/** Tokens on one line, spaced as their author did, with single blanks. */
function flatText(text: string, tokens: readonly Token[], isProperty: boolean): string {
  return tokens
    .map((token, at) => {
      const before = tokens[at - 1];
      return before === undefined
        ? token.text
        : `${blank(text, { before, token, isFirst: isProperty && at === 1 })}${token.text}`;
    })
    .join('');
}

function blank(
  text: string,
  { before, token, isFirst }: { readonly before: Token; readonly token: Token; readonly isFirst: boolean },
): string {
  if (/^[,)\]}]$/.test(token.text) || /^[([{]$/.test(before.text)) return '';
  if (before.text === ',' || before.text === ':=' || token.text === ':=') return ' ';
  if (isFirst && before.type === 'word' && token.text === '(') return ' ';
  return /\s/.test(text.slice(before.end, token.start)) ? ' ' : '';
}
