/** A comment between tokens. */
export interface Comment {
  /** As written, without the line break that ends it. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Line breaks between it and what stands before it in the gap. */
  readonly breaksBefore: number;
}

/** The comments of a stretch that holds nothing but comments, commas, semicolons and white space. */
export function commentsIn(text: string, start: number, end: number): readonly Comment[] {
  const found: Comment[] = [];
  let breaks = 0;
  for (let at = start; at < end; ) {
    const close = text.startsWith('--', at)
      ? lineEnd(text, at, end)
      : text.startsWith('/*', at)
        ? blockEnd(text, at, end)
        : -1;
    if (close < 0) {
      if (text[at] === '\n') breaks++;
      at++;
      continue;
    }
    found.push({ text: text.slice(at, close).trimEnd(), start: at, end: close, breaksBefore: breaks });
    breaks = 0;
    at = close;
  }
  return found;
}

/** Comments as lines of their own; one empty line is kept where the author left some. */
export function commentLines(comments: readonly Comment[], indent = ''): readonly string[] {
  return comments.flatMap((comment, at) => [
    ...(at > 0 && comment.breaksBefore > 1 ? [''] : []),
    `${indent}${comment.text}`,
  ]);
}

function lineEnd(text: string, at: number, end: number): number {
  const found = text.indexOf('\n', at);
  return found < 0 || found > end ? end : found;
}

/** Block comments nest, as in PostgreSQL. */
function blockEnd(text: string, open: number, end: number): number {
  let depth = 0;
  for (let at = open; at < end; at++) {
    if (text.startsWith('/*', at)) {
      depth++;
      at++;
    } else if (text.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return end;
}
