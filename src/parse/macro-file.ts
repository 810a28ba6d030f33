import { type Diagnostic, fail, type Result, succeed } from '../domain/diagnostic.js';
import { locate, type TextFile } from '../domain/location.js';
import type { SqlText } from '../domain/model.js';
import { isDefinition } from './macros/index.js';
import { splitStatements } from './statements.js';

/** True for a file of Jinja macros: `{% macro name(a) %} … {% endmacro %}`. */
export function isJinjaMacroFile(file: TextFile): boolean {
  return /\{%-?\s*macro\b/.test(file.text);
}

/** Reads one SQL file of the macros folder: `@DEF(name, …)` statements, which all models see. */
export function parseMacroFile(file: TextFile): Result<readonly SqlText[]> {
  const { statements, errors } = splitStatements(file);
  const problems: Diagnostic[] = [...errors];
  const definitions: SqlText[] = [];
  for (const statement of statements) {
    if (statement.type === 'sql' && isDefinition(statement.sql)) definitions.push(statement.sql);
    else {
      const span = statement.type === 'sql' ? statement.sql.span : statement.nameSpan;
      problems.push({
        code: 'SL0107',
        severity: 'error',
        message: 'a file of macros holds definitions only',
        location: locate(file, { start: span.start, end: Math.min(span.end, span.start + 6) }),
        hint: 'write @DEF(name, (a, b) -> a + b);',
      });
    }
  }
  return problems.length > 0 ? fail(...problems) : succeed(definitions);
}
