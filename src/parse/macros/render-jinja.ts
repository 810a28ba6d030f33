import { fail, messageOf, type Result, succeed } from '../../domain/diagnostic.js';
import { locate } from '../../domain/location.js';
import type { SqlText } from '../../domain/model.js';
import { bareText } from './pieces.js';
import type { MacroScope } from './scope.js';

/**
 * Renders a Jinja block with the scope's variables as plain values (`{{ start_ds }}` is 2024-01-01, without quotes), and
 * `var()`, `blueprint_var()`.
 *
 * @returns the text; a failure lies at the line of the template that Jinja names
 */
export function renderTemplate(sql: SqlText, template: string, scope: MacroScope): Result<string> {
  const values = Object.fromEntries([...scope.values].map(([name, text]) => [name, plainValue(text)]));
  const variable = (name: string, otherwise?: unknown): unknown => values[name.toLowerCase()] ?? otherwise;
  try {
    if (scope.jinja === undefined) throw new Error('Jinja is not loaded');
    return succeed(scope.jinja(template, { ...values, var: variable, blueprint_var: variable }));
  } catch (thrown) {
    const message = messageOf(thrown)
      .replace(/^\(unknown path\)\s*/, '')
      .replace(/\s+/g, ' ');
    const line = Number(/\[Line (\d+)/.exec(message)?.[1] ?? '1');
    const lines = template.split('\n');
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const start = sql.span.start + sql.text.indexOf(template) + before;
    return fail({
      code: 'SL0206',
      severity: 'error',
      message: `Jinja: ${message}`,
      location: locate(sql.file, { start, end: start + Math.max(1, lines[line - 1]?.length ?? 1) }),
    });
  }
}

function plainValue(sql: string): string | number | boolean | null {
  if (/^-?\d+(?:\.\d+)?$/.test(sql)) return Number(sql);
  if (/^(?:true|false)$/i.test(sql)) return sql.toLowerCase() === 'true';
  if (/^null$/i.test(sql)) return null;
  return bareText(/^(?:TIMESTAMPTZ|TIMESTAMP|DATE) ('.*')$/s.exec(sql)?.[1] ?? sql);
}
