import type { JinjaRenderer } from '../domain/macro.js';

/**
 * Jinja as nunjucks has it, with the macros of the project in front of every template. What is undefined is an error: a
 * misspelt variable would silently leave a hole in a query.
 *
 * @param macroTexts texts of `macros/*.sql` that hold `{% macro … %}`
 */
export async function loadJinja(macroTexts: readonly string[]): Promise<JinjaRenderer> {
  const { default: nunjucks } = await import('nunjucks');
  const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true });
  // On one line, so that line numbers in errors are those of the template.
  const macros = macroTexts.map((text) => text.replace(/\s*\n\s*/g, ' ')).join(' ');
  return (template, context) => environment.renderString(macros + template, { ...context });
}
