import type { Diagnostic } from '../domain/diagnostic.js';
import { locate, utf16Offset, wordAt } from '../domain/location.js';
import type { SqlText } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import type { EngineError } from '../effects/shadow-catalog.js';
import type { Rendered } from '../parse/macros/index.js';

const codes = { syntax: 'SL0201', table: 'SL0203', column: 'SL0204', other: 'SL0202' } as const;

/** Puts an error of DuckDB where the author can see it: in the file as written, before macros were rendered. */
export function engineDiagnostic(
  error: EngineError,
  sql: SqlText,
  rendered: Rendered,
  knownTables: Iterable<string>,
): Diagnostic {
  const renderedOffset = error.byteOffset === undefined ? 0 : utf16Offset(rendered.sql, error.byteOffset);
  const start = sql.span.start + rendered.originOf(renderedOffset);
  const span =
    error.byteOffset === undefined
      ? { start, end: start + 1 }
      : error.type === 'table'
        ? dottedAt(sql.file.text, start)
        : wordAt(sql.file.text, start);
  const hint = hintFor(error, knownTables);
  return {
    code: codes[error.type],
    severity: 'error',
    message: messageFor(error),
    location: locate(sql.file, span),
    ...(hint === undefined ? {} : { hint }),
  };
}

function messageFor(error: EngineError): string {
  if (error.type === 'column' && error.name !== '') return `column "${error.name}" not found`;
  if (error.type === 'table' && error.name !== '') return `table "${error.name}" not found`;
  return error.message;
}

function hintFor(error: EngineError, knownTables: Iterable<string>): string | undefined {
  const candidates = error.candidates.filter((candidate) => !candidate.includes('->'));
  if (error.type === 'table') {
    return (
      didYouMean(error.name, knownTables) ??
      (candidates.length > 0
        ? `did you mean "${candidates[0]}"?`
        : 'declare it as a model, a source, or in external_models.yaml')
    );
  }
  if (candidates.length === 0) return undefined;
  return error.type === 'column'
    ? `the tables of this query have ${candidates
        .slice(0, 8)
        .map((candidate) => `"${candidate}"`)
        .join(', ')}`
    : `did you mean "${candidates[0]}"?`;
}

/** `schema.table` as a whole, where a name has two parts. */
function dottedAt(text: string, start: number): ReturnType<typeof wordAt> {
  const first = wordAt(text, start);
  return text[first.end] === '.' ? { start, end: wordAt(text, first.end + 1).end } : first;
}
