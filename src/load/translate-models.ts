import type { Diagnostic } from '../domain/diagnostic.js';
import type { Model, SqlText } from '../domain/model.js';
import { loadSqlTranslator, type SqlTranslator } from '../effects/sql-translator.js';
import { translatorName } from '../parse/dialects.js';
import { hideMacros } from '../parse/hide-macros.js';
import { isDefinition } from '../parse/macros/index.js';
import { tokenize } from '../parse/tokenizer.js';
import { statementLocation } from './table-columns.js';

/**
 * Models with their statements in DuckDB's dialect. Macros stand in the text as names while it is translated, and are
 * expanded afterwards as in every model; a statement that is one macro stays. The translator is loaded only where a header
 * names another dialect.
 */
export async function translateModels(
  models: readonly Model[],
): Promise<{ readonly models: readonly Model[]; readonly diagnostics: readonly Diagnostic[] }> {
  if (models.every((model) => model.dialect === undefined)) return { models, diagnostics: [] };
  const translate = await loadSqlTranslator();
  const diagnostics: Diagnostic[] = [];
  return { models: models.map((model) => translated(model, translate, diagnostics)), diagnostics };
}

function translated(model: Model, translate: SqlTranslator, diagnostics: Diagnostic[]): Model {
  const { dialect, query } = model;
  if (dialect === undefined) return model;
  const one = (sql: SqlText): SqlText => {
    const result = translateStatement(sql, dialect, translate);
    if (result.type === 'translated') return { ...sql, text: result.sql, isTranslated: true };
    diagnostics.push({
      code: 'SL0136',
      severity: 'error',
      message: `this statement cannot be translated from ${dialect}: ${result.why}`,
      location: statementLocation(sql),
      hint: 'write it in DuckDB\'s dialect, and take "dialect" out of the header',
    });
    return sql;
  };
  return {
    ...model,
    ...(query === undefined ? {} : { query: one(query) }),
    preStatements: model.preStatements.map(one),
    postStatements: model.postStatements.map(one),
    onVirtualUpdate: model.onVirtualUpdate.map(one),
  };
}

function translateStatement(sql: SqlText, dialect: string, translate: SqlTranslator): ReturnType<SqlTranslator> {
  if (sql.jinja !== undefined) return { type: 'failed', why: 'it is a Jinja block' };
  const { tokens } = tokenize(sql.text);
  const { text, stand } = hideMacros(sql.text, tokens);
  // Nothing of it is written in any dialect.
  if (isDefinition(sql) || stand.has(text)) return { type: 'translated', sql: sql.text };
  const result = translate(text, translatorName(dialect));
  if (result.type === 'failed') return result;
  let shown = result.sql;
  for (const [name, macro] of stand) {
    const pattern = new RegExp(`(["\`]?)\\b${name}\\b\\1`, 'gi');
    if (!pattern.test(shown)) return { type: 'failed', why: `${macro} would be lost` };
    shown = shown.replace(pattern, () => macro);
  }
  return { type: 'translated', sql: shown };
}
