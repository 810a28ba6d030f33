import type { Diagnostic } from '../domain/diagnostic.js';
import { depthChange, type Fragment, splitAt, type Token } from '../domain/fragment.js';
import { locate, type Span, type TextFile } from '../domain/location.js';
import type { SqlText } from '../domain/model.js';
import { type JinjaBlock, jinjaBlocks, maskJinja } from './jinja-blocks.js';
import { tokenize } from './tokenizer.js';

/** `MODEL (…)`, `SOURCE (…)`, `AUDIT (…)`: a header block, its properties not yet read. */
export interface HeaderBlock {
  readonly type: 'header';
  /** Upper case. */
  readonly name: string;
  readonly file: TextFile;
  readonly nameSpan: Span;
  readonly properties: readonly Fragment[];
}

export interface SqlStatement {
  readonly type: 'sql';
  /** First word, upper case; empty when the statement starts with a symbol. */
  readonly keyword: string;
  readonly sql: SqlText;
  readonly tokens: readonly Token[];
}

export type Statement = HeaderBlock | SqlStatement;

export const headerNames: ReadonlySet<string> = new Set(['MODEL', 'SOURCE', 'AUDIT']);

/** Cuts a file into header blocks and SQL statements; statements end at semicolons. */
export function splitStatements(file: TextFile): {
  readonly statements: readonly Statement[];
  readonly errors: readonly Diagnostic[];
} {
  const blocks = jinjaBlocks(file);
  const { tokens, problems } = tokenize(maskJinja(file.text, blocks));
  const errors: Diagnostic[] = problems.map((problem) => ({
    code: 'SL0101',
    severity: 'error',
    message: problem.message,
    location: locate(file, problem.span),
  }));
  const statements: Statement[] = [];
  let start = 0;
  for (let at = 0; at <= tokens.length; at++) {
    const token = tokens[at];
    if (token !== undefined && token.text !== ';') continue;
    const piece = tokens.slice(start, at);
    start = at + 1;
    if (piece.length === 0) continue;
    const [first, second] = piece;
    const jinja = blocks.find((candidate) => candidate.start === first?.start);
    if (jinja !== undefined && first !== undefined) {
      statements.push(jinjaStatement(file, jinja, piece));
      continue;
    }
    const isHeader = first?.type === 'word' && headerNames.has(first.text.toUpperCase()) && second?.text === '(';
    if (first !== undefined && isHeader) {
      const header = readHeader(file, piece, first);
      if (header.ok) statements.push(header.block);
      else errors.push(header.error);
    } else if (first !== undefined) statements.push(sqlStatement(file, piece, first));
  }
  return { statements, errors };
}

function jinjaStatement(
  file: TextFile,
  { type, template, start, end }: JinjaBlock,
  tokens: readonly Token[],
): SqlStatement {
  const sql: SqlText = { file, span: { start, end }, text: file.text.slice(start, end), jinja: template };
  return { type: 'sql', keyword: type === 'query' ? 'SELECT' : 'JINJA', tokens, sql };
}

function sqlStatement(file: TextFile, tokens: readonly Token[], first: Token): SqlStatement {
  const span = { start: first.start, end: tokens.at(-1)?.end ?? first.end };
  const keyword = first.type === 'word' ? first.text.toUpperCase() : '';
  return { type: 'sql', keyword, tokens, sql: { file, span, text: file.text.slice(span.start, span.end) } };
}

type HeaderResult =
  | { readonly ok: true; readonly block: HeaderBlock }
  | { readonly ok: false; readonly error: Diagnostic };

function readHeader(file: TextFile, tokens: readonly Token[], first: Token): HeaderResult {
  const name = first.text.toUpperCase();
  const nameSpan = { start: first.start, end: first.end };
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    depth += depthChange(token);
    if (depth !== 0 || at === 0) continue;
    const next = tokens[at + 1];
    if (next !== undefined) {
      const missingSemicolon = next.type === 'word' ? `end the ${name} block with ");" before ${next.text}` : undefined;
      return problem(
        file,
        { start: next.start, end: next.end },
        `unexpected ${next.text} after the ${name} block`,
        missingSemicolon,
      );
    }
    const inside: Fragment = { file, tokens: tokens.slice(2, at) };
    return { ok: true, block: { type: 'header', name, file, nameSpan, properties: splitAt(inside, ',') } };
  }
  const open = tokens[1] ?? first;
  return problem(
    file,
    { start: open.start, end: open.end },
    `the parenthesis that opens the ${name} block is never closed`,
    'close it with ");"',
  );
}

function problem(file: TextFile, span: Span, message: string, hint?: string): HeaderResult {
  const error = {
    code: 'SL0102',
    severity: 'error',
    message,
    location: locate(file, span),
    ...(hint ? { hint } : {}),
  } as const;
  return { ok: false, error };
}
