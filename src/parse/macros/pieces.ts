import { tokenize } from '../tokenizer.js';

/** A stretch of text with the place in the author's statement that it comes from. */
export interface Piece {
  readonly text: string;
  /** UTF-16 offset in the author's statement. */
  readonly origin: number;
  /** Copied letter by letter: an offset inside leads to the same letter there. Otherwise all of it leads to `origin`. */
  readonly isVerbatim: boolean;
}

/** Text in the making, whose every letter leads back to the author's. */
export type Pieces = readonly Piece[];

export function made(text: string, origin: number): Pieces {
  return [{ text, origin, isVerbatim: false }];
}

export function textOfPieces(pieces: Pieces): string {
  return pieces.map((piece) => piece.text).join('');
}

/** A part of a text, by offsets in it. */
export function slicePieces(pieces: Pieces, start: number, end: number): Pieces {
  const sliced: Piece[] = [];
  let before = 0;
  for (const piece of pieces) {
    const from = Math.max(0, start - before);
    const to = Math.min(piece.text.length, end - before);
    if (from < to)
      sliced.push({ ...piece, text: piece.text.slice(from, to), origin: piece.origin + (piece.isVerbatim ? from : 0) });
    before += piece.text.length;
  }
  return sliced;
}

/** Several texts with something between them. */
export function joinPieces(list: readonly Pieces[], separator: string, origin: number): Pieces {
  return list.flatMap((pieces, at) => (at === 0 ? pieces : [...made(separator, origin), ...pieces]));
}

/** `template` with `{0}`, `{1}` … replaced by the arguments. */
export function filledPieces(template: string, origin: number, ...given: readonly Pieces[]): Pieces {
  return template.split(/(\{\d+\})/).flatMap((part) => {
    const index = /^\{(\d+)\}$/.exec(part)?.[1];
    return index === undefined ? (part === '' ? [] : made(part, origin)) : (given[Number(index)] ?? []);
  });
}

/** @returns for an offset of the whole text the offset in the author's statement that it comes from */
export function originsOf(pieces: Pieces): (offset: number) => number {
  const starts: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    starts.push(length);
    length += piece.text.length;
  }
  return (offset) => {
    let at = starts.findLastIndex((start) => start <= offset);
    // An empty piece begins where the next one does; the text belongs to the next.
    while (pieces[at]?.text === '' && at + 1 < pieces.length) at++;
    const piece = pieces[at];
    if (piece === undefined) return offset;
    const inside = offset - (starts[at] ?? 0);
    return piece.origin + (piece.isVerbatim ? inside : inside >= piece.text.length ? inside - piece.text.length : 0);
  };
}

/** The items of `[a, b]` or `(a, b)`; undefined for anything else. */
export function collectionItems(pieces: Pieces): readonly Pieces[] | undefined {
  const { tokens } = tokenize(textOfPieces(pieces));
  const [first] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const isList = (first.text === '[' && last.text === ']') || (first.text === '(' && last.text === ')');
  if (!isList) return undefined;
  const items: Pieces[] = [];
  let depth = 0;
  let start = first.end;
  for (const [at, token] of tokens.entries()) {
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text) && --depth === 0 && at < tokens.length - 1) return undefined;
    if ((depth === 1 && token.text === ',') || at === tokens.length - 1) {
      const item = trimPieces(slicePieces(pieces, start, token.start));
      if (item.length > 0) items.push(item);
      start = token.end;
    }
  }
  return items;
}

export function trimPieces(pieces: Pieces): Pieces {
  const text = textOfPieces(pieces);
  const start = text.length - text.trimStart().length;
  return slicePieces(pieces, start, text.trimEnd().length);
}

/** What stands for a value inside a name or a string: a string without its quotes, a name without its own, anything else as it is. */
export function bareText(text: string): string {
  const trimmed = text.trim();
  const { tokens } = tokenize(trimmed);
  const [only] = tokens;
  return tokens.length === 1 && only !== undefined && (only.type === 'string' || only.type === 'name')
    ? only.value
    : trimmed;
}

/** True where operators stand outside all brackets, so that the text needs parentheses beside another operator. */
export function isCompound(pieces: Pieces, operators: (token: string) => boolean): boolean {
  let depth = 0;
  for (const token of tokenize(textOfPieces(pieces)).tokens) {
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text)) depth--;
    else if (depth === 0 && token.type !== 'string' && token.type !== 'name' && operators(token.text.toUpperCase()))
      return true;
  }
  return false;
}

export function wrapped(pieces: Pieces, operators: (token: string) => boolean, origin: number): Pieces {
  return isCompound(pieces, operators) ? filledPieces('({0})', origin, pieces) : pieces;
}
