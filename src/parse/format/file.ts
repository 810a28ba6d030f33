import { type Diagnostic, fail, type Result, succeed } from '../../domain/diagnostic.js';
import type { Token } from '../../domain/fragment.js';
import { locate, type TextFile } from '../../domain/location.js';
import { withoutMacros } from '../hide-macros.js';
import { jinjaBlocks, maskJinja } from '../jinja-blocks.js';
import { headerNames, splitStatements } from '../statements.js';
import { tokenize } from '../tokenizer.js';
import { type Comment, commentLines, commentsIn } from './comments.js';
import { formatHeader } from './header.js';
import { formatStatement, type SqlPrinter } from './statement.js';

/** One header block or statement, without its semicolon. */
interface Piece {
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
  readonly isJinja: boolean;
}

/**
 * A file of header blocks and statements, laid out. Jinja blocks and macros stay as they are; what the printer cannot read
 * stays too, with a warning.
 */
export function formatFile(file: TextFile, print: SqlPrinter): Result<string> {
  const { errors } = splitStatements(file);
  if (errors.length > 0) return fail(...errors);
  const { text } = file;
  const warnings: Diagnostic[] = [];
  const out: string[] = [];
  let from = 0;
  for (const piece of piecesOf(file)) {
    const comments = commentsIn(text, from, piece.start);
    const [first, ...rest] = comments;
    const isBehind = out.length > 0 && first !== undefined && first.breaksBefore === 0;
    if (isBehind) appendTrailing(out, first);
    const leading = isBehind ? rest : comments;
    const hasBlank = leading.length > 0 && breaksBetween(text, leading.at(-1)?.end ?? 0, piece.start) > 1;
    const body = formatPiece(file, piece, { print, warnings });
    const whole = [...commentLines(leading), ...(hasBlank ? [''] : []), body].join('\n');
    // Marks stand right around what they enclose.
    if (/_BEGIN;$/.test(out.at(-1) ?? '') || /^\w+_END;$/.test(whole))
      out[out.length - 1] = `${out.at(-1) ?? ''}\n${whole}`;
    else out.push(whole);
    from = piece.end;
  }
  const [first, ...rest] = commentsIn(text, from, text.length);
  const isBehind = out.length > 0 && first !== undefined && first.breaksBefore === 0;
  if (isBehind) appendTrailing(out, first);
  const last = isBehind ? rest : first === undefined ? [] : [first, ...rest];
  if (last.length > 0) out.push(commentLines(last).join('\n'));
  return succeed(out.length === 0 ? '' : `${out.join('\n\n')}\n`, warnings);
}

function appendTrailing(out: string[], comment: Comment): void {
  out[out.length - 1] = `${out.at(-1) ?? ''} ${comment.text}`;
}

function breaksBetween(text: string, start: number, end: number): number {
  return text.slice(start, end).split('\n').length - 1;
}

function formatPiece(
  file: TextFile,
  { tokens, start, end, isJinja }: Piece,
  { print, warnings }: { readonly print: SqlPrinter; readonly warnings: Diagnostic[] },
): string {
  const [first, second] = tokens;
  const written = file.text.slice(start, end);
  if (isJinja) return written;
  const isHeader = first?.type === 'word' && headerNames.has(first.text.toUpperCase()) && second?.text === '(';
  if (isHeader) {
    const header = formatHeader(file.text, tokens);
    if (!isSameHeader(written, header)) throw new Error(`the header of ${file.path} would change:\n${header}`);
    return `${header};`;
  }
  const formatted = formatStatement(written, print);
  if (formatted.type === 'formatted') return `${formatted.sql};`;
  warnings.push({
    code: 'SL0130',
    severity: 'warning',
    message: `this statement stays as it is: ${formatted.why}`,
    location: locate(file, { start, end: first?.end ?? start + 1 }),
  });
  return `${written};`;
}

/** The same words and comments, whatever the case of names and the commas at the end of lists. */
function isSameHeader(before: string, after: string): boolean {
  const words = (text: string): string => {
    const { tokens } = tokenize(text);
    const kept = tokens.filter((token, at) => token.text !== ',' || tokens[at + 1]?.text !== ')');
    return JSON.stringify(kept.map((token) => (token.type === 'word' ? token.text.toLowerCase() : token.text)));
  };
  const comments = (text: string): string => {
    const { tokens } = tokenize(text);
    const found = [0, ...tokens.map((token) => token.end)].flatMap((end, at) =>
      commentsIn(text, end, tokens[at]?.start ?? text.length).map((comment) => comment.text),
    );
    return JSON.stringify(found);
  };
  return words(before) === words(after) && comments(before) === comments(after);
}

/** The SQL statements of a file, with names in place of their macros: what DuckDB's parser can be asked about. */
export function statementsForParser(file: TextFile): readonly string[] {
  return piecesOf(file).flatMap(({ tokens: [first, second], start, end, isJinja }) => {
    const isHeader = first?.type === 'word' && headerNames.has(first.text.toUpperCase()) && second?.text === '(';
    return isJinja || isHeader ? [] : [withoutMacros(file.text.slice(start, end))];
  });
}

/** True for a file whose author wants it left alone: `formatting false` in the header. */
export function isLeftAlone(file: TextFile): boolean {
  const { statements } = splitStatements(file);
  return statements.some(
    (statement) =>
      statement.type === 'header' &&
      statement.properties.some(({ tokens: [name, value] }) => isWord(name, 'formatting') && isWord(value, 'false')),
  );
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.text.toLowerCase() === word;
}

function piecesOf(file: TextFile): readonly Piece[] {
  const blocks = jinjaBlocks(file);
  const { tokens } = tokenize(maskJinja(file.text, blocks));
  const pieces: Piece[] = [];
  let current: Token[] = [];
  for (const token of [...tokens, undefined]) {
    if (token !== undefined && token.text !== ';') {
      current.push(token);
      continue;
    }
    const [first] = current;
    const last = current.at(-1);
    if (first !== undefined && last !== undefined) {
      const block = blocks.find((one) => one.start === first.start);
      pieces.push({ tokens: current, start: first.start, end: block?.end ?? last.end, isJinja: block !== undefined });
    }
    current = [];
  }
  return pieces;
}
