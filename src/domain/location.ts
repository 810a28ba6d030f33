import type { SourceLocation } from './diagnostic.js';

/** A half-open range of UTF-16 offsets in a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A file of the project as it was read. */
export interface TextFile {
  /** Path relative to the project folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Turns a span of a file into line, column and the line's text. A span that runs over several lines is marked on its first. */
export function locate(file: TextFile, span: Span): SourceLocation {
  const start = Math.max(0, Math.min(span.start, file.text.length));
  // lastIndexOf takes a negative position for 0, where a line break may stand.
  const lineStart = start === 0 ? 0 : file.text.lastIndexOf('\n', start - 1) + 1;
  const newline = file.text.indexOf('\n', start);
  const lineEnd = newline < 0 ? file.text.length : newline;
  const text = file.text.slice(lineStart, lineEnd).replace(/\r$/, '');
  let line = 1;
  for (let at = file.text.indexOf('\n'); at >= 0 && at < lineStart; at = file.text.indexOf('\n', at + 1)) line++;
  const end = Math.min(span.end, lineStart + text.length);
  return { file: file.path, line, column: start - lineStart + 1, length: Math.max(1, end - start), text };
}

/**
 * DuckDB counts UTF-8 bytes, editors and JavaScript count UTF-16 units.
 *
 * @returns the UTF-16 offset of the character that holds that byte; the text's length when the byte lies beyond it
 */
export function utf16Offset(text: string, byteOffset: number): number {
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    if (bytes >= byteOffset) return at;
    const code = text.codePointAt(at) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += code >= 0x10000 ? 2 : 1;
  }
  return text.length;
}

/** The span of the word (identifier, number, quoted name) that starts at an offset; one character where none does. */
export function wordAt(text: string, start: number): Span {
  const match = /^(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[\p{L}\p{N}_$]+)/u.exec(text.slice(start, start + 200));
  return { start, end: start + (match?.[0].length ?? 1) };
}
